"""GitHub: an issue or a comment under it."""

from __future__ import annotations

from processors.channels.parsed import Parsed, json_object, text_of
from schemas.raw import RawReceived

_REPORT_ACTIONS = frozenset(
    {"opened", "edited", "reopened", "closed", "labeled", "unlabeled", "assigned", "unassigned"}
)


def parse(raw: RawReceived, body: bytes) -> Parsed | None:
    """Return what the payload says; nothing for a pull request and for our own answers."""
    payload = json_object(body, "the body")
    if payload.get("action") not in _REPORT_ACTIONS | {"created"}:
        return None
    issue = json_object(payload.get("issue"), "'issue'")
    if "pull_request" in issue:
        return None
    is_comment = raw.route == "github/issue_comment"
    item = json_object(payload.get("comment"), "'comment'") if is_comment else issue
    user = item.get("user") or {}
    if is_comment and user.get("type") == "Bot":
        return None  # Our own answers come back this way; hearing them would be a loop.
    return Parsed(
        title=text_of(issue.get("title")),
        text=text_of(item.get("body")),
        account=f"github:{text_of(user.get('login')) or 'ghost'}",
        association=text_of(item.get("author_association")),
        closed=issue.get("state") == "closed",
        labels=tuple(
            text_of(label.get("name"))
            for label in issue.get("labels") or []
            if isinstance(label, dict)
        ),
        assignee=text_of((issue.get("assignee") or {}).get("login")) or None,
        url=text_of(issue.get("html_url")) or None,
        created_at=issue.get("created_at"),
        updated_at=issue.get("updated_at"),
        comment=is_comment,
    )
