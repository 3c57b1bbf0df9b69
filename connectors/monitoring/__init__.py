"""The doors of monitoring: machines that say what went wrong, again and again until it is right."""

from __future__ import annotations

from connectors.channel import Door
from connectors.monitoring import alertmanager, grafana, otlp, pagerduty, sentry

DOORS: tuple[Door, ...] = (
    alertmanager.DOOR,
    grafana.DOOR,
    sentry.DOOR,
    pagerduty.DOOR,
    otlp.DOOR,
)
