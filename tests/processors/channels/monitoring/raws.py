"""From a post to what its door and its parser make of it."""

from __future__ import annotations

from connectors.channel import Door, Post
from processors.channels.monitoring import parse
from processors.channels.parsed import Parsed
from schemas.raw import RawReceived
from tests.connectors.monitoring.posts import deliveries
from tests.factories import envelope


def raws(door: Door, post: Post) -> list[tuple[RawReceived, bytes]]:
    found = []
    for one in deliveries(door, post):
        body = post.body if one.body is None else one.body
        raw = RawReceived(
            **envelope(f"raw/{one.delivery_id}", bug_id=None, project="unassigned"),
            origin=one.origin,
            route=f"{door.name}/{one.kind}" if one.kind else door.name,
            delivery_id=one.delivery_id,
            content_type="application/json",
            content_sha256="0" * 64,
            authenticated=True,
            body=body.decode("latin-1"),
        )
        found.append((raw, body))
    return found


def understood(door: Door, post: Post) -> list[Parsed]:
    said = [parse(raw, body) for raw, body in raws(door, post)]
    return [one for one in said if one is not None]
