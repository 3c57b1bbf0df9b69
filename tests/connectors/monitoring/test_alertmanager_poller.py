"""What is asked of Alertmanager means what its webhook would have said, and comes in once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.blobs import MemoryBlobs
from connectors.channel import Delivery
from connectors.inbox import Inbox
from connectors.monitoring.alertmanager import DOOR
from connectors.monitoring.alertmanager_api import AlertmanagerApi
from connectors.monitoring.alertmanager_poller import AlertmanagerPoller, Newest
from connectors.monitoring.kept_alerts import Kept, KeptAlerts
from connectors.poll_cursors import PollCursors
from streams.polling import Polling
from streams.receiving import accept, inbound_of
from tests.connectors.monitoring.alertmanagers import NOW, FakeAlertmanager
from tests.connectors.monitoring.posts import deliveries, group, post
from tests.streams.monitored import bugs_of, kept

SETTLED_S = 600.0


@dataclass
class Nothing:
    """An inbox that holds what it is told."""

    rows: dict[str, Kept] = field(default_factory=dict)

    def newest(self) -> dict[str, Kept]:
        return self.rows

    def close(self) -> None:
        """Nothing is open."""


def poller(
    fake: FakeAlertmanager, known: Newest, now: Callable[[], datetime] = lambda: NOW
) -> AlertmanagerPoller:
    api = AlertmanagerApi("http://am.example", transport=fake.transport)
    wanted = {"alertmanager/shop-team", "alertmanager/billing"}
    return AlertmanagerPoller(
        api, known, wanted.__contains__, every_s=60, settled_s=SETTLED_S, now=now
    )


def found(fake: FakeAlertmanager) -> list[Delivery]:
    return [one for batch in poller(fake, Nothing()).poll(None) for one in batch.items]


def webhook(alert: dict[str, Any], *, status: str = "firing") -> dict[str, Any]:
    """Return the alert as a webhook has it: with nanoseconds, and an end that is not set."""
    return {
        **{name: alert[name] for name in ("labels", "annotations", "generatorURL", "fingerprint")},
        "status": status,
        "startsAt": alert["startsAt"].replace("Z", "456789Z"),
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-11-26T05:00:00Z",
    }


@dataclass
class Place:
    """An Alertmanager, an inbox, and the worker that asks."""

    fake: FakeAlertmanager
    inbox: Inbox
    blobs: MemoryBlobs
    asking: AlertmanagerPoller
    clock: list[datetime]

    def later(self, seconds: float = SETTLED_S) -> None:
        self.clock.append(self.clock[-1] + timedelta(seconds=seconds))

    def hears(self, alert: dict[str, Any], status: str = "firing") -> None:
        for one in deliveries(DOOR, post(group(webhook(alert, status=status)))):
            accept(self.inbox, self.blobs, inbound_of(one, route="alertmanager"))

    def round(self) -> None:
        cursors = PollCursors(self.inbox.engine)
        assert Polling([self.asking], self.inbox, self.blobs, cursors).round(self.asking) is None

    def told(self) -> list[tuple[str, str]]:
        bodies = [json.loads(event.body or "")["alerts"][0] for event in kept(self.inbox)]
        return [(body["labels"]["instance"], body["status"]) for body in bodies]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    fake, path = FakeAlertmanager(), tmp_path / "inbox.sqlite"
    inbox = Inbox.open(path)
    clock = [NOW]
    known = KeptAlerts(f"sqlite:///{path}", route="alertmanager")
    asking = poller(fake, known, lambda: clock[-1])
    yield Place(fake, inbox, MemoryBlobs(), asking, clock)
    asking.close()
    inbox.close()


@given(
    labels=st.dictionaries(st.sampled_from("abc"), st.text(max_size=5), max_size=3),
    source=st.sampled_from(["", "billing"]),
    millis=st.integers(0, 999),
)
def test_pulled_and_pushed_the_same_alert_means_the_same(
    labels: dict[str, str], source: str, millis: int
) -> None:
    fake = FakeAlertmanager()
    alert = fake.fire(**labels, **({"bugstream": source} if source else {}))
    alert["startsAt"] = f"2026-11-26T04:00:00.{millis:03d}Z"
    pushed = deliveries(DOOR, post(group(webhook(alert))))

    assert [
        (one.origin, one.kind, one.entity, one.meaning, one.author, one.sender) for one in pushed
    ] == [
        (one.origin, one.kind, one.entity, one.meaning, one.author, one.sender)
        for one in found(fake)
    ]


def test_a_lost_alert_is_found_and_one_that_was_told_is_not_told_again(place: Place) -> None:
    place.hears(place.fake.fire(instance="told"))
    place.fake.fire(instance="lost")
    for _ in range(3):
        place.round()

    assert place.told() == [("told", "firing"), ("lost", "firing")]
    assert len(place.inbox.rows()) == 2


def test_what_the_inbox_believes_to_fire_and_is_gone_is_over_once(place: Place) -> None:
    alert = place.fake.fire(instance="a")
    place.hears(alert)
    place.fake.fire(instance="b")
    place.round()
    place.fake.alerts.clear()
    for _ in range(3):
        place.round()
        place.later()
    place.hears(alert, "resolved")  # Late, and no news any more.
    bugs = bugs_of(place.inbox, place.blobs)

    assert place.told()[:2] == [("a", "firing"), ("b", "firing")]
    assert sorted(place.told()[2:]) == [("a", "resolved"), ("b", "resolved")]
    kinds = ["bug.opened", "bug.opened", "link.suggested", "report.updated", "report.updated"]
    assert [kind for kind, _ in bugs] == kinds
    states = [report.status for kind, report in bugs if kind != "link.suggested"]
    assert states == ["open", "open", "closed", "closed"]
    assert {report.title for _, report in bugs} == {"HighErrorRate: 5 % of the answers are errors"}


def test_an_alert_that_fires_again_is_news(place: Place) -> None:
    alert = place.fake.fire(instance="a")
    place.round()
    place.fake.alerts.clear()
    place.round()
    place.later()
    place.round()
    place.fake.alerts["again"] = alert | {"startsAt": "2026-11-26T11:00:00.000Z"}
    place.round()

    assert place.told() == [("a", "firing"), ("a", "resolved"), ("a", "firing")]


def test_an_alertmanager_that_just_started_has_forgotten_and_closes_nothing(place: Place) -> None:
    place.fake.fire(instance="a")
    place.round()
    place.fake.alerts.clear()
    place.round()
    place.later(500)
    place.fake.runs_since = place.clock[-1] - timedelta(minutes=1)
    place.round()
    place.later(SETTLED_S - 61)
    place.round()
    assert place.told() == [("a", "firing")]

    place.later(2)
    place.round()
    assert place.told() == [("a", "firing"), ("a", "resolved")]


def test_what_comes_late_of_an_alert_that_is_over_opens_nothing_again(place: Place) -> None:
    """Alertmanager goes on for a while to tell what it wanted to tell while we were down."""
    alert = place.fake.fire(instance="a")
    place.hears(alert)
    place.fake.alerts.clear()
    place.round()
    place.hears(alert)
    place.later(SETTLED_S - 1)
    place.round()
    place.hears(alert, "resolved")
    place.later()
    place.round()

    assert place.told() == [("a", "firing"), ("a", "resolved")]


def test_one_that_is_there_again_was_not_over(place: Place) -> None:
    alert = place.fake.fire(instance="a")
    place.round()
    place.fake.alerts.clear()
    place.round()
    place.fake.alerts["a"] = alert
    place.later(SETTLED_S - 1)
    place.round()
    place.fake.alerts.clear()
    place.later(2)
    place.round()

    assert place.told() == [("a", "firing")]


def test_silenced_ones_are_neither_told_nor_over(place: Place) -> None:
    place.hears(place.fake.fire(instance="a"))
    place.fake.fire(instance="a", state="suppressed")
    place.fake.fire(instance="b", state="suppressed")
    place.fake.fire(instance="c", state="unprocessed")
    place.round()

    assert place.told() == [("a", "firing")]


def test_alerts_of_other_receivers_and_our_own_answers_are_left_alone(place: Place) -> None:
    place.fake.fire("pager", instance="a")
    place.fake.fire("shop-team", instance="b", bugstream_origin="1")
    place.fake.fire("pager", "shop-team", instance="c")
    place.round()

    assert place.told() == [("c", "firing")]
    assert kept(place.inbox)[0].origin.container == "alertmanager/shop-team"
