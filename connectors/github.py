"""GitHub webhooks: whether one is genuine, and which issue it speaks of.

A tolerant reader: real payloads do not fit the published schema, and a delivery that was turned
away never comes again. What cannot be understood is kept, for people to look at.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas.raw import Origin

Event = Literal["issues", "issue_comment"]
EVENTS: tuple[Event, ...] = ("issues", "issue_comment")
BODY_BYTES_MAX = 25 * 1024 * 1024
"""GitHub sends nothing larger."""
UNKNOWN = "unknown"
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
_URL = re.compile(r"https?://[!-~]{1,1900}")
_LOGIN = re.compile(r"[\w.-]{1,100}(\[bot\])?", re.ASCII)
_GONE = ("deleted", "transferred")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the inbox needs to know of a payload."""

    origin: Origin
    """The issue; for a comment the issue it stands under, so that both keep their order."""
    sender: str
    """Account that caused the delivery, such as `github:octocat`."""
    author: str
    """Account that wrote the text."""
    entity: str
    """The issue or the comment it speaks of."""
    meaning: str
    """Hash of what it says of the entity. GitHub sends `opened` and `labeled` for one issue."""


def is_signed(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Return whether `signature` (`sha256=<hex>`) was made of `body` with one of `secrets`."""
    given = signature.encode("utf-8", "replace")
    return any(
        hmac.compare_digest(
            b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(),
            given,
        )
        for secret in secrets
    )


def read(event: Event, body: bytes, *, delivery_id: str) -> Delivery:
    """Return what `body` speaks of. Never raises: what is unreadable is an item of its own."""
    payload = _parse(body)
    issue, comment = _object(payload, "issue"), _object(payload, "comment")
    alone = f"delivery/{delivery_id[:100]}"
    number, comment_id = _number(issue.get("number")), _number(comment.get("id"))
    said = comment if event == "issue_comment" else issue
    is_known = bool(number and (comment_id if event == "issue_comment" else True))
    origin = Origin(
        channel="github",
        container=_fitting(_REPOSITORY, _object(payload, "repository").get("full_name")) or UNKNOWN,
        item=number or alone,
        url=_fitting(_URL, issue.get("html_url")),
    )
    part = f"/comment/{comment_id or alone}" if event == "issue_comment" else ""
    return Delivery(
        origin=origin,
        sender=_account(_object(payload, "sender")),
        author=_account(_object(said, "user")),
        entity=origin.key + part,
        meaning=_meaning(payload, said) if is_known else hashlib.sha256(body).hexdigest(),
    )


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _meaning(payload: dict[str, Any], said: dict[str, Any]) -> str:
    labels = said.get("labels")
    names = [
        _object({"label": label}, "label").get("name")
        for label in (labels if isinstance(labels, list) else ())
    ]
    action = payload.get("action")
    parts = [
        # Of the actions only the end of the item says something that the item itself does not.
        action if action in _GONE else None,
        *(said.get(name) for name in ("title", "body", "state", "state_reason")),
        _object(said, "assignee").get("login"),
        said.get("author_association"),
        *sorted(str(name) for name in names),
    ]
    text = json.dumps([part if isinstance(part, str) else None for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    child = parent.get(name)
    return child if isinstance(child, dict) else {}


def _account(user: dict[str, Any]) -> str:
    return f"github:{_fitting(_LOGIN, user.get('login')) or 'ghost'}"


def _number(value: object) -> str | None:
    return str(value)[:20] if isinstance(value, int) and not isinstance(value, bool) else None


def _fitting(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
