"""The doors of monitoring, over HTTP in one process, and what their posts become."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.blobs import MemoryBlobs
from connectors.channel import Post
from connectors.inbox import Inbox
from connectors.monitoring import DOORS
from schemas.raw import RawReceived
from streams.gateway import create_app
from tests.connectors.monitoring.posts import (
    SECRET,
    alert,
    group,
    hexed,
    incident,
    note,
    post,
    sentry,
    sentry_issue,
    span,
    traces,
)
from tests.streams.monitored import bugs_of, kept

BEARER = {"authorization": f"Bearer {SECRET}"}


@pytest.fixture
def client(inbox: Inbox, blobs: MemoryBlobs) -> Iterator[TestClient]:
    secrets = {door.name: ("old", SECRET) for door in DOORS}
    with TestClient(create_app(inbox=inbox, blobs=blobs, webhook_secrets=secrets)) as opened:
        yield opened


def send(client: TestClient, path: str, given: Post, **headers: str) -> Any:
    return client.post(path, content=given.body, headers={**given.headers, **headers})


def bodies(events: list[RawReceived]) -> list[Any]:
    return [json.loads(event.body or "") for event in events]


def test_each_alert_of_a_group_becomes_an_event_of_its_own(
    client: TestClient, inbox: Inbox
) -> None:
    given = post(group(alert(), alert("DiskFull", fingerprint="f2", status="resolved")))
    answer = send(client, "/webhooks/alertmanager", given, **BEARER)
    events = kept(inbox)

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "items": 2})
    assert [event.origin.item for event in events] == ["5ef77f1f8a3ecfaa", "f2"]
    assert [len(body["alerts"]) for body in bodies(events)] == [1, 1]
    assert "authorization" not in events[0].headers


def test_repeats_are_counted_resolving_is_an_update_and_firing_again_is_another(
    client: TestClient, inbox: Inbox, blobs: MemoryBlobs
) -> None:
    fired, worse = alert(), alert(annotations={"summary": "7 % of the answers are errors"})
    over = alert(status="resolved", endsAt="2026-11-26T05:00:00Z")
    again = alert(startsAt="2026-11-26T06:00:00Z")
    for one in (fired, fired, worse, over, over, again):
        send(client, "/webhooks/alertmanager", post(group(one)), **BEARER)
    bugs = bugs_of(inbox, blobs)

    assert [kind for kind, _ in bugs] == ["bug.opened", "report.updated", "report.updated"]
    assert [report.status for _, report in bugs] == ["open", "closed", "open"]
    assert bugs[0][1].severity_reason == "label 'severity' says 'critical'"


def test_a_note_is_a_comment_on_the_bug_of_its_incident(
    client: TestClient, inbox: Inbox, blobs: MemoryBlobs
) -> None:
    for payload in (incident(), note(), incident("incident.resolved", status="resolved")):
        given = post(payload)
        signature = f"v1={hexed(given.body, 'gone')},v1={hexed(given.body, 'old')}"
        send(client, "/webhooks/pagerduty", given, **{"x-pagerduty-signature": signature})

    assert [kind for kind, _ in bugs_of(inbox, blobs)] == [
        "bug.opened",
        "comment.added",
        "report.updated",
    ]


def test_what_sentry_says_in_its_headers_is_kept(client: TestClient, inbox: Inbox) -> None:
    given = sentry("issue", "created", issue=sentry_issue())
    headers = {"sentry-hook-signature": hexed(given.body), "sentry-hook-timestamp": "1764129600"}
    answer = send(client, "/webhooks/sentry", given, **headers)
    (event,) = kept(inbox)

    assert answer.status_code == 202
    assert event.route == "sentry/issue"
    assert event.headers["sentry-hook-resource"] == "issue"
    assert event.headers["request-id"] == "issue-created"
    assert "sentry-hook-signature" not in event.headers


def test_the_prescribed_paths_lead_to_the_door_and_answers_are_the_protocols(
    client: TestClient, inbox: Inbox
) -> None:
    paths = ("/webhooks/otlp", "/webhooks/otlp/v1/traces", "/v1/traces", "/v1/logs")
    answers = [send(client, path, post(traces(span())), **BEARER) for path in paths]
    stranger = send(client, "/v1/traces", post(traces(span())))

    assert [(a.status_code, a.json()) for a in answers] == [(200, {})] * 4
    assert len(kept(inbox)) == 1
    assert stranger.status_code == 401


def test_a_storm_over_many_posts_is_one_bug(
    client: TestClient, inbox: Inbox, blobs: MemoryBlobs
) -> None:
    for batch in range(10):
        spans = (span(batch * 100 + n) for n in range(100))
        send(client, "/v1/traces", post(traces(*spans)), **BEARER)

    assert [kind for kind, _ in bugs_of(inbox, blobs)] == ["bug.opened"]


def test_protobuf_is_told_the_way_out(client: TestClient) -> None:
    given = Post({"content-type": "application/x-protobuf"}, b"\x0a\x00")
    answer = send(client, "/v1/traces", given, **BEARER)

    assert answer.status_code == 415
    assert "http/json" in answer.json()["detail"]["message"]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_stranger_is_refused_and_noted_and_our_own_trouble_is_503(
    client: TestClient, inbox: Inbox, blobs: MemoryBlobs, door: Any
) -> None:
    wrong = {
        "authorization": "Bearer guessed",
        "sentry-hook-signature": "00",
        "x-pagerduty-signature": "v1=00",
    }
    refused = send(client, door.path, post({}), **wrong)
    with TestClient(create_app(inbox=inbox, blobs=blobs)) as unset:
        trouble = send(unset, door.path, post({}), **wrong)

    assert refused.status_code == 401
    assert [route for route, _, _ in inbox.refusals()] == [door.name]
    assert trouble.status_code == 503
    assert f"webhook_secrets.{door.name}" in trouble.json()["detail"]["message"]
