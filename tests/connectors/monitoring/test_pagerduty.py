"""PagerDuty's door: signatures, pings, incidents and notes."""

from __future__ import annotations

import pytest

from connectors.channel import Post, Reply
from connectors.monitoring.pagerduty import DOOR
from tests.connectors.monitoring.posts import (
    SECRET,
    deliveries,
    hexed,
    incident,
    note,
    post,
    refusal,
)

BODY = b'{"event": {}}'


def signed(value: str) -> Post:
    return Post({"x-pagerduty-signature": value}, BODY)


def test_any_one_of_its_signatures_must_fit() -> None:
    right, old = f"v1={hexed(BODY)}", f"v1={hexed(BODY, 'old')}"

    assert refusal(DOOR, signed(right)) is None
    assert refusal(DOOR, signed(f"{old},{right}")) is None
    assert refusal(DOOR, signed(f"{old}, {right}")) is None
    assert refusal(DOOR, signed(old), SECRET, "old") is None
    assert refusal(DOOR, signed(old)) == "signature"
    assert refusal(DOOR, signed(hexed(BODY))) == "signature"
    assert refusal(DOOR, signed("v1=")) == "signature"
    assert refusal(DOOR, signed(",".join([old] * 50 + [right]))) == "signature"
    assert not DOOR.looks_signed({})


def test_a_ping_is_answered_and_what_is_no_incident_is_not_kept() -> None:
    ping = post({"event": {"event_type": "pagey.ping", "data": {"message": "Hello"}}})

    assert DOOR.reply(ping) == Reply(200, {"status": "pong"})
    for name in ("service.updated", "incident.responder.added"):
        answer = DOOR.reply(post({"event": {"event_type": name, "data": {}}}))
        assert answer is not None
        assert answer.body["status"] == "ignored"
    assert DOOR.reply(post(incident())) is None


def test_an_incident_is_known_by_account_and_id_and_its_event_by_its_id() -> None:
    (one,) = deliveries(DOOR, post(incident()))

    assert one.origin.key == "monitoring:pagerduty/acme#PINC1"
    assert one.delivery_id == incident()["event"]["id"]
    assert one.kind == "incident.triggered"
    assert one.sender == "monitoring:pagerduty"


def test_a_note_keeps_order_with_its_incident_and_has_a_meaning_of_its_own() -> None:
    (opened,) = deliveries(DOOR, post(incident()))
    (said,) = deliveries(DOOR, post(note()))

    assert said.origin == opened.origin
    assert said.entity != opened.entity
    assert said.author == "monitoring:pagerduty:PUSER"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "acknowledged"},
        {"status": "resolved"},
        {"title": "x"},
        {"urgency": "low"},
        {"priority": {"summary": "P1"}},
        {"assignees": []},
        {"assignees": [7]},
    ],
)
def test_what_people_change_is_news(change: dict[str, object]) -> None:
    (before,) = deliveries(DOOR, post(incident()))
    (after,) = deliveries(DOOR, post(incident("incident.reassigned", **change)))

    assert before.entity == after.entity
    assert before.meaning != after.meaning


def test_what_only_accompanies_an_incident_is_none() -> None:
    (before,) = deliveries(DOOR, post(incident()))
    (after,) = deliveries(DOOR, post(incident("incident.delegated", number=8)))

    assert before.meaning == after.meaning
