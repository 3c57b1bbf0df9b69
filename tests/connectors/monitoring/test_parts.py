"""What the doors of monitoring share."""

from __future__ import annotations

import json

import pytest

from connectors.channel import Post
from connectors.monitoring import DOORS
from connectors.monitoring.parts import part_of, place, unreadable
from tests.connectors.monitoring.posts import deliveries

NONSENSE = [
    b"",
    b"\xff\xfe",
    b"[]",
    b"{",
    b"[" * 100_000,
    b"null",
    json.dumps({"alerts": [{"labels": [1], "fingerprint": {"a": 1}, "startsAt": 5}, 7]}).encode(),
    json.dumps({"event": {"id": 7, "event_type": ["x"], "data": [None]}}).encode(),
    json.dumps({"data": {"issue": {"id": True}, "event": 3}, "action": {}}).encode(),
    json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"events": [{}]}]}]}]}).encode(),
    json.dumps({"resourceLogs": {"scopeLogs": 1}}).encode(),
    b'{"alerts": [{"labels": {"a": "\\ud800"}, "startsAt": "\\ud800", "x": '
    + b"[" * 400
    + b"]" * 400
    + b"}]}",
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
def test_nothing_that_is_sent_makes_reading_fail(door: object, body: bytes) -> None:
    for known in DOORS:
        if known is door:
            given = Post({"content-type": "application/json"}, body)
            known.reply(given)
            for delivery in deliveries(known, given):
                assert delivery.origin.channel == "monitoring"
                assert delivery.origin.container.startswith(f"{known.name}/")
                assert len(delivery.entity) < 500
                assert delivery.sender.startswith(f"monitoring:{known.name}")


def test_a_name_with_blanks_is_made_to_fit_a_key() -> None:
    assert place("grafana", "On call, shop #1") == "grafana/On-call-shop-1"
    assert place("grafana", "值班") == "grafana/值班"
    assert place("grafana", "  ") == place("grafana", None) == "grafana/unknown"


def test_the_same_nonsense_is_the_same_item() -> None:
    one, again, other = (unreadable("sentry", Post({}, body)) for body in (b"a", b"a", b"b"))

    assert one == again
    assert one.origin.key != other.origin.key


def test_a_part_says_the_same_in_whatever_order_it_was_written() -> None:
    assert part_of({"b": 1}, a=2) == part_of({"a": 2}, b=1) == b'{"a": 2, "b": 1}'
