"""Posts of monitoring senders, made up for these tests in the shapes of their documentation."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from connectors.channel import Delivery, Door, Post

NOW = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)
SECRET = "a-secret-of-the-door"


def hexed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(payload: object, **headers: str) -> Post:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Post({"content-type": "application/json", **named}, body)


def refusal(door: Door, given: Post, *secrets: str) -> str | None:
    return door.refusal(given, secrets or (SECRET,), NOW)


def deliveries(door: Door, given: Post) -> list[Delivery]:
    found = door.read(given)
    assert all(isinstance(one, Delivery) for one in found)
    return [one for one in found if isinstance(one, Delivery)]


def alert(name: str = "HighErrorRate", **changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": name, "severity": "critical", "service": "shop"},
        "annotations": {"summary": "5 % of the answers are errors", "description": "Since noon."},
        "startsAt": "2026-11-26T04:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
        "fingerprint": "5ef77f1f8a3ecfaa",
        **changes,
    }


def group(*alerts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "shop-team",
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(alerts),
        **changes,
    }


def incident(event_type: str = "incident.triggered", **data: Any) -> dict[str, Any]:
    return {
        "event": {
            "id": hexed(json.dumps([event_type, data]).encode())[:26].upper(),
            "event_type": event_type,
            "resource_type": "incident",
            "occurred_at": "2026-11-26T04:00:00.000Z",
            "agent": {"id": "PUSER", "type": "user_reference", "summary": "Ann"},
            "data": {
                "id": "PINC1",
                "type": "incident",
                "html_url": "https://acme.pagerduty.com/incidents/PINC1",
                "number": 7,
                "status": "triggered",
                "title": "Checkout is slow",
                "created_at": "2026-11-26T03:59:00Z",
                "service": {"id": "PSVC", "summary": "Checkout"},
                "assignees": [{"id": "PUSER", "summary": "Ann"}],
                "priority": None,
                "urgency": "high",
                **data,
            },
        }
    }


def note(content: str = "The pool is empty.", **changes: Any) -> dict[str, Any]:
    payload = incident("incident.annotated")
    payload["event"]["data"] = {
        "id": "PNOTE1",
        "type": "incident_note",
        "content": content,
        "incident": {
            "id": "PINC1",
            "html_url": "https://acme.pagerduty.com/incidents/PINC1",
            "summary": "Checkout is slow",
        },
        **changes,
    }
    return payload


def frame(filename: str, line: int, function: str, **more: Any) -> dict[str, Any]:
    return {"filename": filename, "lineno": line, "function": function, "in_app": True, **more}


def sentry_event(platform: str = "python", **changes: Any) -> dict[str, Any]:
    return {
        "event_id": "e1",
        "issue_id": "4711",
        "project": 12,
        "issue_url": "https://sentry.io/api/0/projects/acme/shop/issues/4711/",
        "web_url": "https://sentry.io/organizations/acme/issues/4711/events/e1/",
        "platform": platform,
        "level": "error",
        "title": "ZeroDivisionError: division by zero",
        "culprit": "shop.cart in total",
        "release": "shop@1.2.0",
        "datetime": "2026-11-26T04:00:00.000000Z",
        "tags": [["environment", "production"], ["server_name", "web-1"]],
        "exception": {
            "values": [
                {
                    "type": "ZeroDivisionError",
                    "value": "division by zero",
                    "stacktrace": {
                        "frames": [
                            frame(
                                "django/core/handlers/base.py",
                                197,
                                "_get_response",
                                abs_path="/venv/lib/python3.11/site-packages/django/core/base.py",
                                in_app=False,
                            ),
                            frame("shop/cart.py", 9, "total", context_line="    return a / n"),
                        ]
                    },
                }
            ]
        },
        **changes,
    }


def sentry_issue(**changes: Any) -> dict[str, Any]:
    return {
        "id": "4711",
        "shortId": "SHOP-1",
        "title": "ZeroDivisionError: division by zero",
        "culprit": "shop.cart in total",
        "level": "fatal",
        "status": "unresolved",
        "permalink": "https://acme.sentry.io/issues/4711/",
        "project": {"id": "12", "slug": "shop"},
        "metadata": {"type": "ZeroDivisionError", "value": "division by zero"},
        "count": "1",
        **changes,
    }


def sentry(resource: str, action: str, **data: Any) -> Post:
    payload = {
        "action": action,
        "data": data,
        "actor": {"type": "user", "id": 5, "name": "Ann"},
        "installation": {"uuid": "i-1"},
    }
    return post(payload, sentry_hook_resource=resource, request_id=f"{resource}-{action}")


STACK = """Traceback (most recent call last):
  File "/app/shop/cart.py", line 9, in total
    return a / n
ZeroDivisionError: division by zero
"""


def attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def exception(
    name: str = "ZeroDivisionError", message: str = "division by zero", stack: str = STACK
) -> list[dict[str, Any]]:
    said = {"type": name, "message": message, "stacktrace": stack}
    return [attribute(f"exception.{key}", value) for key, value in said.items()]


def span(number: int = 1, **event: Any) -> dict[str, Any]:
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "POST /checkout",
        "status": {"code": 2},
        "events": [
            {"timeUnixNano": "1764129600000000000", "name": "other", "attributes": []},
            {
                "timeUnixNano": f"17641296000000{number:05d}",
                "name": "exception",
                "attributes": exception(),
                **event,
            },
        ],
    }


def traces(*spans: dict[str, Any], version: str = "1.2.0", service: str = "shop") -> dict[str, Any]:
    resource = [attribute("service.name", service), attribute("service.version", version)]
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": resource},
                "scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}],
            }
        ]
    }


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": [attribute("service.name", "shop")]}
    return {
        "resourceLogs": [
            {"resource": resource, "scopeLogs": [{"scope": {}, "logRecords": list(records)}]}
        ]
    }
