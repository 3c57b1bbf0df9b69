"""GitHub: an issue, a comment under it, or what becomes of a pull request of ours."""

from __future__ import annotations

from typing import Any

from processors.channels import github_pulls
from processors.channels.parsed import Parsed, json_object, text_of
from processors.quoting import one_line
from schemas.raw import RawReceived, is_our_label, is_ours

_COMMENT = "github/issue_comment"
_PLACE_CHARS_MAX = 120


def parse(raw: RawReceived, body: bytes) -> Parsed | None:
    """Return what the payload says; nothing for other pull requests and for our own answers.

    What an event says happened is of no matter: the item in it says how it is now, and it may be
    the only event that has reached us. The end of an item alone leaves nothing to read.
    """
    payload = json_object(body, "the body")
    if raw.route not in ("github/issues", _COMMENT):
        return github_pulls.parse(raw.route, payload)
    issue = json_object(payload.get("issue"), "'issue'")
    if "pull_request" in issue:
        return None
    is_comment = raw.route == _COMMENT
    item = json_object(payload.get("comment"), "'comment'") if is_comment else issue
    user = _object(item.get("user"))
    text = text_of(item.get("body"))
    # Our own answers come back this way, under an app's name or a person's; hearing them would be
    # a loop.
    if is_comment and (user.get("type") == "Bot" or is_ours(text)):
        return None
    note = _end(payload, is_comment=is_comment)
    return Parsed(
        title=text_of(issue.get("title")),
        text=note or text,
        account=f"github:{text_of(user.get('login')) or 'ghost'}",
        association=text_of(item.get("author_association")),
        closed=issue.get("state") == "closed",
        labels=_labels(issue),
        assignee=text_of(_object(issue.get("assignee")).get("login")) or None,
        url=text_of(issue.get("html_url")) or None,
        created_at=text_of(issue.get("created_at")) or None,
        updated_at=text_of(issue.get("updated_at")) or None,
        comment=is_comment or bool(note),
        note=note,
    )


def _labels(issue: dict[str, Any]) -> tuple[str, ...]:
    """Return the labels that people set: with our own a report would seem to have changed."""
    listed = issue.get("labels")
    labels = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    named = [(text_of(one.get("name")), text_of(one.get("description"))) for one in labels]
    return tuple(name for name, said in named if not is_our_label(name, said))


def _end(payload: dict[str, Any], *, is_comment: bool) -> str:
    """Return the sentence that says that the item is no longer there; empty: it is."""
    action = payload.get("action")
    if action == "deleted":
        return f"The {'comment' if is_comment else 'issue'} was deleted on GitHub."
    if action == "transferred" and not is_comment:
        moved = _object(payload.get("changes"))
        where = text_of(_object(moved.get("new_repository")).get("full_name"))
        to = f" to {one_line(where, chars_max=_PLACE_CHARS_MAX)}" if where else ""
        return f"The issue was transferred{to}."
    return ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
