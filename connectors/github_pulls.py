"""GitHub events about our own branches: pull requests, reviews and checks.

Those of other branches are not kept: a busy repository has thousands a day, and none reports a bug.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from connectors.channel import Delivery, child, digest, objects, parsed, text
from connectors.github_payload import SHA, account, fitting, number, repository, url
from schemas.raw import Origin

Event = Literal["pull_request", "pull_request_review", "check_run", "check_suite", "status"]
EVENTS: tuple[Event, ...] = (
    "pull_request",
    "pull_request_review",
    "check_run",
    "check_suite",
    "status",
)
_REVIEW: Event = "pull_request_review"
_OURS = re.compile(rb'"bugstream\\?/bug-\d{4}-[0-9a-z]{5}\\?/a\d{1,4}"')
"""Whether a branch of ours is named anywhere: a sieve. The parser looks where it is named."""


def read(event: Event, body: bytes, *, delivery_id: str) -> Delivery | None:
    """Return what `body` speaks of; None where it names no branch of ours. Never raises."""
    if not _OURS.search(body):
        return None
    payload = parsed(body)
    said = _said(event, payload)
    sha = fitting(SHA, said.get("head_sha") or said.get("sha"))
    alone = f"delivery/{delivery_id[:100]}"
    item = _pull(event, payload) or (f"commit/{sha}" if sha else alone)
    origin = Origin(
        channel="github", container=repository(payload), item=item, url=url(said.get("html_url"))
    )
    return Delivery(
        origin=origin,
        delivery_id=delivery_id,
        kind=event,
        sender=account(child(payload, "sender")),
        # A review is its author's text; of the rest every word is ours or a program's.
        author=account(child(*((said, "user") if event == _REVIEW else (payload, "sender")))),
        entity=f"{origin.key}/{event}/{number(said.get('id')) or alone}",
        meaning=_meaning(payload, said),
    )


def _said(event: Event, payload: dict[str, Any]) -> dict[str, Any]:
    match event:
        case "pull_request_review":
            return child(payload, "review")
        case "status":
            return payload
        case _:
            return child(payload, event)


def _pull(event: Event, payload: dict[str, Any]) -> str | None:
    """Return the number of the pull request; of a check that of the first it belongs to."""
    if event in ("pull_request", "pull_request_review"):
        return number(child(payload, "pull_request").get("number"))
    first = objects(child(payload, event), "pull_requests")[:1]
    return number(first[0].get("number")) if first else None


def _meaning(payload: dict[str, Any], said: dict[str, Any]) -> str:
    names = ("state", "status", "conclusion", "merged", "draft", "body", "head_sha", "context")
    return digest(
        text(payload.get("action")),
        text(child(said, "head").get("sha")),
        *(said.get(name) if isinstance(said.get(name), str | bool) else None for name in names),
    )
