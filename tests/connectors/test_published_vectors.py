"""Every signature that somebody else has published, against the door that has to know it.

| door | vector | published by |
|---|---|---|
| github, jira, slack, slack-command | a whole request | the provider's documentation |
| discord, discord-events | Ed25519 over time and body | RFC 8032, 7.1: the provider prints none |
| grafana, sentry, pagerduty | HMAC-SHA256 in hexadecimal | RFC 4231, case 2: they print none |
| alertmanager, otlp | nothing is signed: a token | |
| jira-oauth | a JSON Web Token | none with a text as its key; tests/connectors/test_jira.py |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from connectors.channel import Post
from streams.channels import DOORS

BY_NAME = {door.name: door for door in DOORS}
NO_VECTOR = {"alertmanager", "otlp", "jira-oauth"}


@dataclass(frozen=True)
class Vector:
    door: str
    source: str
    secret: str
    body: bytes
    headers: Mapping[str, str]
    says: str | None = None
    """What is left to object when the signature is right."""
    at: datetime = datetime(2026, 11, 26, tzinfo=UTC)
    signature: str = field(default="")
    """The header that holds it."""


SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK = {
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    "x-slack-request-timestamp": "1531420618",
    "content-type": "application/x-www-form-urlencoded",
}
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_AT = datetime.fromtimestamp(1531420618, UTC)
EVERYBODY = "It's a Secret to Everybody"
RFC_4231 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
RFC_4231_BODY = b"what do ya want for nothing?"
RFC_8032 = (
    (
        "1",
        b"",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
        "39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "2",
        b"\x72",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f"
        "3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "3",
        b"\xaf\x82",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67"
        "f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)

VECTORS = (
    Vector(
        "github",
        "the documentation",
        EVERYBODY,
        b"Hello, World!",
        {
            "x-hub-signature-256": "sha256="
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        },
        signature="x-hub-signature-256",
    ),
    Vector(
        "jira",
        "the documentation",
        EVERYBODY,
        b"Hello World!",
        {
            "x-hub-signature": "sha256="
            "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
        },
        signature="x-hub-signature",
    ),
    Vector(
        "slack-command",
        "the documentation",
        SLACK_SECRET,
        SLACK_BODY,
        SLACK,
        at=SLACK_AT,
        signature="x-slack-signature",
    ),
    # It is a command: at the door for events its signature is right, and its place is not.
    Vector(
        "slack",
        "the documentation",
        SLACK_SECRET,
        SLACK_BODY,
        SLACK,
        says="route",
        at=SLACK_AT,
        signature="x-slack-signature",
    ),
    # The vectors sign no time, so a right signature is late at best, and a wrong one is wrong.
    *(
        Vector(
            door,
            f"RFC 8032, test {number}",
            public,
            message,
            {"x-signature-ed25519": signature, "x-signature-timestamp": ""},
            says="late",
            signature="x-signature-ed25519",
        )
        for door in ("discord", "discord-events")
        for number, message, public, signature in RFC_8032
    ),
    *(
        Vector(door, "RFC 4231, case 2", "Jefe", RFC_4231_BODY, {header: value}, signature=header)
        for door, header, value in (
            ("grafana", "x-grafana-alerting-signature", RFC_4231),
            ("sentry", "sentry-hook-signature", RFC_4231),
            ("pagerduty", "x-pagerduty-signature", f"v1={RFC_4231}"),
        )
    ),
)


def refusal(vector: Vector, **changes: object) -> str | None:
    given = {"body": vector.body, "headers": vector.headers, "secret": vector.secret} | changes
    post = Post(given["headers"], given["body"])  # type: ignore[arg-type]  # as the vector has them
    return BY_NAME[vector.door].refusal(post, (str(given["secret"]),), vector.at)


def named(vector: Vector) -> str:
    return f"{vector.door}: {vector.source}"


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_a_published_signature_is_right_and_every_change_of_it_wrong(vector: Vector) -> None:
    flipped = vector.headers[vector.signature]
    flipped = flipped[:-1] + ("1" if flipped[-1] != "1" else "2")
    other = vector.secret[:-1] + ("1" if vector.secret[-1] != "1" else "2")

    assert refusal(vector) == vector.says
    assert refusal(vector, body=vector.body + b" ") == "signature"
    assert refusal(vector, headers={**vector.headers, vector.signature: flipped}) == "signature"
    assert refusal(vector, headers={**vector.headers, vector.signature: ""}) in {
        "signature",
        "token",
    }
    assert refusal(vector, secret=other) == "signature"


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_the_second_of_two_live_secrets_is_as_good(vector: Vector) -> None:
    new = "00" * 31 + "01"  # Also what Discord's key could look like.
    post = Post(vector.headers, vector.body)

    assert BY_NAME[vector.door].refusal(post, (new, vector.secret), vector.at) == vector.says


def test_no_door_is_forgotten() -> None:
    assert {vector.door for vector in VECTORS} | NO_VECTOR == set(BY_NAME)
