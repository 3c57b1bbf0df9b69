"""OpenTelemetry: an exception of a span or of a log record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processors.channels.monitoring.reading import (
    child,
    fenced,
    listed,
    nanoseconds,
    objects,
    pairs,
    paragraphs,
    title_of,
    word,
)
from processors.channels.parsed import Parsed, json_object
from schemas.errors import PoisonError
from schemas.reports import Severity

_ENVIRONMENT = (
    "service.name",
    "service.namespace",
    "service.version",
    "deployment.environment",
    "deployment.environment.name",
    "telemetry.sdk.language",
    "process.runtime.version",
    "host.name",
)
_ERROR_CODES = (2, "2", "STATUS_CODE_ERROR")


def parse(body: bytes) -> Parsed | None:
    """Return what the one exception in `body` says; the door gives each a body of its own."""
    payload = json_object(body, "the body")
    resource, holder, event = _one(payload)
    said, where = _attributes(event), _attributes(resource)
    name, message = said.get("exception.type", ""), said.get("exception.message", "")
    severity, reason = _severity(holder, event, said)
    count = payload.get("occurrences")
    time = event.get("timeUnixNano") or event.get("observedTimeUnixNano")
    often = f"It came {count} times in one delivery." if _is_several(count) else ""
    return Parsed(
        title=title_of(name, message.partition("\n")[0]) or "Exception without a name",
        text=paragraphs(
            message,
            _body(event),
            often,
            fenced(said.get("exception.stacktrace", "")),
            listed(_facts(holder, where)),
        ),
        account="monitoring:otlp",
        severity=severity,
        severity_reason=reason,
        created_at=nanoseconds(time),
        environment=pairs({key: where[key] for key in _ENVIRONMENT if key in where}),
    )


def _is_several(count: object) -> bool:
    return isinstance(count, int) and not isinstance(count, bool) and count > 1


def _one(payload: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the resource, the span or record, and what holds the exception. Raises."""
    for spans in objects(payload, "resourceSpans"):
        for scope in objects(spans, "scopeSpans"):
            for span in objects(scope, "spans"):
                for event in objects(span, "events"):
                    return child(spans, "resource"), span, event
    for logs in objects(payload, "resourceLogs"):
        for scope in objects(logs, "scopeLogs"):
            for record in objects(scope, "logRecords"):
                return child(logs, "resource"), record, record
    raise PoisonError("the body holds neither a span's event nor a log record")


def _attributes(holder: Mapping[str, Any]) -> dict[str, str]:
    return {
        word(one.get("key")): next(
            (v for raw in child(one, "value").values() if (v := word(raw))), ""
        )
        for one in objects(holder, "attributes")
    }


def _body(event: Mapping[str, Any]) -> str:
    return word(child(event, "body").get("stringValue"))


def _facts(holder: Mapping[str, Any], where: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return pairs(
        {
            "Service": where.get("service.name"),
            "Version": where.get("service.version"),
            "Span": holder.get("name"),
            "Trace": holder.get("traceId"),
        }
    )


def _severity(
    holder: Mapping[str, Any], event: Mapping[str, Any], said: Mapping[str, str]
) -> tuple[Severity, str]:
    number = event.get("severityNumber")
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        steps = ((21, Severity.CRITICAL), (17, Severity.HIGH), (13, Severity.MEDIUM))
        found = next((level for least, level in steps if number >= least), Severity.LOW)
        return found, f"the log record has the severity number {number}"
    if said.get("exception.escaped", "").casefold() == "true":
        return Severity.HIGH, "the exception left its span"
    if child(holder, "status").get("code") in _ERROR_CODES:
        return Severity.HIGH, "the span ended in error"
    return Severity.UNKNOWN, ""
