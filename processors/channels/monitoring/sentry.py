"""Sentry: an issue, an event in one, an alert on a metric, or a comment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processors.channels.monitoring.frames import trace_of
from processors.channels.monitoring.reading import (
    child,
    fenced,
    link,
    listed,
    moment,
    pairs,
    paragraphs,
    severity_named,
    title_of,
    word,
)
from processors.channels.parsed import Parsed, json_object
from schemas.errors import PoisonError

_ACCOUNT = "monitoring:sentry"
_TAGS = ("release", "environment", "platform", "server_name", "runtime", "os", "browser", "url")
_CLOSED = ("resolved", "ignored", "archived")


def parse(kind: str, body: bytes) -> Parsed | None:
    """Return what the delivery says, by its resource."""
    payload = json_object(body, "the body")
    data = json_object(payload.get("data"), "'data'")
    match kind:
        case "issue":
            return _issue(json_object(data.get("issue"), "'issue'"))
        case "error":
            return _event(json_object(data.get("error"), "'error'"))
        case "event_alert":
            return _event(json_object(data.get("event"), "'event'"))
        case "metric_alert":
            return _metric(payload, data)
        case "comment":
            return _comment(payload, data)
        case _:
            raise PoisonError(f"no parser for Sentry's resource {kind[:40]!r} in this release")


def _issue(issue: Mapping[str, Any]) -> Parsed:
    metadata = child(issue, "metadata")
    severity, reason = severity_named("Sentry's level", word(issue.get("level")))
    return Parsed(
        title=title_of(word(issue.get("title")) or _named(metadata)) or "Issue without a title",
        text=paragraphs(_named(metadata), listed(_facts(issue, metadata))),
        account=_ACCOUNT,
        severity=severity,
        severity_reason=reason,
        closed=word(issue.get("status")) in _CLOSED,
        assignee=word(child(issue, "assignedTo").get("name")) or None,
        url=link(issue.get("permalink")) or link(issue.get("web_url")),
        created_at=moment(issue.get("firstSeen")),
        updated_at=moment(issue.get("lastSeen")),
        environment=pairs({"platform": issue.get("platform")}),
    )


def _named(metadata: Mapping[str, Any]) -> str:
    return title_of(word(metadata.get("type")), word(metadata.get("value")))


def _facts(said: Mapping[str, Any], metadata: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return pairs(
        {
            "Issue": said.get("shortId"),
            "Culprit": said.get("culprit"),
            "File": metadata.get("filename"),
            "Function": metadata.get("function"),
            "Status": said.get("status"),
        }
    )


def _event(event: Mapping[str, Any]) -> Parsed:
    metadata = child(event, "metadata")
    severity, reason = severity_named("Sentry's level", word(event.get("level")))
    trace = trace_of(event)
    title = word(event.get("title")) or _named(metadata) or word(event.get("message"))
    return Parsed(
        title=title_of(title) or "Event without a title",
        text=paragraphs(
            word(event.get("message")) or _named(metadata),
            fenced(trace),
            listed(_facts(event, metadata)),
        ),
        account=_ACCOUNT,
        severity=severity,
        severity_reason=reason,
        url=link(event.get("web_url")),
        created_at=moment(event.get("datetime")),
        environment=_environment(event),
    )


def _environment(event: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what it ran on; who used it is nobody's business here."""
    tags = event.get("tags")
    said = {
        word(tag[0]): word(tag[1])
        for tag in (tags if isinstance(tags, list) else ())
        if isinstance(tag, list) and len(tag) == 2
    }
    return pairs({name: word(event.get(name)) or said.get(name) for name in _TAGS})


def _metric(payload: Mapping[str, Any], data: Mapping[str, Any]) -> Parsed:
    alert = json_object(data.get("metric_alert"), "'metric_alert'")
    action = word(payload.get("action"))
    rule = child(alert, "alert_rule")
    is_over = action == "resolved"
    # Resolved says how it is now; how bad it was, the delivery before said.
    severity, reason = severity_named("the alert", "" if is_over else action)
    name = word(alert.get("title")) or word(rule.get("name"))
    began = moment(alert.get("date_started"))
    return Parsed(
        title=title_of(name or word(data.get("description_title"))) or "Alert without a name",
        text=paragraphs(
            word(data.get("description_text")),
            listed(pairs({"State": action, "Since": began, "Rule": rule.get("name")})),
            listed(pairs({"Query": rule.get("query"), "Aggregate": rule.get("aggregate")})),
        ),
        account=_ACCOUNT,
        severity=severity,
        severity_reason=reason,
        closed=is_over,
        url=link(data.get("web_url")),
        created_at=began,
        updated_at=moment(alert.get("date_closed")),
    )


def _comment(payload: Mapping[str, Any], data: Mapping[str, Any]) -> Parsed:
    who = word(child(payload, "actor").get("id"))
    return Parsed(
        title="",
        text=word(data.get("comment")),
        account=f"{_ACCOUNT}:{who}" if who else _ACCOUNT,
        created_at=moment(data.get("timestamp")),
        comment=True,
    )
