"""Sentry's door: signatures, and one item however Sentry speaks of it."""

from __future__ import annotations

import pytest

from connectors.channel import Post
from connectors.monitoring.sentry import DOOR
from tests.connectors.monitoring.posts import (
    deliveries,
    hexed,
    post,
    refusal,
    sentry,
    sentry_event,
    sentry_issue,
)

BODY = b'{"action":"created"}'


@pytest.mark.parametrize("name", ["sentry-hook-signature", "sentry-app-signature"])
def test_both_names_of_the_signature_are_known(name: str) -> None:
    assert refusal(DOOR, Post({name: hexed(BODY)}, BODY)) is None
    assert refusal(DOOR, Post({name: hexed(BODY, "other")}, BODY)) == "signature"
    assert refusal(DOOR, Post({name: f"sha256={hexed(BODY)}"}, BODY)) == "signature"
    assert refusal(DOOR, Post({name: ""}, BODY)) == "signature"
    assert DOOR.looks_signed({name: "x"})
    assert not DOOR.looks_signed({})


def test_an_empty_body_is_signed_as_itself_or_as_an_empty_object_and_answered_at_once() -> None:
    for signed in (b"", b"{}"):
        given = Post({"sentry-hook-signature": hexed(signed)}, b"")
        answer = DOOR.reply(given)
        assert refusal(DOOR, given) is None
        assert answer is not None
        assert answer.status == 200
    # A body may not borrow the signature of an empty one.
    assert refusal(DOOR, Post({"sentry-hook-signature": hexed(b"{}")}, BODY)) == "signature"


def test_issue_event_alert_and_comment_are_of_one_item() -> None:
    comment = {"comment_id": 1, "issue_id": "4711", "project_slug": "shop", "comment": "hm"}
    found = [
        deliveries(DOOR, given)
        for given in (
            sentry("issue", "created", issue=sentry_issue()),
            sentry("error", "created", error=sentry_event()),
            sentry("event_alert", "triggered", event=sentry_event()),
            sentry("comment", "created", **comment),
        )
    ]

    assert {one.origin.key for (one,) in found} == {"monitoring:sentry/shop#4711"}
    assert [one.kind for (one,) in found] == ["issue", "error", "event_alert", "comment"]
    assert found[3][0].author == "monitoring:sentry:5"
    assert found[3][0].entity not in {found[0][0].entity, found[1][0].entity}


def test_a_storm_of_events_says_one_thing_until_a_release() -> None:
    (first,) = deliveries(DOOR, sentry("error", "created", error=sentry_event()))
    (again,) = deliveries(DOOR, sentry("error", "created", error=sentry_event(event_id="e2")))
    (newer,) = deliveries(DOOR, sentry("error", "created", error=sentry_event(release="2")))

    assert (first.entity, first.meaning) == (again.entity, again.meaning)
    assert first.delivery_id != again.delivery_id
    assert newer.entity != first.entity
    assert newer.origin == first.origin


def test_a_state_is_news_and_a_count_is_none() -> None:
    (opened,) = deliveries(DOOR, sentry("issue", "created", issue=sentry_issue()))
    (more,) = deliveries(DOOR, sentry("issue", "created", issue=sentry_issue(count="900")))
    (closed,) = deliveries(DOOR, sentry("issue", "resolved", issue=sentry_issue(status="resolved")))

    assert opened.entity == more.entity == closed.entity
    assert opened.meaning == more.meaning != closed.meaning


def test_an_alert_on_a_metric_is_an_item_of_its_own() -> None:
    metric = {"id": "789", "title": "Errors", "projects": ["shop"], "alert_rule": {}}
    (fired,) = deliveries(DOOR, sentry("metric_alert", "critical", metric_alert=metric))
    (over,) = deliveries(DOOR, sentry("metric_alert", "resolved", metric_alert=metric))

    assert fired.origin.key == over.origin.key == "monitoring:sentry/shop#metric/789"
    assert fired.meaning != over.meaning


def test_installations_and_assignments_are_not_kept() -> None:
    answer = DOOR.reply(sentry("installation", "deleted", installation={}))

    assert answer is not None
    assert answer.status == 200
    assert deliveries(DOOR, sentry("issue", "assigned", issue=sentry_issue())) == []
    assert deliveries(DOOR, post({"data": {"installation": {}}})) == []


def test_without_the_header_the_payload_says_what_it_is() -> None:
    kinds = [
        one.kind
        for data in ({"issue": sentry_issue()}, {"event": sentry_event()})
        for one in deliveries(DOOR, post({"action": "created", "data": data}))
    ]

    assert kinds == ["issue", "event_alert"]
