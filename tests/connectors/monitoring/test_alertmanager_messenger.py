"""An alert is answered by an informational one, once, that is not heard as a report."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from connectors.monitoring.alertmanager import DOOR
from connectors.monitoring.alertmanager_api import AlertmanagerApi
from connectors.monitoring.alertmanager_messenger import (
    SHOWN_S_MAX,
    TEXT_CHARS_MAX,
    AlertmanagerMessenger,
    answers,
)
from schemas.errors import PoisonError, TransientError
from schemas.raw import Origin
from tests.connectors.monitoring.alertmanagers import NOW, FakeAlertmanager
from tests.connectors.monitoring.posts import alert, deliveries, group, post

ALERT = Origin(
    channel="monitoring",
    container="alertmanager/shop-team",
    item="5ef77f1f8a3ecfaa",
    url="http://prometheus.example/graph",
)
KEY, OTHER = UUID(int=1), UUID(int=2)
TEXT = "**BUG-2026-7F3K2** is fixed.\n\nThe branch is `bugstream/7f3k2`."


def messenger(fake: FakeAlertmanager) -> AlertmanagerMessenger:
    api = AlertmanagerApi("http://am.example", transport=fake.transport)
    return AlertmanagerMessenger(api, now=lambda: NOW)


def test_the_answer_names_its_bug_and_its_alert_and_is_there_once_for_a_day() -> None:
    fake = FakeAlertmanager()
    client = messenger(fake)
    before = client.find(ALERT, KEY)
    receipts = {client.post(ALERT, TEXT, KEY), client.post(ALERT, TEXT, KEY)}
    (made,) = fake.alerts.values()

    assert before is None
    assert receipts == {client.find(ALERT, KEY)} == {f"alertmanager/{made['fingerprint']}"}
    assert client.find(ALERT, OTHER) is None
    assert made["labels"] == {
        "alertname": "BugstreamAnswer",
        "severity": "info",
        "bug": "BUG-2026-7F3K2",
        "answers": "5ef77f1f8a3ecfaa",
        "bugstream_origin": str(KEY),
    }
    assert made["annotations"] == {
        "summary": "BUG-2026-7F3K2 is fixed.",
        "description": TEXT,
    }
    assert made["startsAt"] == NOW.isoformat()
    assert made["endsAt"] == (NOW + timedelta(seconds=SHOWN_S_MAX)).isoformat()
    assert made["generatorURL"] == ALERT.url


def test_our_own_alert_that_comes_back_is_not_heard() -> None:
    fake = FakeAlertmanager()
    messenger(fake).post(ALERT, TEXT, KEY)
    (made,) = fake.alerts.values()
    mine = alert(labels=made["labels"], fingerprint=made["fingerprint"])

    assert deliveries(DOOR, post(group(mine))) == []
    assert [one.origin.item for one in deliveries(DOOR, post(group(mine, alert())))] == [ALERT.item]


def test_a_long_text_is_cut_and_one_without_a_bug_has_no_such_label() -> None:
    fake = FakeAlertmanager()
    messenger(fake).post(ALERT, "x" * 99_999, KEY)
    (made,) = fake.alerts.values()

    assert len(made["annotations"]["description"]) == TEXT_CHARS_MAX
    assert "bug" not in made["labels"]
    assert len(json.dumps(made)) < 6_000


def test_only_alerts_of_alertmanager_are_answered() -> None:
    for sender in ("sentry/shop", "grafana/x", "pagerduty/y", "otlp/z"):
        origin = ALERT.model_copy(update={"container": sender})

        assert not answers(origin)
        with pytest.raises(PoisonError, match="no answers"):
            messenger(FakeAlertmanager()).post(origin, TEXT, KEY)
    assert answers(ALERT)
    assert not answers(ALERT.model_copy(update={"channel": "http"}))


def test_an_alertmanager_that_is_away_is_tried_again() -> None:
    with pytest.raises(TransientError):
        messenger(FakeAlertmanager(faults=[httpx2.Response(503)])).post(ALERT, TEXT, KEY)
