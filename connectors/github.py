"""GitHub webhooks: whether one is genuine, and which issue it speaks of.

A tolerant reader: real payloads do not fit the published schema, and a delivery that was turned
away never comes again. What cannot be understood is kept, for people to look at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from connectors import channel, github_pulls
from connectors.channel import (
    Delivery,
    Door,
    Outcome,
    Post,
    Reply,
    child,
    is_hex_hmac,
    objects,
    parsed,
)
from connectors.github_payload import account, number, repository, url
from schemas.raw import Origin

Event = Literal["issues", "issue_comment"]
EVENTS: tuple[Event, ...] = ("issues", "issue_comment")
BODY_BYTES_MAX = 25 * 1024 * 1024
"""GitHub sends nothing larger."""
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
    return None if name in EVENTS or name in github_pulls.EVENTS else _ignored(name)


def _ignored(name: str) -> Reply:
    return Reply(202, {"status": "ignored", "event": name[:100]})


def _answer(post: Post, outcomes: Sequence[Outcome]) -> Reply:
    """Say what became of it; what happens on a branch that is not ours is nothing to us."""
    if not outcomes:
        return _ignored(post.headers.get("x-github-event", ""))
    return channel.accepted(post, outcomes)


def _deliveries(post: Post) -> tuple[Delivery, ...]:
    name, delivery_id = post.headers.get("x-github-event", ""), _delivery_id(post.headers)
    for event in EVENTS:
        if event == name:
            return (read(event, post.body, delivery_id=delivery_id),)
    for about_ours in github_pulls.EVENTS:
        if about_ours == name:
            found = github_pulls.read(about_ours, post.body, delivery_id=delivery_id)
            return () if found is None else (found,)
    return ()


def _delivery_id(headers: Mapping[str, str]) -> str:
    """Return GitHub's id, the same on redelivery; without one every delivery is a new one."""
    given = headers.get("x-github-delivery", "")
    is_usable = given.isascii() and given.replace("-", "").isalnum()
    return given if is_usable and len(given) <= _ID_CHARS_MAX else str(uuid4())


def read(event: Event, body: bytes, *, delivery_id: str) -> Delivery:
    """Return what `body` speaks of. Never raises: what is unreadable is an item of its own."""
    payload = parsed(body)
    issue, comment = child(payload, "issue"), child(payload, "comment")
    alone = f"delivery/{delivery_id[:100]}"
    item, comment_id = number(issue.get("number")), number(comment.get("id"))
    said = comment if event == "issue_comment" else issue
    is_known = bool(item and (comment_id if event == "issue_comment" else True))
    origin = Origin(
        channel="github",
        container=repository(payload),
        item=item or alone,
        url=url(issue.get("html_url")),
    )
    part = f"/comment/{comment_id or alone}" if event == "issue_comment" else ""
    return Delivery(
        origin=origin,
        delivery_id=delivery_id,
        kind=event,
        sender=account(child(payload, "sender")),
        author=account(child(said, "user")),
        entity=origin.key + part,
        meaning=_meaning(payload, said) if is_known else hashlib.sha256(body).hexdigest(),
    )


def _meaning(payload: dict[str, Any], said: dict[str, Any]) -> str:
    action = payload.get("action")
    parts = [
        # Of the actions only the end of the item says something that the item itself does not.
        action if action in _GONE else None,
        # Not what the author is to the repository: webhooks and the API differ in that.
        *(said.get(name) for name in ("title", "body", "state", "state_reason")),
        _assignee(said),
        *sorted(str(label.get("name")) for label in objects(said, "labels")),
    ]
    text = json.dumps([part if isinstance(part, str) else None for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()


def _assignee(said: dict[str, Any]) -> object:
    for one in (child(said, "assignee"), *objects(said, "assignees")[:1]):
        if "login" in one:
            return one["login"]
    return None


DOOR = Door(
    name="github",
    channel="github",
    path="/webhooks/github",
    body_bytes_max=BODY_BYTES_MAX,
    looks_signed=_looks_signed,
    refusal=_refusal,
    reply=_reply,
    read=_deliveries,
    answer=_answer,
    hint="X-Hub-Signature-256 does not fit the body and the webhook's secret",
    recovery=(
        "Issues and comments that changed are asked for, and with webhook_url GitHub is asked to"
        " send failed deliveries of the last three days again. Deleted ones are not found."
    ),
)
