"""What monitoring says, by the door it came through."""

from __future__ import annotations

from processors.channels.monitoring import alerts, otlp, pagerduty, sentry
from processors.channels.parsed import Parsed
from schemas.errors import PoisonError
from schemas.raw import RawReceived


def parse(raw: RawReceived, body: bytes) -> Parsed | None:
    """Return what the delivery says, read as its sender writes."""
    sender, _, kind = raw.route.partition("/")
    match sender:
        case "alertmanager" | "grafana":
            return alerts.parse(sender, body)
        case "sentry":
            return sentry.parse(kind, body)
        case "pagerduty":
            return pagerduty.parse(kind, body)
        case "otlp":
            return otlp.parse(body)
        case _:
            raise PoisonError(f"no parser for the route {raw.route[:80]!r} in this release")
