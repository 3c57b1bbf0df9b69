"""Answers an alert by another one, for people who look at Alertmanager: informational, for a day.

Its labels name the bug and the alert that it answers. Alerts with the same labels are one alert, so
what is posted twice is there once.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from connectors.channel import plain
from connectors.monitoring.alertmanager_api import AlertmanagerApi
from connectors.monitoring.groups import ORIGIN_LABEL
from connectors.poll_window import Now, utc_now
from schemas.errors import PoisonError
from schemas.raw import Origin

ALERT_NAME = "BugstreamAnswer"
SHOWN_S_MAX = 24 * 3600
SUMMARY_CHARS_MAX = 200
TEXT_CHARS_MAX = 4_000
_BUG = re.compile(r"BUG-\d{4}-[0-9A-Z]{5}")
_MARKS = re.compile(r"^[\s#>-]+|[*`]+")
"""Of Markdown, which is shown as it is there."""
_PREFIX = "alertmanager/"


def answers(origin: Origin) -> bool:
    """Return whether an alert of this origin can be answered: only Alertmanager takes alerts."""
    return origin.channel == "monitoring" and origin.container.startswith(_PREFIX)


class AlertmanagerMessenger:
    """A `Messenger` for alerts that came from Alertmanager."""

    def __init__(self, api: AlertmanagerApi, *, now: Now = utc_now) -> None:
        """Answer by `api`."""
        self._api = api
        self._now = now

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of the answer with this key while it is shown.

        Raises `TransientError` when Alertmanager cannot be asked.
        """
        del origin
        for alert in self._api.alerts(f'{ORIGIN_LABEL}="{key}"'):
            return f"{_PREFIX}{plain(alert.get('fingerprint')) or key}"
        return None

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Show `text` for a day, once, and return the receipt.

        Raises `TransientError` when it may work later; `PoisonError` for an origin without answers.
        """
        if not answers(origin):
            raise PoisonError(f"{origin.container[:80]} takes no answers")
        self._api.fire([self._alert(origin, text, key)])
        return self.find(origin, key) or f"{_PREFIX}{key}"

    def _alert(self, origin: Origin, text: str, key: UUID) -> dict[str, Any]:
        now = self._now()
        bug = _BUG.search(text)
        alert = {
            "labels": {
                "alertname": ALERT_NAME,
                "severity": "info",
                **({"bug": bug[0]} if bug else {}),
                "answers": origin.item[:200],
                ORIGIN_LABEL: str(key),
            },
            "annotations": {"summary": _first_line(text), "description": text[:TEXT_CHARS_MAX]},
            # Without its start an alert with an end would begin at that.
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(seconds=SHOWN_S_MAX)).isoformat(),
        }
        return alert | ({"generatorURL": origin.url} if origin.url else {})


def _first_line(text: str) -> str:
    lines = (_MARKS.sub("", line).strip() for line in text.splitlines())
    return next((line for line in lines if line), "An answer")[:SUMMARY_CHARS_MAX]
