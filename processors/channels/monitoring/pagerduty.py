"""PagerDuty: an incident, or a note on one."""

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
from schemas.reports import Severity

# Their scale begins at P1, ours at P0.
_PRIORITIES = {"p1": Severity.CRITICAL, "p2": Severity.HIGH, "p3": Severity.MEDIUM}
_NOTES = ("incident.annotated", "incident.status_update_published")


def parse(kind: str, body: bytes) -> Parsed | None:
    """Return what the event says of an incident."""
    event = json_object(json_object(body, "the body").get("event"), "'event'")
    data = json_object(event.get("data"), "'event.data'")
    name = word(event.get("event_type")) or kind
    if name in _NOTES:
        return _note(event, data)
    if data.get("type") not in (None, "incident"):
        return None
    severity, reason = _severity(data)
    service = word(child(data, "service").get("summary"))
    people = objects(data, "assignees")
    status = word(data.get("status"))
    return Parsed(
        title=title_of(word(data.get("title"))) or "Incident without a title",
        text=paragraphs(
            word(data.get("title")),
            word(data.get("description")),
            listed(_facts(data, service)),
        ),
        account="monitoring:pagerduty",
        severity=severity,
        severity_reason=reason,
        closed=status == "resolved",
        assignee=word(people[0].get("summary")) or None if people else None,
        url=link(data.get("html_url")),
        created_at=moment(data.get("created_at")),
        updated_at=moment(event.get("occurred_at")),
        environment=(("service", service),) if service else (),
    )


def _facts(data: Mapping[str, Any], service: str) -> tuple[tuple[str, str], ...]:
    return pairs(
        {
            "Service": service,
            "Status": data.get("status"),
            "Urgency": data.get("urgency"),
            "Priority": child(data, "priority").get("summary"),
            "Incident": data.get("number"),
            "Key": data.get("incident_key"),
            "Resolved because": data.get("resolve_reason"),
        }
    )


def _severity(data: Mapping[str, Any]) -> tuple[Severity, str]:
    """Return what people made of it (the priority), else how loudly it rings (the urgency)."""
    priority = word(child(data, "priority").get("summary"))
    if (found := _PRIORITIES.get(priority.strip().casefold())) is not None:
        return found, f"priority says {priority.strip()!r}"
    urgency = word(data.get("urgency"))
    return first_known([("priority", priority), ("urgency", urgency)])


def _note(event: Mapping[str, Any], data: Mapping[str, Any]) -> Parsed:
    who = word(child(event, "agent").get("id"))
    incident = child(data, "incident")
    return Parsed(
        title=title_of(word(incident.get("summary"))),
        text=word(data.get("content")) or word(data.get("message")),
        account=f"monitoring:pagerduty:{who}" if who else "monitoring:pagerduty",
        url=link(incident.get("html_url")),
        created_at=moment(event.get("occurred_at")),
        comment=True,
    )
