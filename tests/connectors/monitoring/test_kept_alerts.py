"""What the inbox believes of alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from connectors.monitoring.alertmanager import DOOR
from connectors.monitoring.kept_alerts import KeptAlerts, resolved
from streams.receiving import accept, inbound_of
from tests.connectors.monitoring.posts import alert, deliveries, group, post

KEY = "monitoring:alertmanager/shop-team#5ef77f1f8a3ecfaa"


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    inbox = Inbox.open(tmp_path / "inbox.sqlite")
    yield inbox
    inbox.close()


def tell(inbox: Inbox, *alerts: dict[str, Any], route: str = "alertmanager") -> None:
    for one in deliveries(DOOR, post(group(*alerts))):
        accept(inbox, MemoryBlobs(), inbound_of(one, route=route))


def kept(tmp_path: Path) -> KeptAlerts:
    return KeptAlerts(f"sqlite:///{tmp_path / 'inbox.sqlite'}", route="alertmanager")


def test_of_each_alert_the_newest_news_counts(inbox: Inbox, tmp_path: Path) -> None:
    tell(inbox, alert(), alert(fingerprint="f2"))
    tell(inbox, alert(annotations={"summary": "again"}))
    tell(inbox, alert(status="resolved"))
    tell(inbox, alert(fingerprint="f3"), route="grafana")
    found = kept(tmp_path).newest()

    assert {name.partition("#")[2]: one.is_firing for name, one in found.items()} == {
        "5ef77f1f8a3ecfaa": False,
        "f2": True,
    }
    assert found[KEY].container == "alertmanager/shop-team"
    assert found[KEY].meaning == deliveries(DOOR, post(group(alert(status="resolved"))))[0].meaning


def test_an_empty_inbox_holds_none_and_a_body_that_is_elsewhere_is_not_guessed(
    inbox: Inbox, tmp_path: Path
) -> None:
    assert kept(tmp_path).newest() == {}
    tell(inbox, alert(annotations={"summary": "x" * 60_000}))

    reading = kept(tmp_path)
    assert [one.is_firing for one in reading.newest().values()] == [False]
    reading.close()


def test_what_is_over_says_so_and_not_when() -> None:
    body = json.loads(deliveries(DOOR, post(group(alert())))[0].body or b"")
    over = resolved(body)["alerts"][0]

    assert over == {k: v for k, v in alert(status="resolved").items() if k != "endsAt"}
    assert body["alerts"][0]["status"] == "firing"
