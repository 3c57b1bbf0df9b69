"""Asks Alertmanager what fires: for alerts whose webhook never came, and for those that are over.

It tells only what fires now. An alert that fires according to the inbox, and is not among them, is
over: when it ended nobody knows any more, and nothing is said of that.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.channel import Delivery, child, objects, text
from connectors.monitoring.alertmanager import DOOR
from connectors.monitoring.alertmanager_api import AlertmanagerApi
from connectors.monitoring.groups import alert_delivery, is_ours
from connectors.monitoring.kept_alerts import Kept, resolved
from connectors.poll_window import Now, end_at, utc_now
from connectors.poller import Batch, Cursor

_KEPT = ("labels", "annotations", "startsAt", "generatorURL", "fingerprint")
"""Of an alert. When it was last updated changes with every look."""


class Newest(Protocol):
    """What the inbox holds of alerts."""

    def newest(self) -> dict[str, Kept]:
        """Return the newest news of each, by its entity."""

    def close(self) -> None:
        """Let connections go."""


class AlertmanagerPoller:
    """A `Poller` for the alerts that belong to sources of ours."""

    route = DOOR.name

    def __init__(
        self,
        api: AlertmanagerApi,
        kept: Newest,
        is_wanted: Callable[[str], bool],
        *,
        every_s: float,
        settled_s: float,
        now: Now = utc_now,
    ) -> None:
        """`is_wanted` says of a container, such as `alertmanager/shop-team`, whether it is ours.

        Of the other receivers nothing is asked: a pager's alerts were never meant for us.

        What is gone for `settled_s` is over, not before. An Alertmanager that has just started does
        not know yet what fires; and what it tried to tell us while we were down comes late, and
        would open again what we had closed.
        """
        self._api = api
        self._kept = kept
        self._is_wanted = is_wanted
        self._settled_s = settled_s
        self._now = now
        self._gone_since: dict[str, datetime] = {}
        self.name = "alertmanager"
        self.every_s = every_s

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield, in one batch, what the inbox does not know."""
        del cursor  # All that fires is there each time.
        began = self._now()
        # The inbox first: what comes in while we ask is newer than the answer.
        kept = self._kept.newest()
        runs_since = self._api.runs_since() or began
        alerts = self._api.alerts()
        found = [one for alert in alerts for one in self._firing(alert, kept)]
        there = {text(alert.get("fingerprint")) for alert in alerts}
        gone = {name: one for name, one in kept.items() if self._is_gone(one, there)}
        self._gone_since = {
            name: max(self._gone_since.get(name, began), runs_since) for name in gone
        }
        edge = began - timedelta(seconds=self._settled_s)
        found += [_over(one) for name, one in gone.items() if self._gone_since[name] <= edge]
        yield Batch(found, end_at(began))

    def _firing(self, alert: dict[str, Any], kept: dict[str, Kept]) -> Iterator[Delivery]:
        # Silenced ones are told to nobody, so neither to us; one that is not yet processed waits.
        if child(alert, "status").get("state") != "active" or is_ours(alert):
            return
        part = {name: alert[name] for name in _KEPT if name in alert} | {"status": "firing"}
        for receiver in objects(alert, "receivers"):
            shared = {"receiver": text(receiver.get("name")), "status": "firing"}
            one = alert_delivery(DOOR.name, shared, part)
            known = kept.get(one.entity)
            is_news = known is None or known.meaning != one.meaning
            if is_news and self._is_wanted(one.origin.container):
                yield one

    def _is_gone(self, known: Kept, there: set[str]) -> bool:
        if not known.is_firing or not self._is_wanted(known.container):
            return False
        fingerprint = text(objects(known.body, "alerts")[0].get("fingerprint"))
        return bool(fingerprint) and fingerprint not in there

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait until `seconds` are over, or `stop`."""
        stop.wait(seconds)

    def close(self) -> None:
        """Let connections go."""
        self._api.close()
        self._kept.close()


def _over(known: Kept) -> Delivery:
    said = resolved(known.body)
    one = alert_delivery(DOOR.name, said, said["alerts"][0])
    return replace(one, body=json.dumps(said, sort_keys=True).encode())
