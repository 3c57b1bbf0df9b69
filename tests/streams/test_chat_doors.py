"""The doors of Slack and Discord, over HTTP in one process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from schemas.codec import decode
from schemas.commands import ApproveBug, KeepApart, MergeBugs, SplitReport
from schemas.event import subject_id
from schemas.raw import Origin, RawReceived
from streams.gateway import create_app
from tests.connectors.chat_posts import (
    FORM,
    PUBLIC,
    SECRET,
    discord_signed,
    dumped,
    event,
    form,
    interaction,
    signed,
    typed,
)

BUG, OTHER = uuid4(), uuid4()
KNOWN = {
    "BUG-2026-7F3K2": (BUG, "shop"),
    "BUG-2026-9QZ4M": (OTHER, "shop"),
    "BUG-2026-AAAAA": (uuid4(), "till"),
}
MEMBERS = {("slack:T1:U1", "shop"), ("discord:30", "shop")}


@pytest.fixture
def client(inbox: Inbox, blobs: MemoryBlobs) -> Iterator[TestClient]:
    app = create_app(
        inbox=inbox,
        blobs=blobs,
        webhook_secrets={
            "slack": (SECRET,),
            "slack-command": (SECRET,),
            "discord": (PUBLIC,),
            "discord-events": (PUBLIC,),
        },
        resolve_bug=KNOWN.get,
        may_command=lambda account, project: (account, project) in MEMBERS,
    )
    with TestClient(app) as opened:
        yield opened


def kept(inbox: Inbox) -> list[Any]:
    inbox.number(1000)
    return [decode(row.event) for row in inbox.numbered(1, 1000)]


def send(client: TestClient, payload: object, **headers: str) -> Any:
    body = json.dumps(payload).encode()
    return client.post("/webhooks/slack", content=body, headers=signed(body) | headers)


def type_in(client: TestClient, text: str, **fields: str) -> Any:
    body = form(text, **fields)
    path = "/webhooks/slack/command"
    return client.post(path, content=body, headers=signed(body, kind=FORM))


def test_the_address_is_confirmed_at_once(client: TestClient, inbox: Inbox) -> None:
    answer = send(client, {"type": "url_verification", "challenge": "abc", "token": "t"})

    assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})
    assert send(client, {"type": "app_rate_limited"}).json() == {"status": "ignored"}
    assert kept(inbox) == []


def test_a_message_is_kept_once_however_often_slack_tries(client: TestClient, inbox: Inbox) -> None:
    first = send(client, event())
    retried = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    again = send(client, event(), **retried)
    other = send(client, event("Ev2", text="bug: another", ts="1700000001.000000"), **retried)

    assert [a.status_code for a in (first, again, other)] == [200, 200, 200]
    assert [a.json()["status"] for a in (first, again, other)] == [
        "accepted",
        "duplicate",
        "accepted",
    ]
    one, two = kept(inbox)
    assert isinstance(one, RawReceived)
    assert one.route == "slack/message"
    assert "x-slack-signature" not in one.headers
    assert two.headers["x-slack-retry-num"] == "1"
    assert two.headers["x-slack-retry-reason"] == "http_timeout"


def test_a_late_and_a_forged_post_are_refused_and_noted(client: TestClient, inbox: Inbox) -> None:
    body = json.dumps(event()).encode()
    late = signed(body, at=datetime.now(UTC) - timedelta(seconds=301))
    answers = [
        client.post("/webhooks/slack", content=body, headers=headers)
        for headers in (late, signed(body, secret="guessed"), {})
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert [reason for _, _, reason in inbox.refusals()] == ["signature", "signature", "late"]
    assert kept(inbox) == []


def test_a_typed_report_is_kept_and_only_its_writer_is_told(
    client: TestClient, inbox: Inbox
) -> None:
    answer = type_in(client, "The total is wrong")
    again = type_in(client, "The total is wrong")
    (row,) = kept(inbox)

    assert answer.status_code == again.status_code == 200
    assert answer.json()["response_type"] == "ephemeral"
    assert str(row.origin.report_id) in answer.json()["text"]
    assert "before" in again.json()["text"]
    assert (row.route, row.origin.key) == ("slack-command", "slack:T1/C1#command/13.24.aa")


def test_a_wish_carries_the_person_who_typed_it(client: TestClient, inbox: Inbox) -> None:
    answer = type_in(client, "approve BUG-2026-7F3K2 looks right")
    again = type_in(client, "approve BUG-2026-7F3K2 looks right")
    (row,) = kept(inbox)

    assert isinstance(row, ApproveBug)
    assert (row.bug_id, row.project) == (BUG, "shop")
    assert row.actor.id == subject_id("slack:T1:U1")
    assert row.note is not None
    assert "Asked to approve BUG-2026-7F3K2" in answer.json()["text"]
    assert again.status_code == 200


def test_two_bugs_are_said_to_be_one_from_a_chat(client: TestClient, inbox: Inbox) -> None:
    answer = type_in(client, "merge BUG-2026-9QZ4M into BUG-2026-7F3K2 same trace")
    (row,) = kept(inbox)

    assert isinstance(row, MergeBugs)
    assert (row.bug_id, row.other_bug_id) == (BUG, OTHER)
    assert "Asked to merge BUG-2026-9QZ4M" in answer.json()["text"]


@pytest.mark.parametrize("other", ["BUG-2026-NOPE", "BUG-2026-AAAAA", "BUG-2026-7F3K2"])
def test_what_cannot_be_one_is_not_merged_from_a_chat(
    client: TestClient, inbox: Inbox, other: str
) -> None:
    answer = type_in(client, f"merge BUG-2026-7F3K2 into {other}")

    assert "Nothing was changed" in answer.json()["text"]
    assert kept(inbox) == []


def test_two_bugs_are_kept_apart_from_a_chat(client: TestClient, inbox: Inbox) -> None:
    answer = type_in(client, "keep apart BUG-2026-9QZ4M from BUG-2026-7F3K2 other page")
    (row,) = kept(inbox)

    assert isinstance(row, KeepApart)
    assert (row.bug_id, row.other_bug_id) == (OTHER, BUG)
    assert row.note is not None
    assert "Asked to keep apart BUG-2026-9QZ4M" in answer.json()["text"]


@pytest.mark.parametrize("other", ["BUG-2026-NOPE", "BUG-2026-AAAAA", "BUG-2026-7F3K2"])
def test_what_needs_no_keeping_apart_is_said_so_in_a_chat(
    client: TestClient, inbox: Inbox, other: str
) -> None:
    answer = type_in(client, f"keep apart BUG-2026-7F3K2 from {other}")

    assert "Nothing was changed" in answer.json()["text"]
    assert kept(inbox) == []


def test_a_report_is_split_off_from_a_chat_by_its_place(client: TestClient, inbox: Inbox) -> None:
    answer = type_in(client, "split BUG-2026-7F3K2 report github:acme/shop#12 it is the tax")
    (row,) = kept(inbox)

    assert isinstance(row, SplitReport)
    origin = Origin(channel="github", container="acme/shop", item="12")
    assert (row.bug_id, row.report_id) == (BUG, origin.report_id)
    assert "Asked to split BUG-2026-7F3K2" in answer.json()["text"]


def test_a_stranger_neither_splits_nor_keeps_apart(client: TestClient, inbox: Inbox) -> None:
    wishes = (
        "split BUG-2026-7F3K2 report github:acme/shop#12",
        "keep apart BUG-2026-9QZ4M from BUG-2026-7F3K2",
    )
    for number, wish in enumerate(wishes):
        answer = type_in(client, wish, user_id="UEVIL", trigger_id=f"13.24.{number}")

        assert answer.json()["text"].startswith("Only members of its project decide")
    assert kept(inbox) == []


def test_a_wish_for_a_bug_that_is_not_there_changes_nothing(
    client: TestClient, inbox: Inbox
) -> None:
    answer = type_in(client, "retry BUG-2026-NOPE")

    assert answer.status_code == 200
    assert answer.json()["text"].startswith("No bug is called BUG-2026-NOPE.")
    assert kept(inbox) == []


def test_whoever_is_no_member_decides_nothing_and_is_told_who_can_help(
    client: TestClient, inbox: Inbox
) -> None:
    """Anybody may join a workspace: `/bug approve` by a stranger once started a fix."""
    answer = type_in(client, "approve BUG-2026-7F3K2 looks right", user_id="UEVIL")

    assert answer.status_code == 200
    assert answer.json()["text"].startswith("Only members of its project decide")
    assert "slack:T1:UEVIL" in answer.json()["text"]
    assert kept(inbox) == []
    assert inbox.refusals() == [("slack-command", inbox.refusals()[0][1], "not a member")]


@pytest.mark.parametrize("fields", [{"text": "help"}, {"text": "approve"}, {"text": " "}])
def test_help_is_answered_without_keeping_anything(
    client: TestClient, inbox: Inbox, fields: dict[str, str]
) -> None:
    answer = type_in(client, **fields)

    assert answer.json()["response_type"] == "ephemeral"
    assert "/bug" in answer.json()["text"]
    assert kept(inbox) == []


def test_a_check_of_the_certificate_is_answered(client: TestClient) -> None:
    body = b"ssl_check=1&token=x"
    path = "/webhooks/slack/command"
    answer = client.post(path, content=body, headers=signed(body, kind=FORM))

    assert (answer.status_code, answer.json()) == (200, {})


# --- Discord ---


def interact(client: TestClient, payload: object, path: str = "/webhooks/discord") -> Any:
    body = dumped(payload)
    return client.post(path, content=body, headers=discord_signed(body))


def test_pings_of_discord_are_answered_as_each_door_must(client: TestClient, inbox: Inbox) -> None:
    ping = interact(client, interaction(1))
    event_ping = interact(client, {"version": 1, "type": 0}, "/webhooks/discord/events")
    bought = {"version": 1, "type": 1, "event": {"type": "ENTITLEMENT_CREATE"}}
    other = interact(client, bought, "/webhooks/discord/events")

    assert (ping.status_code, ping.json()) == (200, {"type": 1})
    assert (event_ping.status_code, event_ping.content) == (204, b"")
    assert (other.status_code, other.content) == (204, b"")
    assert "content-type" not in event_ping.headers
    assert kept(inbox) == []


def test_wrong_late_and_rerouted_posts_of_discord_are_refused_and_noted(
    client: TestClient, inbox: Inbox
) -> None:
    body = dumped(typed("report", title="x"))
    late = discord_signed(body, at=datetime.now(UTC) - timedelta(seconds=901))
    forged = discord_signed(body, key=Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))
    answers = [
        client.post("/webhooks/discord", content=body, headers=late),
        client.post("/webhooks/discord", content=body, headers=forged),
        client.post("/webhooks/discord", content=body, headers={}),
        interact(client, typed("report", title="x"), "/webhooks/discord/events"),
        interact(client, {"version": 1, "type": 1, "event": {}}),
    ]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert [reason for _, _, reason in inbox.refusals()] == [
        "route",
        "route",
        "signature",
        "signature",
        "late",
    ]
    assert kept(inbox) == []


def test_a_key_that_is_none_is_our_trouble_and_not_a_forgery(
    inbox: Inbox, blobs: MemoryBlobs
) -> None:
    app = create_app(inbox=inbox, blobs=blobs, webhook_secrets={"discord": ("not hex",)})
    with TestClient(app) as client:
        answer = interact(client, interaction(1))

    assert answer.status_code == 503
    assert "public key" in answer.json()["detail"]["message"]


def test_a_report_typed_in_discord_is_kept_once_and_only_its_writer_is_told(
    client: TestClient, inbox: Inbox
) -> None:
    answer = interact(client, typed("report", title="The total is wrong"))
    again = interact(client, typed("report", title="The total is wrong"))
    (row,) = kept(inbox)

    assert answer.status_code == again.status_code == 200
    assert answer.json()["type"] == 4
    assert answer.json()["data"]["flags"] == 64
    assert answer.json()["data"]["allowed_mentions"] == {"parse": []}
    assert str(row.origin.report_id) in answer.json()["data"]["content"]
    assert "before" in again.json()["data"]["content"]
    assert row.origin.key == "discord:10/20#interaction/900"


def test_a_wish_in_discord_carries_the_person(client: TestClient, inbox: Inbox) -> None:
    answer = interact(client, typed("approve", bug="bug-2026-7f3k2", note="go on"))
    nothing = interact(client, typed("approve", bug="BUG-2026-NOPE"))
    (row,) = kept(inbox)

    assert isinstance(row, ApproveBug)
    assert row.actor.id == subject_id("discord:30")
    assert "Asked to approve BUG-2026-7F3K2" in answer.json()["data"]["content"]
    assert "No bug is called BUG-2026-NOPE." in nothing.json()["data"]["content"]


def test_a_merge_in_discord_names_the_other_bug_in_an_option(
    client: TestClient, inbox: Inbox
) -> None:
    interact(client, typed("merge", bug="BUG-2026-9QZ4M", into="bug-2026-7f3k2", note="same"))
    unclear = interact(client, typed("merge", bug="BUG-2026-9QZ4M"))
    (row,) = kept(inbox)

    assert isinstance(row, MergeBugs)
    assert (row.bug_id, row.other_bug_id) == (BUG, OTHER)
    assert "Which bugs?" in unclear.json()["data"]["content"]


def test_a_wish_of_a_stranger_in_discord_changes_nothing(client: TestClient, inbox: Inbox) -> None:
    stranger = typed("approve", bug="BUG-2026-7F3K2") | {"member": {"user": {"id": "31"}}}
    answer = interact(client, stranger)

    assert "Only members of its project decide" in answer.json()["data"]["content"]
    assert kept(inbox) == []
    assert [reason for _, _, reason in inbox.refusals()] == ["not a member"]


def test_where_no_members_are_known_nobody_decides_from_a_chat(
    inbox: Inbox, blobs: MemoryBlobs
) -> None:
    app = create_app(
        inbox=inbox,
        blobs=blobs,
        webhook_secrets={"discord": (PUBLIC,)},
        resolve_bug=lambda name: (BUG, "shop"),
    )
    with TestClient(app) as client:
        interact(client, typed("approve", bug="BUG-2026-7F3K2"))

    assert kept(inbox) == []
