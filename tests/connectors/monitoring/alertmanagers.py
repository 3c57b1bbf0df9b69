"""An Alertmanager in memory, as far as we use it; the real one is in tests/e2e."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@dataclass
class FakeAlertmanager:
    """Keeps alerts by their labels. `faults` are answered first, each once."""

    runs_since: datetime = NOW - timedelta(days=3)
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[httpx2.Response] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._handle)

    def fire(self, *receivers: str, state: str = "active", **labels: str) -> dict[str, Any]:
        """Let an alert fire, and return it as the API does."""
        named = {"alertname": "HighErrorRate", "severity": "critical", **labels}
        alert = {
            "labels": named,
            "annotations": {"summary": "5 % of the answers are errors"},
            "startsAt": "2026-11-26T04:00:00.123Z",
            "endsAt": "2026-11-26T12:04:00.000Z",
            "updatedAt": f"2026-11-26T12:00:00.{len(self.calls):03d}Z",
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
            "fingerprint": fingerprint(named),
            "receivers": [{"name": name} for name in receivers or ("shop-team",)],
            "status": {"state": state, "silencedBy": [], "inhibitedBy": []},
        }
        self.alerts[fingerprint(named)] = alert
        return alert

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append(f"{request.method} {request.url.path}")
        if self.faults:
            return self.faults.pop(0)
        if request.url.path.endswith("/status"):
            return httpx2.Response(200, json={"uptime": self.runs_since.isoformat()})
        if request.method == "POST":
            for posted in json.loads(request.content):
                mark = fingerprint(posted["labels"])
                more = {"fingerprint": mark, "receivers": [], "status": {"state": "unprocessed"}}
                self.alerts.setdefault(mark, posted | more)
            return httpx2.Response(200)
        wanted = request.url.params.get("filter")
        found = [one for one in self.alerts.values() if wanted is None or _fits(one, wanted)]
        return httpx2.Response(200, json=found)


def fingerprint(labels: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def _fits(alert: dict[str, Any], matcher: str) -> bool:
    name, _, value = matcher.partition("=")
    return bool(alert["labels"].get(name) == json.loads(value))
