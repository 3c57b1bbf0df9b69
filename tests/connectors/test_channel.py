"""What all doors share: signatures, times and cautious reading."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import (
    Outcome,
    Post,
    accepted,
    child,
    digest,
    is_bearer,
    is_hex_hmac,
    is_recent,
    objects,
    parsed,
    plain,
    url,
    without,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = int(NOW.timestamp())


def test_any_of_the_live_secrets_signs_and_no_other() -> None:
    given = hmac.new(b"new", b"body", hashlib.sha256).hexdigest()

    assert is_hex_hmac(b"body", given, ["old", "new"])
    assert is_hex_hmac(b"body", f"v0={given}", ["new"], prefix="v0=")
    assert not is_hex_hmac(b"body", given, ["old"])
    assert not is_hex_hmac(b"body", given, [])
    assert not is_hex_hmac(b"bodY", given, ["new"])
    assert not is_hex_hmac(b"body", "düster", ["new"])


def test_a_bearer_token_is_one_of_the_secrets() -> None:
    assert is_bearer({"authorization": "Bearer abc"}, ["x", "abc"])
    assert not is_bearer({"authorization": "Basic abc"}, ["abc"])
    assert not is_bearer({}, [""])


@pytest.mark.parametrize(
    ("seconds", "recent"),
    [
        (str(SECONDS), True),
        (str(SECONDS - 300), True),
        (str(SECONDS + 301), False),
        ("-5", False),
        ("", False),
        ("٣", False),
        ("9" * 400, False),
    ],
)
def test_a_late_post_is_told_from_a_recent_one(seconds: str, recent: bool) -> None:
    assert is_recent(seconds, NOW, window_s=300) is recent


@given(st.binary(max_size=200))
def test_reading_never_raises(body: bytes) -> None:
    payload = parsed(body)

    assert child(payload, "a", "b") == child(payload.get("a"), "b")
    assert isinstance(objects(payload, "a"), list)


def test_what_is_part_of_an_id_is_plain() -> None:
    assert plain("AB-1") == "AB-1"
    assert plain(17) == "17"
    assert plain(True) is None
    assert plain("a b") is None
    assert plain("x" * 201) is None
    assert url("https://example.org/a") == "https://example.org/a"
    assert url("javascript:alert(1)") is None


def test_the_same_parts_have_the_same_digest() -> None:
    assert digest("a", {"x": 1, "y": 2}) == digest("a", {"y": 2, "x": 1})
    assert digest("a", "b") != digest("ab")
    assert len(digest("\ud800")) == 64


def test_the_answer_says_what_became_of_one_and_counts_many() -> None:
    one = Outcome("duplicate", "", {"report_id": "r"})
    post = Post({}, b"")

    assert accepted(post, [one]).body == {"status": "duplicate", "report_id": "r"}
    assert accepted(post, [one, one]).body == {"status": "accepted", "items": 2}
    assert accepted(post, []).status == 202


def test_what_is_kept_of_a_payload_lacks_its_secrets_and_nothing_else() -> None:
    kept = without({"token": "t", "text": "the token", "more": {"a": 1}}, ("token",))

    assert json.loads(kept) == {"text": "the token", "more": {"a": 1}}
