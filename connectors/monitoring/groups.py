"""Groups of alerts, as Alertmanager and Grafana send them: each alert is an item of its own.

A resolved alert arrives inside a group that is still firing, and the whole group comes again
after every `repeat_interval`: neither is news of the other alerts.
"""

from __future__ import annotations

from typing import Any

from connectors.channel import Delivery, Post, digest, objects, parsed, plain, text, url
from connectors.monitoring.parts import (
    ALERTS_MAX,
    account,
    labels_of,
    part_of,
    place,
    unreadable,
)
from connectors.poll_window import moment
from schemas.raw import Origin

SOURCE_LABEL = "bugstream"
"""A label with this name says which source an alert belongs to, in place of its receiver."""
ORIGIN_LABEL = "bugstream_origin"
"""Stands on alerts that we made. Hearing them would be a loop."""


def read_group(sender: str, post: Post) -> tuple[Delivery, ...]:
    """Return one delivery for each alert of the group. Never raises."""
    payload = parsed(post.body)
    if not isinstance(payload.get("alerts"), list):
        return (unreadable(sender, post),)
    alerts = objects(payload, "alerts")
    shared = {name: value for name, value in payload.items() if name != "alerts"}
    if len(alerts) > ALERTS_MAX:
        shared["truncatedAlerts"] = _cut(payload) + len(alerts) - ALERTS_MAX
    return tuple(
        alert_delivery(sender, shared, alert) for alert in alerts[:ALERTS_MAX] if not is_ours(alert)
    )


def is_ours(alert: dict[str, Any]) -> bool:
    """Return whether we made this alert, as an answer to another one."""
    return bool(labels_of(alert).get(ORIGIN_LABEL))


def alert_delivery(sender: str, shared: dict[str, Any], alert: dict[str, Any]) -> Delivery:
    """Return what `alert` says within a group that says `shared` of all its alerts."""
    labels = labels_of(alert)
    origin = Origin(
        channel="monitoring",
        container=place(sender, labels.get(SOURCE_LABEL) or shared.get("receiver")),
        item=_fingerprint(alert, labels),
        url=url(alert.get("generatorURL")),
    )
    status, since = text(alert.get("status")), since_when(alert)
    return Delivery(
        origin=origin,
        delivery_id=digest(text(shared.get("groupKey")), origin.item, since, status),
        sender=account(sender),
        author=account(sender),
        entity=origin.key,
        # The labels are the alert, and annotations quote values that change at each look.
        meaning=digest(status, since),
        body=part_of(shared, alerts=[alert]),
    )


def since_when(alert: dict[str, Any]) -> str:
    """Return when it began, the same however it is written: webhooks write nanoseconds."""
    said = text(alert.get("startsAt"))
    began = moment(said)
    return began.isoformat(timespec="milliseconds") if began else said


def _fingerprint(alert: dict[str, Any], labels: dict[str, str]) -> str:
    """Return what tells the alert from others; without it all alerts would be one."""
    return plain(alert.get("fingerprint")) or digest(labels)[:16]


def _cut(payload: dict[str, Any]) -> int:
    said = payload.get("truncatedAlerts")
    return said if isinstance(said, int) and not isinstance(said, bool) else 0
