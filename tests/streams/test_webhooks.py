"""The GitHub door, over HTTP in one process."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from connectors.blobs import MemoryBlobs
from connectors.channel import Delivery, Door, Post
from connectors.github import BODY_BYTES_MAX
from connectors.inbox import Inbox
from schemas.codec import decode
from schemas.raw import Origin, RawReceived
from streams.gateway import create_app
from streams.webhooks import ITEMS_MAX
from tests.connectors.github_payloads import pull

SECRETS = ("old-secret", "new-secret")


@pytest.fixture
def client(inbox: Inbox, blobs: MemoryBlobs) -> Iterator[TestClient]:
    with TestClient(
        create_app(inbox=inbox, blobs=blobs, webhook_secrets={"github": SECRETS})
    ) as opened:
        yield opened


def payload(number: int = 7, **issue: Any) -> bytes:
    said = {"number": number, "title": "Wrong", "body": "1+1", "user": {"login": "ann"}, **issue}
    return json.dumps(
        {
            "action": "opened",
            "issue": said,
            "repository": {"full_name": "acme/shop"},
            "sender": {"login": "ann"},
        }
    ).encode()


def post(
    client: TestClient,
    body: bytes,
    *,
    secret: str = SECRETS[0],
    event: str = "issues",
    delivery: str = "d-1",
    **headers: str,
) -> Any:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return client.post(
        "/webhooks/github",
        content=body,
        headers={
            "X-Hub-Signature-256": f"sha256={signature}",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
            "Content-Type": "application/json",
            **headers,
        },
    )


def rows(inbox: Inbox) -> list[RawReceived]:
    inbox.number(1000)
    events = [decode(row.event) for row in inbox.numbered(1, 1000)]
    assert all(isinstance(event, RawReceived) for event in events)
    return [event for event in events if isinstance(event, RawReceived)]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_signed_issue_is_kept_as_it_came(client: TestClient, inbox: Inbox, secret: str) -> None:
    answer = post(client, payload(), secret=secret, Authorization="token abc")
    (event,) = rows(inbox)

    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    assert UUID(answer.json()["report_id"]) == event.origin.report_id
    assert UUID(answer.json()["event_id"]) == event.event_id
    assert event.origin == Origin(channel="github", container="acme/shop", item="7")
    assert event.body is not None
    assert event.body.encode() == payload()
    assert event.content_sha256 == hashlib.sha256(payload()).hexdigest()
    assert event.authenticated
    assert event.headers["x-github-event"] == "issues"
    assert not {"authorization", "x-hub-signature-256"} & event.headers.keys()


def test_a_comment_is_kept_under_its_issue(client: TestClient, inbox: Inbox) -> None:
    body = json.loads(payload()) | {"action": "created", "comment": {"id": 1, "body": "me too"}}
    answer = post(client, json.dumps(body).encode(), event="issue_comment")

    assert answer.status_code == 202
    assert [(e.route, e.origin.item) for e in rows(inbox)] == [("github/issue_comment", "7")]


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "sha256=" + "0" * 64, "sha1=00", "sha256=d\u00fcster"]
)
def test_a_wrong_signature_is_refused_and_noted(
    client: TestClient, inbox: Inbox, signature: str
) -> None:
    headers: dict[bytes, bytes] = {
        b"X-Hub-Signature-256": signature.encode("latin-1"),
        b"X-GitHub-Delivery": b"d-9",
        b"X-GitHub-Event": b"issues",
    }
    answer = client.post("/webhooks/github", content=payload(), headers=headers)

    assert answer.status_code == 401
    assert answer.json()["detail"]["error"] == "bad_signature"
    assert rows(inbox) == []
    assert inbox.refusals() == [("github", "d-9", "signature")]


def test_a_refused_delivery_does_not_use_up_its_id(client: TestClient, inbox: Inbox) -> None:
    post(client, payload(), secret="guessed")
    answer = post(client, payload())

    assert answer.json()["status"] == "accepted"
    assert len(rows(inbox)) == 1


def test_of_one_post_no_more_is_kept_than_one_post_may_bring(
    inbox: Inbox, blobs: MemoryBlobs
) -> None:
    def read(post: Post) -> list[Delivery]:
        places = [Origin(channel="http", container="c", item=str(n)) for n in range(ITEMS_MAX + 3)]
        return [Delivery(one, one.item, "http:a", "http:a", one.key, "m") for one in places]

    door = Door("many", "http", "/webhooks/many", lambda *_: None, read)
    app = create_app(inbox=inbox, blobs=blobs, doors=(door,), webhook_secrets={"many": ("s",)})
    with TestClient(app) as client:
        answer = client.post("/webhooks/many", content=b"{}")

    assert answer.json() == {"status": "accepted", "items": ITEMS_MAX}
    assert len(rows(inbox)) == ITEMS_MAX


def test_a_redelivery_is_answered_and_not_kept_again(client: TestClient, inbox: Inbox) -> None:
    first = post(client, payload())
    again = post(client, payload())

    assert (again.status_code, again.json()["status"]) == (202, "duplicate")
    assert again.json()["event_id"] == first.json()["event_id"]
    assert len(rows(inbox)) == 1


def test_the_same_delivery_many_times_at_once_is_kept_once(
    client: TestClient, inbox: Inbox
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(client, payload()), range(24)))

    assert {answer.status_code for answer in answers} == {202}
    assert [a.json()["status"] for a in answers].count("accepted") == 1
    assert len(rows(inbox)) == 1


def test_ping_is_answered_and_other_events_are_ignored(client: TestClient, inbox: Inbox) -> None:
    ping = post(client, b'{"zen": "x"}', event="ping")
    push = post(client, b"{}", event="push")
    nameless = post(client, b"{}", event="")

    assert (ping.status_code, ping.json()) == (200, {"status": "pong"})
    assert (push.status_code, push.json()["status"]) == (202, "ignored")
    assert nameless.status_code == 202
    assert rows(inbox) == []


def test_what_happens_on_our_branches_is_kept_and_on_others_ignored(
    client: TestClient, inbox: Inbox
) -> None:
    kept = post(client, json.dumps(pull()).encode(), event="pull_request", delivery="d-2")
    other = json.dumps(pull(branch="main")).encode()
    ignored = post(client, other, event="pull_request", delivery="d-3")

    assert (kept.status_code, kept.json()["status"]) == (202, "accepted")
    assert ignored.status_code == 202
    assert ignored.json() == {"status": "ignored", "event": "pull_request"}
    assert [(e.route, e.origin.item) for e in rows(inbox)] == [("github/pull_request", "31")]


@pytest.mark.parametrize("body", [b"", b"\x00\xff" * 500_000, b"not json", b"[]", b"{" * 5000])
def test_signed_garbage_is_kept_for_people_to_look_at(
    client: TestClient, inbox: Inbox, blobs: MemoryBlobs, body: bytes
) -> None:
    answer = post(client, body)
    (event,) = rows(inbox)

    assert answer.status_code == 202
    assert event.origin.container == "unknown"
    assert event.content_sha256 == hashlib.sha256(body).hexdigest()
    if event.body_blob:
        assert blobs.get(event.body_blob) == body


def test_a_large_body_is_a_blob(client: TestClient, inbox: Inbox, blobs: MemoryBlobs) -> None:
    """Quotes and backslashes double inside an event, so size alone is no guide."""
    for number, content in enumerate(("x" * 60_000, '"' * 20_000, "\x01" * 8_000, "ü" * 9_000)):
        post(client, payload(number, body=content), delivery=f"d-{number}")
    kept = rows(inbox)

    assert len(kept) == 4
    for event in kept:
        assert event.body is None
        assert event.body_blob is not None
        assert event.blobs == (event.body_blob,)
        assert hashlib.sha256(blobs.get(event.body_blob)).hexdigest() == event.content_sha256


def test_a_body_over_the_limit_is_turned_away_before_it_is_kept(
    client: TestClient, inbox: Inbox
) -> None:
    declared = post(client, b"x" * (BODY_BYTES_MAX + 1))

    def parts() -> Iterator[bytes]:
        for _ in range(26):
            yield b"x" * 1024 * 1024

    chunked = client.post(
        "/webhooks/github", content=parts(), headers={"X-Hub-Signature-256": "sha256=00"}
    )

    assert (declared.status_code, chunked.status_code) == (413, 413)
    assert rows(inbox) == []


def test_form_encoding_is_refused_with_the_way_out(client: TestClient) -> None:
    answer = post(
        client, b"payload=%7B%7D", **{"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]["message"]


def test_without_a_secret_it_is_our_trouble(inbox: Inbox, blobs: MemoryBlobs) -> None:
    with TestClient(create_app(inbox=inbox, blobs=blobs)) as client:
        answer = post(client, payload())

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "github_webhook_secrets" in answer.json()["detail"]["message"]


def test_a_full_disk_is_answered_503_and_nothing_is_lost_after(
    client: TestClient, inbox: Inbox
) -> None:
    with inbox._engine.begin() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    answers = [
        post(client, payload(n, body="x" * 3000), delivery=f"d-{n}").status_code for n in range(8)
    ]
    full = answers.index(503)
    with inbox._engine.begin() as connection:
        connection.execute(text("PRAGMA max_page_count=1000000"))
    again = [
        post(client, payload(n, body="x" * 3000), delivery=f"d-{n}").status_code for n in range(8)
    ]

    assert set(answers[:full]) <= {202}
    assert set(answers[full:]) == {503}
    assert set(again) == {202}
    assert len(rows(inbox)) == 8


class FullBlobs(MemoryBlobs):
    """A blob store whose disk is full."""

    def put(self, content: bytes, *, media_type: str, subject: str) -> Any:
        raise OSError(28, "No space left on device")


def test_a_full_blob_store_is_answered_503(inbox: Inbox) -> None:
    with TestClient(
        create_app(inbox=inbox, blobs=FullBlobs(), webhook_secrets={"github": SECRETS})
    ) as client:
        answer = post(client, payload(body="x" * 100_000))

    assert answer.status_code == 503
    assert rows(inbox) == []


def test_a_delivery_without_an_id_is_still_kept_once_by_its_meaning(
    client: TestClient, inbox: Inbox
) -> None:
    answers = [post(client, payload(), delivery=bad).json() for bad in ("", "x" * 999, "a b\t")]

    assert [answer["status"] for answer in answers] == ["accepted", "duplicate", "duplicate"]
    assert len(rows(inbox)) == 1
