"""The doors for tools and for people's commands, over HTTP in one process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from schemas.codec import decode
from schemas.commands import ApproveBug, KeepApart, MergeBugs, RetryBug, SplitReport
from schemas.event import Event, subject_id
from schemas.raw import Origin, RawReceived
from streams.gateway import create_app

TOKEN = {"Authorization": "Bearer t0ken"}
BUG, OTHER = uuid4(), uuid4()


def resolve(text: str) -> tuple[UUID, str] | None:
    known = {str(BUG): (BUG, "shop"), "BUG-2026-7F3K2": (BUG, "shop")}
    known |= {str(OTHER): (OTHER, "shop"), "ELSEWHERE": (OTHER, "till")}
    return known.get(text)


@pytest.fixture
def client(inbox: Inbox, blobs: MemoryBlobs) -> Iterator[TestClient]:
    app = create_app(inbox=inbox, blobs=blobs, api_tokens=("other", "t0ken"), resolve_bug=resolve)
    with TestClient(app) as opened:
        yield opened


def report(**changes: Any) -> dict[str, Any]:
    return {"tool": "ci", "id": "build-9", "title": "It breaks", **changes}


def events(inbox: Inbox) -> list[Event]:
    inbox.number(100)
    return [decode(row.event) for row in inbox.numbered(1, 100)]


def test_a_report_is_kept_and_its_id_is_told(client: TestClient, inbox: Inbox) -> None:
    answer = client.post("/api/v1/bugs/receive", json=report(reporter="ann"), headers=TOKEN)
    (event,) = events(inbox)

    assert answer.status_code == 202
    assert isinstance(event, RawReceived)
    assert event.origin == Origin(channel="http", container="ci", item="build-9")
    assert answer.json()["report_id"] == str(event.origin.report_id)
    assert event.actor.id == subject_id("http:ann")
    assert event.body is not None
    assert json.loads(event.body) == report(reporter="ann")


def test_the_same_report_is_a_duplicate_and_an_edit_is_not(
    client: TestClient, inbox: Inbox
) -> None:
    statuses = [
        client.post("/api/v1/bugs/receive", json=body, headers=TOKEN).json()["status"]
        for body in (report(), report(), report(title="Other"), report())
    ]

    assert statuses == ["accepted", "duplicate", "accepted", "accepted"]
    assert len(events(inbox)) == 3


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic t0ken"}]
)
def test_without_a_token_nothing_is_read(
    client: TestClient, inbox: Inbox, headers: dict[str, str]
) -> None:
    for path in ("/api/v1/bugs/receive", f"/api/v1/bugs/{BUG}/commands"):
        answer = client.post(path, content=b"not even json", headers=headers)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "Authorization: Bearer" in answer.json()["detail"]["message"]
    assert events(inbox) == []
    assert [(route, reason) for route, _, reason in inbox.refusals()] == [
        ("commands", "token"),
        ("http/receive", "token"),
    ]


def test_without_any_token_set_up_it_is_our_trouble(inbox: Inbox) -> None:
    with TestClient(create_app(inbox=inbox, blobs=MemoryBlobs())) as client:
        answer = client.post("/api/v1/bugs/receive", json=report(), headers=TOKEN)

    assert answer.status_code == 503
    assert "BUGSTREAM_API_TOKENS" in answer.json()["detail"]["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"\xff", "body"),
        (b'{"tool":"ci","id":"1","title":"\\ud800"}', "body"),
        (json.dumps({"tool": "ci", "id": "1"}).encode(), "title"),
        (json.dumps(report(title="  ")).encode(), "title"),
        (json.dumps(report(sevrity="high")).encode(), "sevrity"),
        (json.dumps(report(severity="huge")).encode(), "severity"),
        (json.dumps(report(labels=[1])).encode(), "labels.0"),
        (json.dumps(report(tool="x" * 201)).encode(), "tool"),
        (json.dumps(report(id="a\0b")).encode(), "id"),
        (json.dumps(report(created_at="yesterday")).encode(), "created_at"),
    ],
)
def test_a_wrong_report_is_answered_with_the_field(
    client: TestClient, inbox: Inbox, body: bytes, field: str
) -> None:
    answer = client.post("/api/v1/bugs/receive", content=body, headers=TOKEN)
    detail = answer.json()["detail"]

    assert answer.status_code == 422
    assert detail["problems"][0]["field"] == field
    assert field in detail["message"]
    assert events(inbox) == []


def test_a_report_over_the_limit_is_answered_413(client: TestClient) -> None:
    answer = client.post("/api/v1/bugs/receive", content=b" " * 9_000_000, headers=TOKEN)

    assert answer.status_code == 413
    assert "8388608 bytes" in answer.json()["detail"]["message"]


def test_the_largest_allowed_report_is_kept(
    client: TestClient, inbox: Inbox, blobs: MemoryBlobs
) -> None:
    body = report(description="\x01" * 1_000_000)
    answer = client.post("/api/v1/bugs/receive", json=body, headers=TOKEN)
    (event,) = events(inbox)

    assert answer.status_code == 202
    assert isinstance(event, RawReceived)
    assert event.body_blob is not None
    assert json.loads(blobs.get(event.body_blob)) == body


def command(client: TestClient, bug: str = str(BUG), *, key: str = "k-1", **body: Any) -> Any:
    headers = TOKEN | ({"Idempotency-Key": key} if key else {})
    return client.post(
        f"/api/v1/bugs/{bug}/commands", json={"actor": "ann"} | body, headers=headers
    )


def test_a_command_is_kept_once_for_its_key(
    client: TestClient, inbox: Inbox, blobs: MemoryBlobs
) -> None:
    first = command(client, command="approve", note="looks right")
    again = command(client, command="approve", note="looks right")
    (event,) = events(inbox)

    assert (first.status_code, first.json()["status"]) == (202, "accepted")
    assert again.json() == first.json() | {"status": "duplicate"}
    assert isinstance(event, ApproveBug)
    assert (event.bug_id, event.project) == (BUG, "shop")
    assert event.actor.id == subject_id("http:ann")
    assert event.note is not None
    assert blobs.get(event.note) == b"looks right"
    assert first.json()["command_id"] == str(event.event_id)


def test_a_bug_may_be_called_by_its_short_name(client: TestClient, inbox: Inbox) -> None:
    answer = command(client, "BUG-2026-7F3K2", command="retry")

    assert answer.json()["bug_id"] == str(BUG)
    assert isinstance(events(inbox)[0], RetryBug)


def test_every_verb_can_be_given_again_with_a_new_key(client: TestClient, inbox: Inbox) -> None:
    for number, verb in enumerate(("approve", "reject", "retry", "abandon", "retry")):
        assert command(client, command=verb, key=str(number)).json()["status"] == "accepted"

    assert [event.type for event in events(inbox)] == [
        "bug.approve",
        "bug.reject",
        "bug.retry",
        "bug.abandon",
        "bug.retry",
    ]


def test_a_merge_is_asked_of_the_bug_that_takes_the_other_in(
    client: TestClient, inbox: Inbox
) -> None:
    answer = command(client, str(BUG), command="merge", into=str(OTHER), note="the same")
    (event,) = events(inbox)

    assert answer.status_code == 202
    assert answer.json()["bug_id"] == str(BUG)
    assert isinstance(event, MergeBugs)
    assert (event.bug_id, event.other_bug_id) == (OTHER, BUG)


def test_keeping_apart_is_asked_of_the_bug_that_is_named_first(
    client: TestClient, inbox: Inbox
) -> None:
    answer = command(client, str(BUG), **{"command": "keep-apart", "from": str(OTHER)})
    (event,) = events(inbox)

    assert answer.status_code == 202
    assert isinstance(event, KeepApart)
    assert (event.bug_id, event.other_bug_id) == (BUG, OTHER)


def test_a_split_names_the_report(client: TestClient, inbox: Inbox) -> None:
    report_id = uuid4()

    answer = command(client, command="split", report=str(report_id))
    (event,) = events(inbox)

    assert answer.status_code == 202
    assert isinstance(event, SplitReport)
    assert (event.bug_id, event.report_id) == (BUG, report_id)


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ({"command": "merge"}, 422, "into"),
        ({"command": "approve", "into": str(BUG)}, 422, "into"),
        ({"command": "split"}, 422, "report"),
        ({"command": "split", "report": "12"}, 422, "report"),
        ({"command": "merge", "into": str(BUG)}, 422, "merged with itself"),
        ({"command": "merge", "into": "ELSEWHERE"}, 422, "different projects"),
        ({"command": "merge", "into": "nothing"}, 404, "into: no bug is called"),
        ({"command": "keep-apart"}, 422, "from"),
        ({"command": "keep-apart", "into": str(OTHER)}, 422, "into"),
        ({"command": "keep-apart", "apart_from": str(OTHER)}, 422, "apart_from"),
        ({"command": "retry", "from": str(OTHER)}, 422, "from"),
        ({"command": "keep-apart", "from": str(BUG)}, 422, "kept apart from itself"),
        ({"command": "keep-apart", "from": "ELSEWHERE"}, 422, "different projects"),
        ({"command": "keep-apart", "from": "nothing"}, 404, "from: no bug is called"),
    ],
)
def test_merges_and_splits_that_make_no_sense_say_what_is_wrong(
    client: TestClient, inbox: Inbox, asked: dict[str, str], status: int, says: str
) -> None:
    answer = command(client, **asked)

    assert answer.status_code == status
    assert says in json.dumps(answer.json())
    assert events(inbox) == []


def test_a_reused_key_is_a_conflict(client: TestClient, inbox: Inbox) -> None:
    command(client, command="approve")
    answer = command(client, command="reject")

    assert answer.status_code == 409
    assert "new key" in answer.json()["detail"]["message"]
    assert len(events(inbox)) == 1


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (400, {"key": "", "command": "approve"}),
        (400, {"key": "x" * 201, "command": "approve"}),
        (404, {"bug": "BUG-2026-XXXXX", "command": "approve"}),
        (422, {"command": "merge"}),
        (422, {}),
        (422, {"command": "approve", "actor": ""}),
    ],
)
def test_a_wrong_command_is_answered_with_the_way_out(
    client: TestClient, inbox: Inbox, status: int, arguments: dict[str, Any]
) -> None:
    answer = command(client, **arguments)

    assert answer.status_code == status
    assert len(answer.json()["detail"]["message"]) > 20
    assert events(inbox) == []


def test_openapi_shows_both_bodies_and_the_token(client: TestClient) -> None:
    found = client.get("/openapi.json").json()
    receive = found["paths"]["/api/v1/bugs/receive"]["post"]
    schema = receive["requestBody"]["content"]["application/json"]["schema"]

    assert schema["required"] == ["tool", "id", "title"]
    assert "critical" in schema["properties"]["severity"]["enum"]
    assert "$ref" not in json.dumps(schema)
    assert receive["security"] == [{"bearer": []}]
    assert set(receive["responses"]) == {"202", "400", "401", "408", "413", "422", "503"}
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
