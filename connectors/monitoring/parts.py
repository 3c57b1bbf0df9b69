"""What the doors of monitoring share: tokens, names that can stand in a key, parts of a post."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.channel import (
    NAME_CHARS_MAX,
    UNKNOWN,
    Delivery,
    Post,
    is_bearer,
    text,
)
from schemas.raw import Origin

BEARER_HINT = "send the header 'Authorization: Bearer TOKEN' with one of the door's secrets"
ALERTS_MAX = 500
"""Of one post: the gateway keeps no more of one."""
_NOT_A_NAME = re.compile(r"[^\w.@+:/-]+")


def account(sender: str) -> str:
    """Return the account of a machine: no member of any project unless settings list it."""
    return f"monitoring:{sender}"


def place(sender: str, name: object) -> str:
    """Return the container that settings map to a project, such as `alertmanager/shop-team`."""
    wanted = name if isinstance(name, str) else ""
    usable = _NOT_A_NAME.sub("-", wanted[:NAME_CHARS_MAX]).strip("-")
    return f"{sender}/{usable or UNKNOWN}"


def looks_like_bearer(headers: Mapping[str, str]) -> bool:
    """Return whether there is a token at all."""
    return headers.get("authorization", "").lower().startswith("bearer ")


def bearer_refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    """Return "token" unless the post carries one of `secrets`."""
    del now  # A token has no time; what comes again is known by its id.
    return None if is_bearer(post.headers, secrets) else "token"


def labels_of(alert: object) -> dict[str, str]:
    """Return those labels of an alert that are texts."""
    found = alert.get("labels") if isinstance(alert, dict) else None
    return {k: text(v) for k, v in found.items()} if isinstance(found, dict) else {}


def part_of(shared: Mapping[str, Any], **own: object) -> bytes | None:
    """Return what a post would be that speaks of one thing only, in the sender's own shape.

    None where it cannot be written: then the whole post is kept.
    """
    try:
        return json.dumps({**shared, **own}, sort_keys=True).encode()
    except RecursionError:
        return None


def unreadable(sender: str, post: Post, *, kind: str = "") -> Delivery:
    """Return an item of its own for a post that speaks of nothing known: for people to see."""
    content = hashlib.sha256(post.body).hexdigest()
    origin = Origin(
        channel="monitoring", container=place(sender, None), item=f"delivery/{content[:32]}"
    )
    return Delivery(
        origin=origin,
        delivery_id=content,
        sender=account(sender),
        author=account(sender),
        entity=origin.key,
        meaning=content,
        kind=kind,
    )
