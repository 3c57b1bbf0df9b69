"""PagerDuty v3 webhooks: several signatures while a secret is changed, of which one must fit.

Three dropped deliveries in a row make it switch the webhook off for a day: see the facts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.channel import (
    Delivery,
    Door,
    Post,
    Reply,
    child,
    digest,
    is_hex_hmac,
    parsed,
    plain,
    text,
    url,
)
from connectors.monitoring.parts import account, place, unreadable
from schemas.raw import Origin

SENDER = "pagerduty"
BODY_BYTES_MAX = 1024 * 1024
"""PagerDuty sends nothing above 256 KiB."""
NOTES = ("incident.annotated", "incident.status_update_published")
SIGNATURES_MAX = 10
_SIGNATURE = "x-pagerduty-signature"
_ACCOUNT = re.compile(r"https://(?P<name>[\w.-]{1,100})\.pagerduty\.com/", re.ASCII)


def _looks_signed(headers: Mapping[str, str]) -> bool:
    return headers.get(_SIGNATURE, "").lstrip().startswith("v1=")


def _refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    del now  # PagerDuty signs no time; what comes again is known by the event's id.
    given = post.headers.get(_SIGNATURE, "").split(",")[:SIGNATURES_MAX]
    fits = [is_hex_hmac(post.body, one.strip(), secrets, prefix="v1=") for one in given]
    return None if any(fits) else "signature"


def _reply(post: Post) -> Reply | None:
    name = text(child(parsed(post.body), "event").get("event_type"))
    if name == "pagey.ping":
        return Reply(200, {"status": "pong"})
    return None if _is_read(name) else Reply(202, {"status": "ignored", "event": name[:100]})


def _is_read(name: str) -> bool:
    """Return whether an event of this name speaks of an incident itself; "" is for people."""
    return not name or (name.startswith("incident.") and name.count(".") == 1)


def _read(post: Post) -> tuple[Delivery, ...]:
    event = child(parsed(post.body), "event")
    name, data = text(event.get("event_type")), child(event, "data")
    incident = child(data, "incident") if name in NOTES else data
    number = plain(incident.get("id"))
    if number is None or plain(name) is None:
        return (unreadable(SENDER, post),)
    # A note does not say the service, so the account is all that both can be told by.
    link = url(incident.get("html_url")) or ""
    known = _ACCOUNT.match(link)
    origin = Origin(
        channel="monitoring",
        container=place(SENDER, known["name"] if known else None),
        item=number,
        url=link or None,
    )
    is_note = name in NOTES
    who = plain(child(event, "agent").get("id")) if is_note else None
    writer = account(f"{SENDER}:{who}" if who else SENDER)
    return (
        Delivery(
            origin=origin,
            delivery_id=plain(event.get("id")) or digest(post.body.decode("latin-1")),
            sender=writer,
            author=writer,
            entity=f"{origin.key}/note/{plain(data.get('id'))}" if is_note else origin.key,
            meaning=_note_meaning(data) if is_note else _meaning(incident),
            kind=name[:60],
        ),
    )


def _note_meaning(data: dict[str, Any]) -> str:
    return digest(text(data.get("content")), text(data.get("message")))


def _meaning(incident: dict[str, Any]) -> str:
    people = incident.get("assignees")
    first = people[0] if isinstance(people, list) and people else {}
    return digest(
        *(text(incident.get(name)) for name in ("status", "title", "urgency")),
        text(child(incident, "priority").get("summary")),
        text(child({"first": first}, "first").get("id")),
    )


DOOR = Door(
    name=SENDER,
    channel="monitoring",
    path="/webhooks/pagerduty",
    body_bytes_max=BODY_BYTES_MAX,
    looks_signed=_looks_signed,
    refusal=_refusal,
    reply=_reply,
    read=_read,
    recovery=(
        "PagerDuty sends again for 48 hours; what is older cannot be recovered: it cannot be asked"
        " by us."
    ),
    hint="none of the signatures in X-PagerDuty-Signature fits the body and the secret",
)
