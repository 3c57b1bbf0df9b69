"""What Slack says of a bug."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from processors.channels.parsed import Parsed
from processors.channels.slack import parse
from schemas.errors import PoisonError
from schemas.raw import Origin, RawReceived
from tests.factories import raw_github


def raw(route: str = "slack/message") -> RawReceived:
    origin = Origin(channel="slack", container="T1/C1", item="1.1", url="https://slack.example/p1")
    return raw_github().model_copy(update={"origin": origin, "route": route})


def said(route: str = "slack/message", **event: Any) -> Parsed | None:
    message = {"type": "message", "user": "U1", "team": "T1", "ts": "1700000000.000100", **event}
    return parse(raw(route), json.dumps({"team_id": "T1", "event": message}).encode())


def test_the_first_line_is_the_title_and_the_call_is_left_out() -> None:
    for call in ("<@UBOT> ", "<@UBOT|bugstream>: ", "bug: ", "Bug:<@UBOT>, "):
        found = said(text=f"{call}*Total* is wrong\n1 + 1 is 3 for <@U7> &amp; me")

        assert found is not None
        assert found.title == "Total is wrong"
        assert found.text == "**Total** is wrong\n1 + 1 is 3 for @U7 & me"
        assert found.account == "slack:T1:U1"
        assert found.url == "https://slack.example/p1"
        assert found.created_at == "2023-11-14T22:13:20+00:00"
        assert not found.comment


def test_a_reply_is_a_comment_and_the_first_message_of_a_thread_is_not() -> None:
    reply = said(text="me too", thread_ts="1699999999.000100")
    first = said(text="bug: x", thread_ts="1700000000.000100")

    assert reply is not None
    assert reply.comment
    assert first is not None
    assert not first.comment


def test_an_edit_says_what_stands_there_now() -> None:
    found = said(
        subtype="message_changed",
        message={"user": "U1", "team": "T2", "text": "bug: y", "edited": {"ts": "1700000050.1"}},
        previous_message={"text": "bug: x", "ts": "1700000000.000100"},
        ts="1700000099.000100",
    )

    assert found is not None
    assert (found.text, found.account) == ("y", "slack:T2:U1")
    assert found.created_at == "2023-11-14T22:13:20+00:00"
    assert found.updated_at == "2023-11-14T22:14:10+00:00"


def test_a_file_is_named_and_never_fetched() -> None:
    found = said(text="bug: see", files=[{"title": "a.png", "url_private": "https://x"}, 3, {}])

    assert found is not None
    assert found.text == "see\n\nAttached: a.png, a file"


def test_our_name_alone_says_nothing() -> None:
    assert said(text="<@UBOT>") is None
    assert said() is None


def test_a_command_says_what_was_typed() -> None:
    form = urlencode({"text": "Total is *wrong*", "team_id": "T1", "user_id": "U1"}).encode()
    found = parse(raw("slack-command"), form)

    assert found is not None
    assert (found.title, found.account) == ("Total is wrong", "slack:T1:U1")
    assert parse(raw("slack-command"), b"text=") is None


def test_what_nobody_can_read_is_poison() -> None:
    for body in (b"\xff", b"[]", b"{}", b'{"event": 3}'):
        with pytest.raises(PoisonError):
            parse(raw(), body)
    with pytest.raises(PoisonError):
        parse(raw("slack-command"), b"a=1&" * 200)
