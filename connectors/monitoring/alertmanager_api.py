"""Alertmanager's API, version 2: the alerts it has, since when it runs, and an alert of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx2

from connectors.channel import text
from connectors.http_caller import Answer, Caller
from connectors.poll_window import moment
from schemas.errors import PoisonError, TransientError

_REFUSED = frozenset({401, 403, 404})


class AlertmanagerApi:
    """One Alertmanager, or one cluster behind one URL."""

    def __init__(
        self, url: str, *, token: str = "", transport: httpx2.BaseTransport | None = None
    ) -> None:
        """`token` is a bearer token, for a proxy that wants one."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._caller = Caller("Alertmanager", url, headers, transport=transport)

    def alerts(self, matcher: str = "") -> list[dict[str, Any]]:
        """Return what fires now, silenced or not, such as by `severity="info"`; all without one.

        Raises `TransientError` when it cannot be asked.
        """
        params = {"filter": matcher} if matcher else {}
        answer = self._caller.call("GET", "api/v2/alerts", params=params)
        _require_ok(answer)
        if not isinstance(answer.value, list):
            raise TransientError("Alertmanager's answer is no list of alerts")
        return [one for one in answer.value if isinstance(one, dict)]

    def runs_since(self) -> datetime | None:
        """Return since when it runs: of what was before, it may know nothing."""
        answer = self._caller.call("GET", "api/v2/status")
        _require_ok(answer)
        said = answer.value if isinstance(answer.value, dict) else {}
        return moment(text(said.get("uptime")))

    def fire(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Make `alerts`. Those with the same labels as another one are that one."""
        answer = self._caller.call("POST", "api/v2/alerts", body=[dict(one) for one in alerts])
        _require_ok(answer)

    def close(self) -> None:
        """Let the connections go."""
        self._caller.close()


def _require_ok(answer: Answer) -> None:
    if answer.status in _REFUSED:
        raise TransientError(
            f"Alertmanager answered {answer.status}: correct alertmanager.url and .token"
        )
    if not answer.is_ok:
        raise PoisonError(f"Alertmanager refused the call with {answer.status}")
