"""One table for all doors: what is right passes; all else is refused, or known again, and noted."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from streams.channels import DOORS
from streams.gateway import create_app
from tests.connectors import chat_posts, jira_payloads
from tests.connectors.monitoring import posts

Headers = dict[str, str]
Sign = Callable[[bytes, str, datetime], Headers]
"""Body, secret, time -> the headers of a genuine post."""
LATE = timedelta(hours=2)
SHARED = "of-the-slack-app"
FORGED = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)


def hmac_of(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headed(name: str, prefix: str = "", **more: str) -> Sign:
    def sign(body: bytes, secret: str, at: datetime) -> Headers:
        del at
        named = {key.replace("_", "-"): value for key, value in more.items()}
        return {name: prefix + hmac_of(body, secret), "content-type": "application/json", **named}

    return sign


def bearer(body: bytes, secret: str, at: datetime) -> Headers:
    del body, at
    return {"authorization": f"Bearer {secret}", "content-type": "application/json"}


def jwt(body: bytes, secret: str, at: datetime) -> Headers:
    del body
    claims = {"iat": at.timestamp() - 5, "exp": at.timestamp() + 60}
    given = bearer(b"", jira_payloads.token(claims, secret), at)
    return given | {"x-atlassian-webhook-identifier": "d-1"}


def grafana(body: bytes, secret: str, at: datetime) -> Headers:
    stamp = str(int(at.timestamp()))
    return {
        "x-grafana-alerting-signature": hmac_of(stamp.encode() + b":" + body, secret),
        "x-grafana-alerting-signature-timestamp": stamp,
        "content-type": "application/json",
    }


def slack(kind: str) -> Sign:
    return lambda body, secret, at: chat_posts.signed(body, at=at, secret=secret, kind=kind)


def discord(body: bytes, secret: str, at: datetime) -> Headers:
    key = chat_posts.KEY if secret == chat_posts.PUBLIC else FORGED
    return chat_posts.discord_signed(body, at=at, key=key)


@dataclass(frozen=True)
class Case:
    door: str
    body: bytes
    sign: Sign
    secret: str
    signature: str
    """The header that is changed where the body is not signed."""
    body_is_signed: bool = True
    time_is_signed: bool = False
    keeps: bool = True
    more: Mapping[str, str] = field(default_factory=dict)


ISSUE = json.dumps(
    {
        "action": "opened",
        "issue": {"number": 7, "title": "Wrong", "body": "1+1", "user": {"login": "ann"}},
        "repository": {"full_name": "acme/shop"},
        "sender": {"login": "ann"},
    }
).encode()
GROUP = json.dumps(posts.group(posts.alert())).encode()
CASES = (
    Case(
        "github",
        ISSUE,
        headed("x-hub-signature-256", "sha256=", x_github_event="issues", x_github_delivery="d-1"),
        "of-github",
        "x-hub-signature-256",
    ),
    Case(
        "jira",
        jira_payloads.encoded(jira_payloads.payload()),
        headed("x-hub-signature", "sha256=", x_atlassian_webhook_identifier="d-1"),
        "of-jira",
        "x-hub-signature",
    ),
    Case(
        "jira-oauth",
        jira_payloads.encoded(jira_payloads.payload()),
        jwt,
        "of-the-jira-app",
        "authorization",
        body_is_signed=False,
        time_is_signed=True,
    ),
    Case(
        "slack",
        json.dumps(chat_posts.event()).encode(),
        slack("application/json"),
        SHARED,
        "x-slack-signature",
        time_is_signed=True,
    ),
    Case(
        "slack-command",
        chat_posts.form("The total is wrong"),
        slack(chat_posts.FORM),
        SHARED,
        "x-slack-signature",
        time_is_signed=True,
    ),
    Case(
        "discord",
        chat_posts.dumped(chat_posts.typed("report", title="The total is wrong")),
        discord,
        chat_posts.PUBLIC,
        "x-signature-ed25519",
        time_is_signed=True,
    ),
    Case(
        "discord-events",
        chat_posts.dumped({"version": 1, "type": 1, "event": {"type": "ENTITLEMENT_CREATE"}}),
        discord,
        chat_posts.PUBLIC,
        "x-signature-ed25519",
        time_is_signed=True,
        keeps=False,
    ),
    Case("alertmanager", GROUP, bearer, "of-alertmanager", "authorization", body_is_signed=False),
    Case(
        "grafana",
        GROUP,
        grafana,
        "of-grafana",
        "x-grafana-alerting-signature",
        time_is_signed=True,
    ),
    Case(
        "sentry",
        posts.sentry("issue", "created", issue=posts.sentry_issue()).body,
        headed("sentry-hook-signature", sentry_hook_resource="issue", request_id="r-1"),
        "of-sentry",
        "sentry-hook-signature",
    ),
    Case(
        "pagerduty",
        posts.post(posts.incident()).body,
        headed("x-pagerduty-signature", "v1="),
        "of-pagerduty",
        "x-pagerduty-signature",
    ),
    Case(
        "otlp",
        posts.post(posts.traces(posts.span())).body,
        bearer,
        "of-otlp",
        "authorization",
        body_is_signed=False,
    ),
)
PATHS = {door.name: door.path for door in DOORS}
every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.door)


@pytest.fixture
def client(inbox: Inbox, blobs: MemoryBlobs) -> Iterator[TestClient]:
    # Two doors of one app share its secret; nothing else shares one.
    secrets = {case.door: (case.secret,) for case in CASES}
    with TestClient(create_app(inbox=inbox, blobs=blobs, webhook_secrets=secrets)) as opened:
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def send(client: TestClient, case: Case, *, to: str = "", **changes: Any) -> int:
    given = {"body": case.body, "secret": case.secret, "at": now(), "headers": {}} | changes
    signed = case.sign(case.body, given["secret"], given["at"])
    path = PATHS[to or case.door]
    return client.post(path, content=given["body"], headers=signed | given["headers"]).status_code


def kept(inbox: Inbox) -> int:
    inbox.number(100)
    return len(inbox.numbered(1, 100))


def refused(inbox: Inbox) -> list[tuple[str, str]]:
    return [(route, reason) for route, _, reason in inbox.refusals()]


def test_the_table_holds_every_door() -> None:
    assert [case.door for case in CASES] == [door.name for door in DOORS]


@every
def test_what_is_right_passes_and_its_repetition_is_counted(
    client: TestClient, inbox: Inbox, case: Case
) -> None:
    answers = [send(client, case) for _ in range(3)]

    assert all(200 <= status < 300 for status in answers)
    assert kept(inbox) == (1 if case.keeps else 0)
    assert refused(inbox) == []
    assert [row.repeats for row in inbox.rows()] == ([2] if case.keeps else [])


@every
def test_a_wrong_secret_is_refused_and_noted(client: TestClient, inbox: Inbox, case: Case) -> None:
    assert send(client, case, secret="guessed") == 401
    assert kept(inbox) == 0
    assert [route for route, _ in refused(inbox)] == [case.door]


@every
def test_a_changed_byte_is_refused_and_noted(client: TestClient, inbox: Inbox, case: Case) -> None:
    if case.body_is_signed:
        status = send(client, case, body=case.body[:-1] + b" ")
    else:  # Only the token is vouched for: that one byte of it differs.
        given = case.sign(case.body, case.secret, now())[case.signature]
        changed = given[:-2] + ("A" if given[-2] != "A" else "B") + given[-1]
        status = send(client, case, headers={case.signature: changed})

    assert status == 401
    assert kept(inbox) == 0
    assert refused(inbox)[0][0] == case.door
    assert refused(inbox)[0][1] in {"signature", "token"}


@every
def test_what_carries_no_signature_at_all_is_refused_and_noted(
    client: TestClient, inbox: Inbox, case: Case
) -> None:
    status = client.post(PATHS[case.door], content=case.body).status_code

    assert status == 401
    assert kept(inbox) == 0
    assert [route for route, _ in refused(inbox)] == [case.door]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.time_is_signed], ids=lambda case: case.door
)
def test_what_comes_late_is_refused_and_noted(client: TestClient, inbox: Inbox, case: Case) -> None:
    assert send(client, case, at=now() - LATE) == 401
    assert kept(inbox) == 0
    assert refused(inbox) == [(case.door, "late")]


@every
def test_what_was_signed_for_one_door_opens_no_other_and_is_noted(
    client: TestClient, inbox: Inbox, case: Case
) -> None:
    others = [other.door for other in CASES if other.door != case.door]

    answers = {other: send(client, case, to=other) for other in others}

    assert answers == dict.fromkeys(others, 401)
    assert kept(inbox) == 0
    assert sorted(route for route, _ in refused(inbox)) == sorted(others)
