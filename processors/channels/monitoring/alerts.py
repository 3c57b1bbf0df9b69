"""Alertmanager and Grafana: one alert of a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processors.channels.monitoring.reading import (
    child,
    first_known,
    link,
    listed,
    moment,
    objects,
    pairs,
    paragraphs,
    title_of,
    word,
)
from processors.channels.parsed import Parsed, json_object
from schemas.errors import PoisonError

_SEVERITY_LABELS = ("severity", "priority", "level", "criticality")
_SUMMARIES = ("summary", "title", "message")
_DESCRIPTIONS = ("description", "message")


def parse(sender: str, body: bytes) -> Parsed | None:
    """Return what the first alert says; the door gives each alert a body of its own."""
    group = json_object(body, "the body")
    found = objects(group, "alerts")
    if not found:
        raise PoisonError("the body holds no alert: 'alerts' is missing or empty")
    alert = found[0]
    labels, annotations = child(alert, "labels"), child(alert, "annotations")
    severity, reason = first_known((f"label {n!r}", word(labels.get(n))) for n in _SEVERITY_LABELS)
    is_over = alert.get("status") == "resolved"
    began, ended = moment(alert.get("startsAt")), moment(alert.get("endsAt"))
    return Parsed(
        title=title_of(word(labels.get("alertname")), _first(annotations, _SUMMARIES))
        or "Alert without a name",
        text=_text(group, alert, labels, annotations),
        account=f"monitoring:{sender}",
        severity=severity,
        severity_reason=reason,
        closed=is_over,
        url=_url(group, alert),
        created_at=began,
        updated_at=ended if is_over else None,
        environment=pairs(labels),
    )


def _first(annotations: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((said for name in names if (said := word(annotations.get(name)).strip())), "")


def _url(group: Mapping[str, Any], alert: Mapping[str, Any]) -> str | None:
    names = ("panelURL", "dashboardURL", "generatorURL")
    found = next((one for name in names if (one := link(alert.get(name)))), None)
    return found or link(group.get("externalURL"))


def _text(
    group: Mapping[str, Any],
    alert: Mapping[str, Any],
    labels: Mapping[str, object],
    annotations: Mapping[str, object],
) -> str:
    description = _first(annotations, _DESCRIPTIONS)
    shown = {*_DESCRIPTIONS, "summary"} if description else {"summary"}
    others = [(name, value) for name, value in pairs(annotations) if name not in shown]
    cut = group.get("truncatedAlerts")
    left_out = cut if isinstance(cut, int) and cut > 0 else 0
    return paragraphs(
        description,
        _state(alert),
        f"Labels:\n{listed(pairs(labels))}" if labels else "",
        f"Annotations:\n{listed(others)}" if others else "",
        f"Values: {word(alert.get('valueString'))[:1000]}" if alert.get("valueString") else "",
        f"{left_out} more alerts of this group were left out by the sender." if left_out else "",
    )


def _state(alert: Mapping[str, Any]) -> str:
    """Return since when it fires: firing again is news, and says so by its time."""
    began, ended = moment(alert.get("startsAt")), moment(alert.get("endsAt"))
    since = f" since {began}" if began else ""
    if alert.get("status") == "resolved":
        return f"Resolved{f' at {ended}' if ended else ''}; it was firing{since}."
    return f"Firing{since}."
