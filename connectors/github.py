"""GitHub webhooks: whether one is genuine, and which issue it speaks of.

A tolerant reader: real payloads do not fit the published schema, and a delivery that was turned
away never comes again. What cannot be understood is kept, for people to look at.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from connectors.channel import Delivery, Door, Post, Reply, is_hex_hmac, parsed
from schemas.raw import Origin

Event = Literal["issues", "issue_comment"]
EVENTS: tuple[Event, ...] = ("issues", "issue_comment")
BODY_BYTES_MAX = 25 * 1024 * 1024
"""GitHub sends nothing larger."""
UNKNOWN = "unknown"
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
_URL = re.compile(r"https?://[!-~]{1,1900}")
_LOGIN = re.compile(r"[\w.-]{1,100}(\[bot\])?", re.ASCII)
_SIGNATURE = "x-hub-signature-256"
_ID_CHARS_MAX = 100
_GONE = ("deleted", "transferred")


def _looks_signed(headers: Mapping[str, str]) -> bool:
    return headers.get(_SIGNATURE, "").startswith("sha256=")


def _refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    del now  # GitHub signs no time; a delivery that comes again is known by its id.
    signature = post.headers.get(_SIGNATURE, "")
    return None if is_hex_hmac(post.body, signature, secrets, prefix="sha256=") else "signature"


def _reply(post: Post) -> Reply | None:
    """Answer what is not kept: a ping, an event of no interest, a body that is no JSON."""
    if post.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Reply(
            415,
            {
                "error": "not_json",
                "message": "choose the content type application/json in the webhook's settings",
            },
        )
    name = post.headers.get("x-github-event", "")
    if name == "ping":
        return Reply(200, {"status": "pong"})
    return None if name in EVENTS else Reply(202, {"status": "ignored", "event": name[:100]})


def _deliveries(post: Post) -> tuple[Delivery, ...]:
    name = post.headers.get("x-github-event", "")
    event = next(known for known in EVENTS if known == name)
    return (read(event, post.body, delivery_id=_delivery_id(post.headers)),)


def _delivery_id(headers: Mapping[str, str]) -> str:
    """Return GitHub's id, the same on redelivery; without one every delivery is a new one."""
    given = headers.get("x-github-delivery", "")
    is_usable = given.isascii() and given.replace("-", "").isalnum()
    return given if is_usable and len(given) <= _ID_CHARS_MAX else str(uuid4())


def read(event: Event, body: bytes, *, delivery_id: str) -> Delivery:
    """Return what `body` speaks of. Never raises: what is unreadable is an item of its own."""
    payload = parsed(body)
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
        delivery_id=delivery_id,
        kind=event,
        sender=_account(_object(payload, "sender")),
        author=_account(_object(said, "user")),
        entity=origin.key + part,
        meaning=_meaning(payload, said) if is_known else hashlib.sha256(body).hexdigest(),
    )


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


DOOR = Door(
    name="github",
    channel="github",
    path="/webhooks/github",
    body_bytes_max=BODY_BYTES_MAX,
    looks_signed=_looks_signed,
    refusal=_refusal,
    reply=_reply,
    read=_deliveries,
    hint="X-Hub-Signature-256 does not fit the body and the webhook's secret",
)
