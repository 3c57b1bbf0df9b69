"""Slack's signature, and what an event and a command speak of."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import Asked, Delivery, Post
from connectors.slack import DOORS, doors
from tests.connectors.chat_posts import FORM, SECRET, event, form, signed

EVENTS, COMMAND = DOORS


def read(payload: object) -> tuple[Delivery, ...]:
    found = EVENTS.read(Post({}, json.dumps(payload).encode()))
    assert all(isinstance(one, Delivery) for one in found)
    return tuple(one for one in found if isinstance(one, Delivery))


# --- the signature ---

VECTOR_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
VECTOR_TIME = 1531420618


def vector(at: int, body: bytes = VECTOR_BODY) -> str | None:
    headers = {
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "x-slack-request-timestamp": str(VECTOR_TIME),
        "content-type": FORM,
    }
    return COMMAND.refusal(Post(headers, body), ["new", SECRET], datetime.fromtimestamp(at, UTC))


def test_the_example_of_the_published_documentation_is_genuine_for_five_minutes() -> None:
    assert vector(VECTOR_TIME) is None
    assert vector(VECTOR_TIME + 300) is None
    assert vector(VECTOR_TIME + 301) == "late"
    assert vector(VECTOR_TIME - 301) == "late"
    assert vector(VECTOR_TIME, VECTOR_BODY + b"&") == "signature"


def test_what_was_signed_for_one_door_is_refused_at_the_other() -> None:
    now = datetime.now(UTC)
    command, payload = form("x"), json.dumps(event()).encode()

    assert EVENTS.refusal(Post(signed(command, kind=FORM), command), [SECRET], now) == "route"
    assert COMMAND.refusal(Post(signed(payload), payload), [SECRET], now) == "route"
    assert EVENTS.refusal(Post(signed(payload, secret="x"), payload), [SECRET], now) == "signature"


@pytest.mark.parametrize("stamp", ["", "now", "-1", "9" * 400, "١"])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    mac = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode(), hashlib.sha256).hexdigest()
    headers = {"x-slack-signature": f"v0={mac}", "x-slack-request-timestamp": stamp}

    assert EVENTS.refusal(Post(headers, b""), [SECRET], datetime.now(UTC)) == "late"


# --- events ---


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "Bug: it broke"},
        {"text": "hey <@UBOT> it broke"},
        {"text": "<@UBOT|bugstream> it broke"},
        {"type": "app_mention", "text": "it broke"},
        {"text": "it broke", "channel_type": "im"},
        {"subtype": "file_share", "text": "bug: see the picture"},
    ],
)
def test_a_message_that_speaks_to_the_app_opens_a_report(fields: dict[str, Any]) -> None:
    (delivery,) = read(event(**fields))

    assert delivery.origin.key == delivery.entity == "slack:T1/C1#1700000000.000100"
    assert delivery.author == delivery.sender == "slack:T1:U1"
    assert delivery.origin.url == "https://slack.com/archives/C1/p1700000000000100"
    assert (delivery.kind, delivery.delivery_id) == ("message", "Ev1")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "lunch?"},
        {"text": "debug: x"},
        {"text": "<@UBOTTOM> hi"},
        {"bot_id": "B1"},
        {"subtype": "bot_message"},
        {"user": "UBOT"},
        {"subtype": "channel_join"},
        {"subtype": "message_deleted"},
        {"type": "reaction_added"},
        {"text": None},
        {"text": "lunch?", "thread_ts": "1700000000.000001", "bot_id": "B1"},
    ],
)
def test_other_talk_and_whatever_a_program_wrote_is_not_heard(fields: dict[str, Any]) -> None:
    assert read(event(**fields)) == ()


def test_a_person_who_put_the_app_in_is_not_the_app() -> None:
    said = event(text="ask <@U7> about it", user="U8")
    said["authorizations"] = [{"user_id": "U7", "is_bot": False}]

    assert read(said) == ()
    said["event"] |= {"user": "U7", "text": "bug: the total is wrong"}
    assert len(read(said)) == 1


def test_the_words_that_open_a_report_can_be_chosen() -> None:
    other = doors(triggers=("Broken:",))[0]
    post = Post({}, json.dumps(event(text="broken: all of it")).encode())

    assert len(other.read(post)) == 1
    assert EVENTS.read(post) == ()


def test_a_mention_that_comes_as_two_events_means_one_thing() -> None:
    (one,) = read(event("Ev1", text="<@UBOT> x"))
    (other,) = read(event("Ev2", type="app_mention", text="<@UBOT> x"))

    assert (one.entity, one.meaning) == (other.entity, other.meaning)


def test_a_reply_is_a_comment_of_the_threads_first_message() -> None:
    thread = "1700000000.000100"
    (reply,) = read(event(text="me too", ts="1700000009.000000", thread_ts=thread, user="U2"))
    (broadcast,) = read(
        event(text="x", ts="1700000009.5", thread_ts=thread, subtype="thread_broadcast")
    )

    assert reply.origin.key == broadcast.origin.key == f"slack:T1/C1#{thread}"
    assert reply.entity == f"slack:T1/C1#{thread}/comment/1700000009.000000"
    assert (reply.kind, reply.author) == ("comment", "slack:T1:U2")
    assert read(event(ts=thread, thread_ts=thread))[0].kind == "message"


def edit(text: str, before: str = "bug: x", **message: Any) -> dict[str, Any]:
    now = {"user": "U1", "text": text, "ts": "1700000000.000100", **message}
    return event(
        subtype="message_changed",
        text=None,
        user=None,
        ts="1700000099.000000",
        message=now,
        previous_message={"user": "U1", "text": before, "ts": "1700000000.000100"},
    )


def test_an_edit_is_of_the_same_item_and_says_something_new() -> None:
    (first,) = read(event(text="bug: x"))
    (changed,) = read(edit("bug: y", edited={"user": "U9"}))
    (unchanged,) = read(edit("bug: x"))

    assert changed.origin == first.origin
    assert changed.meaning != first.meaning == unchanged.meaning
    assert (changed.author, changed.sender) == ("slack:T1:U1", "slack:T1:U9")


def test_an_edit_is_heard_when_it_spoke_to_us_before_or_does_now() -> None:
    assert len(read(edit("never mind", before="bug: x"))) == 1
    assert len(read(edit("bug: x", before="lunch?"))) == 1
    assert read(edit("dinner?", before="lunch?")) == ()
    assert read(edit("bug: x", bot_id="B1")) == ()


def test_names_that_are_no_names_do_not_get_through() -> None:
    (delivery,) = read(event(channel="../etc", user="x\ny", team="<!here>", ts="0"))

    assert delivery.origin.key == "slack:T1/unknown#delivery/Ev1"
    assert delivery.author == "slack:unknown:unknown"
    assert delivery.origin.url is None


def test_genuine_bytes_that_are_no_json_are_kept_for_people() -> None:
    for body in (b"\xff", b"{", b"[]", b"[" * 100_000):
        (one,) = EVENTS.read(Post({}, body))

        assert isinstance(one, Delivery)
        assert one.origin.container == "unknown"


NAMES = "type event subtype message previous_message text user ts thread_ts channel files bot_id"
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.sampled_from(["message", "bug: x", "1.1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*NAMES.split(), "authorizations"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(value=JSON)
def test_no_json_at_all_makes_reading_fail(value: Any) -> None:
    for payload in (value, {"type": "event_callback", "event": value}):
        post = Post({}, json.dumps(payload).encode())
        EVENTS.reply(post)
        for one in EVENTS.read(post):
            assert isinstance(one, Delivery)
            assert len(one.entity) < 300


@given(body=st.binary(max_size=200))
def test_no_form_at_all_makes_reading_fail(body: bytes) -> None:
    for post in (Post({}, body), Post({}, b"command=%2Fbug&text=" + body)):
        COMMAND.reply(post)
        COMMAND.read(post)


def test_a_wish_is_asked_by_the_account_of_team_and_user() -> None:
    (asked,) = COMMAND.read(Post({}, form("abandon BUG-1 x", user_id="<!here>")))

    assert isinstance(asked, Asked)
    assert asked.account == "slack:T1:unknown"


def test_no_token_of_an_event_or_of_a_command_is_kept() -> None:
    (told,) = read({**event(), "token": "canary"})
    secrets = {"token": "canary", "response_url": "https://hooks.example/canary"}
    (typed,) = COMMAND.read(Post({}, form("it broke", **secrets)))

    assert isinstance(typed, Delivery)
    assert json.loads(told.body or b"") == event()
    assert b"canary" not in (typed.body or b"canary")
    assert b"text=it+broke" in typed.body  # type: ignore[operator]  # looked at above
