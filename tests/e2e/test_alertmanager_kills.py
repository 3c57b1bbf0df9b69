"""A real Alertmanager, and a receiver that is killed in the middle of it: nothing lost or doubled.

Alertmanager sends again what was not answered; what it cannot know any more, after a restart of its
own, is found by asking. What began and ended while nobody heard is told by neither.
"""

from __future__ import annotations

import json
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from connectors.monitoring.alertmanager_api import AlertmanagerApi
from connectors.monitoring.alertmanager_messenger import AlertmanagerMessenger
from tests.e2e.receiver import Receiver, receiver
from tests.e2e.test_alertmanager import TOKEN, Alertmanager, tell, wait_until
from tests.streams.monitored import bugs_of

pytestmark = pytest.mark.timeout(300)
# Each alert is told once and then not again for an hour: nothing is found by mere repetition.
CONFIG = """
route:
  receiver: shop-team
  group_by: [alertname]
  group_wait: 50ms
  group_interval: 300ms
  repeat_interval: 1h
receivers:
  - name: shop-team
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        send_resolved: true
        http_config:
          authorization:
            credentials: {token}
"""
POLL_S = 5
SETTLED_S = 15
"""For ten seconds Alertmanager tries to tell what it has begun to tell, whatever has changed."""
SINCE = datetime.now(UTC) - timedelta(minutes=5)
STEP_ALERTS = 10


def settings(folder: Path, manager_url: str) -> dict[str, Any]:
    return {
        "data_dir": folder / "data",
        "webhook_secrets": {"alertmanager": [TOKEN]},
        "alertmanager": {"url": manager_url, "poll_every_s": POLL_S, "settled_s": SETTLED_S},
        "project": [{"id": "shop", "sources": ["monitoring:alertmanager/shop-team"]}],
    }


def told(place: Receiver) -> dict[str, list[str]]:
    """Return what was told of each instance, in its order."""
    found: dict[str, list[str]] = defaultdict(list)
    for event in place.kept():
        alert = json.loads(event.body or "")["alerts"][0]
        found[alert["labels"]["instance"]].append(alert["status"])
    return dict(found)


def fire(url: str, instances: list[str]) -> None:
    for instance in instances:
        tell(url, instance, starts_at=SINCE)


def end(url: str, instances: list[str]) -> None:
    """End them as Prometheus does, which says each time when it all began."""
    for instance in instances:
        tell(url, instance, starts_at=SINCE, ends_at=datetime.now(UTC))


def named(first: int) -> list[str]:
    return [f"web-{number}" for number in range(first, first + STEP_ALERTS)]


def test_a_receiver_killed_twice_in_the_middle_misses_nothing_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    expected: dict[str, list[str]] = {}

    def begin(url: str, first: int) -> None:
        fire(url, named(first))
        expected.update({instance: ["firing"] for instance in named(first)})

    def over(url: str, instances: list[str]) -> None:
        end(url, instances)
        expected.update({instance: ["firing", "resolved"] for instance in instances})

    manager = Alertmanager(tmp_path, CONFIG)
    with receiver(settings(tmp_path, manager.url)) as place, manager.running(place.url) as url:
        place.start()
        begin(url, 0)
        wait_until(lambda: bool(told(place)))
        place.kill()
        # Down: some that were heard end, and others begin.
        over(url, sorted(told(place))[::2])
        begin(url, STEP_ALERTS)
        place.start()
        begin(url, 2 * STEP_ALERTS)
        wait_until(lambda: len(told(place)) > STEP_ALERTS)
        over(url, [name for name, said in sorted(told(place).items()) if said == ["firing"]][:3])
        place.kill()
        begin(url, 3 * STEP_ALERTS)
        place.start()
        wait_until(lambda: told(place) == expected)
        # Two more rounds of asking find nothing that was not there.
        rounds = place.rounds("alertmanager")
        wait_until(lambda: rounds.have_passed(2))
        inbox = Inbox.open(place.settings.store_url("inbox"))
        bugs = bugs_of(inbox, MemoryBlobs())
        inbox.close()

        assert told(place) == expected

    kinds = [kind for kind, _ in bugs]
    ended = sum(said == ["firing", "resolved"] for said in expected.values())
    assert len(expected) == 4 * STEP_ALERTS
    assert kinds.count("bug.opened") == len(expected)
    assert kinds.count("report.updated") == ended >= 3


def test_what_ended_while_both_were_down_is_closed_by_asking_and_only_by_asking(
    tmp_path: Path,
) -> None:
    manager = Alertmanager(tmp_path, CONFIG)
    with receiver(settings(tmp_path, manager.url)) as place:
        with manager.running(place.url) as url:
            place.start("gateway")
            fire(url, ["forgotten", "lasting"])
            wait_until(lambda: len(told(place)) == 2)
            place.kill()
        # Alertmanager forgets; Prometheus tells it again what lasts, and nothing of what is over.
        with manager.running(place.url) as url:
            fire(url, ["lasting"])
            place.start("gateway")
            fire(url, ["new"])
            wait_until(lambda: "new" in told(place))
            control = told(place)
            place.kill()

            place.start()
            wait_until(lambda: told(place).get("forgotten") == ["firing", "resolved"])
            rounds = place.rounds("alertmanager")
            wait_until(lambda: rounds.have_passed(1))
            asked = told(place)

    assert control["forgotten"] == ["firing"]
    assert asked["forgotten"] == ["firing", "resolved"]
    assert asked["new"] == asked["lasting"] == ["firing"]


def test_an_answer_stands_beside_the_alert_and_does_not_come_back_as_a_report(
    tmp_path: Path,
) -> None:
    key = UUID(int=7)
    manager = Alertmanager(tmp_path, CONFIG)
    with receiver(settings(tmp_path, manager.url)) as place, manager.running(place.url) as url:
        place.start()
        tell(url, "web-a")
        wait_until(lambda: "web-a" in told(place))
        origin = place.kept()[0].origin
        api = AlertmanagerApi(url)
        messenger = AlertmanagerMessenger(api)
        before = messenger.find(origin, key)
        receipts = {messenger.post(origin, "**BUG-2026-7F3K2** is fixed.", key) for _ in range(2)}
        found = messenger.find(origin, key)
        (answer,) = api.alerts('alertname="BugstreamAnswer"')
        api.close()
        # It is told to our own door like any other; what comes after it shows that it was.
        notified = _notifications(url)
        wait_until(lambda: _notifications(url) > notified)
        tell(url, "web-b")
        wait_until(lambda: "web-b" in told(place))
        rounds = place.rounds("alertmanager")
        wait_until(lambda: rounds.have_passed(2))
        instances = sorted(told(place))

    assert before is None
    assert receipts == {found} == {f"alertmanager/{answer['fingerprint']}"}
    assert answer["labels"]["answers"] == origin.item
    assert answer["labels"]["bug"] == "BUG-2026-7F3K2"
    assert instances == ["web-a", "web-b"]


def _notifications(url: str) -> float:
    """Return how many posts to webhooks Alertmanager has made."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    name = 'alertmanager_notifications_total{integration="webhook"}'
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))
