"""Grafana's door: its signature in both forms, or a token."""

from __future__ import annotations

from connectors.channel import Post
from connectors.monitoring.grafana import DOOR
from tests.connectors.monitoring.posts import (
    NOW,
    SECRET,
    alert,
    deliveries,
    group,
    hexed,
    post,
    refusal,
)

BODY = b'{"alerts": []}'
SIGNATURE = "x-grafana-alerting-signature"
TIMESTAMP = "x-grafana-alerting-signature-timestamp"


def signed(signature: str, timestamp: str | None = None, body: bytes = BODY) -> Post:
    headers = {SIGNATURE: signature} | ({} if timestamp is None else {TIMESTAMP: timestamp})
    return Post(headers, body)


def test_the_signature_is_bare_hex_over_the_body() -> None:
    assert refusal(DOOR, signed(hexed(BODY))) is None
    assert refusal(DOOR, signed(hexed(BODY)), "new", SECRET) is None
    assert refusal(DOOR, signed(f"sha256={hexed(BODY)}")) == "signature"
    assert refusal(DOOR, signed(hexed(BODY), body=b"{}")) == "signature"
    assert refusal(DOOR, signed("")) == "signature"


def test_with_a_timestamp_it_is_over_both_and_does_not_fit_later() -> None:
    now = str(int(NOW.timestamp()))
    late = str(int(NOW.timestamp()) - 301)

    assert refusal(DOOR, signed(hexed(f"{now}:".encode() + BODY), now)) is None
    assert refusal(DOOR, signed(hexed(f"{late}:".encode() + BODY), late)) == "late"
    assert refusal(DOOR, signed(hexed(BODY), now)) == "signature"
    assert refusal(DOOR, signed(hexed(f"{now}:".encode() + BODY))) == "signature"
    assert refusal(DOOR, signed(hexed(b"x:" + BODY), "x")) == "late"


def test_a_token_does_as_well_and_never_beside_a_wrong_signature() -> None:
    bearer = {"authorization": f"Bearer {SECRET}"}

    assert refusal(DOOR, Post(bearer, BODY)) is None
    assert refusal(DOOR, Post({**bearer, SIGNATURE: "00"}, BODY)) == "signature"
    assert refusal(DOOR, Post({}, BODY)) == "token"
    assert not DOOR.looks_signed({})


def test_its_alerts_are_items_of_its_own() -> None:
    (one,) = deliveries(DOOR, post(group(alert(), receiver="On call")))

    assert one.origin.key == "monitoring:grafana/On-call#5ef77f1f8a3ecfaa"
