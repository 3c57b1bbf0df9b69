"""GitHub: what becomes of our own branches, as a note on the bug that the branch is for.

A note decides nothing: it stands in the bug's timeline. Nothing is ever answered to it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from processors.channels.parsed import Parsed, text_of
from processors.quoting import one_line
from schemas.branches import bug_of

OURS = "bugstream"
"""What our own check is called, and our app, whatever else its name says."""
_NAME_CHARS_MAX = 100
_SLUG = re.compile(r"[a-z0-9-]{1,60}")
_REVIEWS = {"approved": "was approved", "changes_requested": "got a request for changes"}
_ENDED_WELL = frozenset({"success", "neutral", "skipped"})
_FAILED = frozenset({"failure", "timed_out", "action_required", "startup_failure", "error"})


def parse(route: str, payload: dict[str, Any]) -> Parsed | None:
    """Return the note; None for what is no news, and for branches that are not ours."""
    match route.removeprefix("github/"):
        case "pull_request":
            return _pull(payload)
        case "pull_request_review":
            return _review(payload)
        case "check_run" | "check_suite" as kind:
            return _check(payload, kind)
        case "status":
            return _status(payload)
        case _:
            return None


def _pull(payload: dict[str, Any]) -> Parsed | None:
    pull = _object(payload.get("pull_request"))
    branch, action = _branch(pull), payload.get("action")
    if branch is None or action not in ("closed", "reopened"):
        return None
    happened = "was reopened"
    if action == "closed":
        happened = "was merged" if pull.get("merged") is True else "was closed without a merge"
    said = f"{_named(pull)} {happened}"
    note = _note(payload, branch, f"{said}.", f"{said} by {_login(payload.get('sender'))}.")
    return replace(note, happened="fix_merged") if happened == "was merged" else note


def _review(payload: dict[str, Any]) -> Parsed | None:
    pull, review = _object(payload.get("pull_request")), _object(payload.get("review"))
    branch = _branch(pull)
    happened = _REVIEWS.get(text_of(review.get("state")).lower())
    if payload.get("action") == "dismissed":
        happened = "lost a review, which was dismissed"
    elif payload.get("action") != "submitted":
        happened = None
    if branch is None or happened is None:
        return None
    said = f"{_named(pull)} {happened}"
    text = f"{said}; the review is {_login(review.get('user'))}'s."
    if words := text_of(review.get("body")).strip():
        text += f"\n\n{words}"
    return _note(payload, branch, f"{said}.", text, review)


def _check(payload: dict[str, Any], kind: str) -> Parsed | None:
    check = _object(payload.get(kind))
    suite = check if kind == "check_suite" else _object(check.get("check_suite"))
    branch = _checked_branch(check, text_of(suite.get("head_branch")))
    conclusion = text_of(check.get("conclusion"))
    if branch is None or payload.get("action") != "completed" or _is_own(check):
        return None
    what = f"The checks of {_app(check)}" if kind == "check_suite" else "A check"
    if conclusion in _FAILED:
        happened = f"{what} failed"
    elif conclusion in _ENDED_WELL and kind == "check_suite":
        happened = f"{what} passed"  # One line for all of them, not one for each.
    else:
        return None
    said = f"{happened} on {_commit(check.get('head_sha'))}branch {branch}."
    name = text_of(check.get("name")) or text_of(_object(check.get("app")).get("name"))
    return _note(payload, branch, said, f"{said} {_quoted(name)}".strip())


def _status(payload: dict[str, Any]) -> Parsed | None:
    branches = payload.get("branches")
    names = [
        text_of(_object(one).get("name"))
        for one in (branches if isinstance(branches, list) else ())
    ]
    branch = next((name for name in names if bug_of(name)), None)
    happened = {"success": "passed", "failure": "failed", "error": "failed"}.get(
        text_of(payload.get("state"))
    )
    if branch is None or happened is None or payload.get("context") == OURS:
        return None
    said = f"A check {happened} on {_commit(payload.get('sha'))}branch {branch}."
    name = _quoted(text_of(payload.get("context")))
    return _note(payload, branch, said, f"{said} {name}".strip())


def _is_own(check: dict[str, Any]) -> bool:
    """Return whether we said it ourselves: our verdict comes back as an event, and is no news."""
    slug = text_of(_object(check.get("app")).get("slug"))
    return check.get("name") == OURS or OURS in slug


def _app(check: dict[str, Any]) -> str:
    slug = text_of(_object(check.get("app")).get("slug"))
    return f"the app {slug}" if _SLUG.fullmatch(slug) else "an app"


def _branch(pull: dict[str, Any]) -> str | None:
    """Return our branch that the pull request is of.

    In a fork anybody may call a branch as ours are called: it must lie where the base lies.
    """
    head, base = _object(pull.get("head")), _object(pull.get("base"))
    own, other = _object(head.get("repo")).get("id"), _object(base.get("repo")).get("id")
    ref = text_of(head.get("ref"))
    return ref if bug_of(ref) and isinstance(own, int) and own == other else None


def _checked_branch(check: dict[str, Any], head_branch: str) -> str | None:
    pulls = check.get("pull_requests")
    if isinstance(pulls, list) and pulls:
        found = (_branch(one) for one in pulls if isinstance(one, dict))
        return next((branch for branch in found if branch), None)
    # Without a pull request; GitHub names no branch for what was pushed to a fork.
    return head_branch if bug_of(head_branch) else None


def _note(
    payload: dict[str, Any], branch: str, note: str, text: str, review: dict[str, Any] | None = None
) -> Parsed:
    user = _object(payload.get("sender") if review is None else review.get("user"))
    return Parsed(
        title=note,
        text=text,
        account=f"github:{text_of(user.get('login')) or 'ghost'}",
        association=text_of((review or {}).get("author_association")),
        comment=True,
        note=note,
        bug=bug_of(branch) or "",
    )


def _named(pull: dict[str, Any]) -> str:
    number = pull.get("number")
    return (
        f"Pull request #{number}" if type(number) is int and number < 10**12 else "A pull request"
    )


def _commit(sha: object) -> str:
    found = text_of(sha)
    is_sha = len(found) >= 12 and found.isascii() and found.isalnum()
    return f"commit {found[:12]} of " if is_sha else ""


def _login(user: object) -> str:
    return one_line(text_of(_object(user).get("login")), chars_max=_NAME_CHARS_MAX) or "somebody"


def _quoted(name: str) -> str:
    said = one_line(name, chars_max=_NAME_CHARS_MAX)
    return f"It is called {said!r}." if said else ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
