"""A group of alerts: each an item of its own, and what is news of it."""

from __future__ import annotations

import json
from typing import Any

from connectors.channel import Delivery
from connectors.monitoring.groups import read_group
from connectors.monitoring.parts import ALERTS_MAX
from tests.connectors.monitoring.posts import alert, group, post


def read(*alerts: dict[str, Any], **changes: Any) -> tuple[Delivery, ...]:
    return read_group("alertmanager", post(group(*alerts, **changes)))


def test_an_alert_is_known_by_its_fingerprint_and_stands_with_its_receiver() -> None:
    (one,) = read(alert())

    assert one.origin.key == "monitoring:alertmanager/shop-team#5ef77f1f8a3ecfaa"
    assert one.origin.url == "http://prometheus.example:9090/graph?g0.expr=up"
    assert one.author == one.sender == "monitoring:alertmanager"


def test_a_label_can_name_the_source_in_place_of_the_receiver() -> None:
    (one,) = read(alert(labels={"alertname": "X", "bugstream": "billing"}))

    assert one.origin.container == "alertmanager/billing"


def test_without_a_fingerprint_the_labels_tell_alerts_apart() -> None:
    here, there, again = read(
        alert(fingerprint="", labels={"instance": "a"}),
        alert(fingerprint="", labels={"instance": "b"}),
        alert(fingerprint=None, labels={"instance": "a"}),
    )

    assert here.origin.item != there.origin.item
    assert here.origin.item == again.origin.item
    assert len(here.origin.item) == 16


def test_each_alert_keeps_only_its_own_part_of_the_post() -> None:
    one, other = read(alert(), alert("DiskFull", fingerprint="f2", status="resolved"))

    assert one.body is not None
    assert other.body is not None
    assert json.loads(one.body) == group(alert())
    assert [a["status"] for a in json.loads(other.body)["alerts"]] == ["resolved"]


def test_an_identical_repeat_is_the_same_delivery_though_the_group_has_changed() -> None:
    (first,) = read(alert())
    again, _ = read(alert(), alert(fingerprint="f2"))

    assert (first.delivery_id, first.meaning) == (again.delivery_id, again.meaning)


def test_other_words_of_the_same_alert_are_no_news() -> None:
    (first,) = read(alert())
    (again,) = read(alert(annotations={"summary": "6 % of the answers are errors"}))

    assert (first.entity, first.meaning) == (again.entity, again.meaning)


def test_resolved_and_firing_again_are_news_of_the_same_item() -> None:
    (fired,) = read(alert())
    (resolved,) = read(alert(status="resolved", endsAt="2026-11-26T05:00:00Z"))
    (again,) = read(alert(startsAt="2026-11-26T06:00:00Z"))

    assert len({one.entity for one in (fired, resolved, again)}) == 1
    assert len({one.meaning for one in (fired, resolved, again)}) == 3
    assert len({one.delivery_id for one in (fired, resolved, again)}) == 3


def test_of_a_huge_group_the_rest_is_counted_as_left_out() -> None:
    many = read(*(alert(fingerprint=f"f{n}") for n in range(ALERTS_MAX + 7)), truncatedAlerts=3)

    assert len(many) == ALERTS_MAX
    assert many[0].body is not None
    assert json.loads(many[0].body)["truncatedAlerts"] == 10


def test_a_group_without_alerts_speaks_of_nothing() -> None:
    assert read() == ()
