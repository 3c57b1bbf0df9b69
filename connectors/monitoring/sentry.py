"""Sentry's integration platform: signed with the client's secret, answered within a second.

One issue is one item, whether Sentry tells of the issue, of an event in it, or of a comment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.channel import (
    NAME_CHARS_MAX,
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

SENDER = "sentry"
RESOURCES = ("issue", "error", "event_alert", "metric_alert", "comment")
ACTIONS_PASSED_OVER = ("assigned", "deleted")
"""They change nothing that the report says."""
_SIGNATURES = ("sentry-hook-signature", "sentry-app-signature")
_SLUG = re.compile(r"https?://[^/\s]{1,200}/api/0/projects/[^/\s]{1,100}/(?P<slug>[\w-]{1,100})/")


def _looks_signed(headers: Mapping[str, str]) -> bool:
    return any(name in headers for name in _SIGNATURES)


def _refusal(post: Post, secrets: Sequence[str], now: datetime) -> str | None:
    del now  # The time Sentry sends is not signed.
    # Sentry signs some requests without a body as if the body were an empty object.
    bodies = (post.body,) if post.body else (b"", b"{}")
    given = [post.headers.get(name, "").strip() for name in _SIGNATURES]
    fits = [is_hex_hmac(body, one, secrets) for body in bodies for one in given]
    return None if any(fits) else "signature"


def _resource(post: Post) -> str:
    return post.headers.get("sentry-hook-resource", "").strip()


def _reply(post: Post) -> Reply | None:
    """Answer what is not kept: no body, an installation, a resource of no interest."""
    name = _resource(post)
    if post.body and (not name or name in RESOURCES):
        return None
    return Reply(200, {"status": "ignored", "resource": name[:100]})


def _read(post: Post) -> tuple[Delivery, ...]:
    payload = parsed(post.body)
    data = child(payload, "data")
    kind = _resource(post) or _guessed(data)
    if kind is None and "installation" in data:
        return ()
    if kind is not None and text(payload.get("action")) in ACTIONS_PASSED_OVER:
        return ()
    request = post.headers.get("request-id", "")[:NAME_CHARS_MAX]
    found = None if kind is None else _delivery(kind, payload, data, request)
    return (found or unreadable(SENDER, post, kind=kind or ""),)


def issue_delivery(issue: dict[str, Any], *, told_as: str) -> Delivery | None:
    """Return what an issue says that was asked for; None where it is none.

    It has the entity and the meaning that the webhook of the same state has.
    """
    data = {"issue": issue}
    return _delivery("issue", {"data": data}, data, told_as)


def _guessed(data: dict[str, Any]) -> str | None:
    """Return the resource by what the payload holds; a proxy may have taken the header away."""
    named = {"metric_alert": "metric_alert", "issue": "issue", "error": "error"}
    named |= {"event": "event_alert", "comment": "comment"}
    return next((resource for name, resource in named.items() if name in data), None)


def _delivery(
    kind: str, payload: dict[str, Any], data: dict[str, Any], request: str
) -> Delivery | None:
    said = child(data, {"event_alert": "event"}.get(kind, kind)) if kind != "comment" else data
    number = plain(said.get("id" if kind in ("issue", "metric_alert") else "issue_id"))
    if number is None:
        return None
    origin = Origin(
        channel="monitoring",
        container=place(SENDER, _project(kind, said, payload)),
        item=f"metric/{number}" if kind == "metric_alert" else number,
        url=url(said.get("permalink")) or url(said.get("web_url")) or url(data.get("web_url")),
    )
    who = plain(child(payload, "actor").get("id")) if kind == "comment" else None
    writer = account(f"{SENDER}:{who}" if who else SENDER)
    action = text(payload.get("action"))
    entity, meaning = _meaning(kind, action, said)
    return Delivery(
        origin=origin,
        delivery_id=digest(kind, origin.key, action, request, text(said.get("event_id"))),
        sender=writer,
        author=writer,
        entity=f"{origin.key}{entity}",
        meaning=meaning,
        kind=kind,
    )


def _meaning(kind: str, action: str, said: dict[str, Any]) -> tuple[str, str]:
    """Return what is spoken of within the item, and what is said of it."""
    if kind == "comment":
        return f"/comment/{plain(said.get('comment_id'))}", digest(text(said.get("comment")))
    if kind == "metric_alert":
        return "", digest(action, text(said.get("date_started")))
    if kind == "issue":
        return "", digest(*(text(said.get(n)) for n in ("status", "substatus", "title", "level")))
    # Every event of an issue may come in: a thousand say what the first one said, until a release.
    release = digest(text(said.get("release")))[:12]
    return f"/event/{release}", digest("event", text(said.get("level")))


def _project(kind: str, said: dict[str, Any], payload: dict[str, Any]) -> str | None:
    """Return the project's slug; an event says it in its address only."""
    if kind == "metric_alert":
        names = said.get("projects")
        first = names[0] if isinstance(names, list) and names else None
        return text(first) or text(child(payload, "installation", "organization").get("slug"))
    slug = text(child(said, "project").get("slug")) or text(said.get("project_slug"))
    for name in ("issue_url", "url"):
        if not slug and (found := _SLUG.match(text(said.get(name)))):
            slug = found["slug"]
    return slug or None


DOOR = Door(
    name=SENDER,
    channel="monitoring",
    path="/webhooks/sentry",
    looks_signed=_looks_signed,
    refusal=_refusal,
    reply=_reply,
    read=_read,
    recovery=(
        "Issues that were seen are asked for, in projects that are sources. Comments, alerts on"
        " metrics, and decisions about issues not seen since cannot be recovered."
    ),
    hint="Sentry-Hook-Signature does not fit the body and the integration's client secret",
)
