"""Answers in Slack, against a Slack in memory."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2
import pytest

from connectors.slack_client import SlackMessenger
from processors.chat_text import SlackMessage, to_slack
from schemas.errors import LimitedError, PoisonError, TransientError
from schemas.raw import Origin
from tests.connectors.chat_servers import FakeSlack

THREAD = Origin(channel="slack", container="T1/C1", item="1700000000.000100")
COMMAND = Origin(channel="slack", container="T1/C1", item="command/13.24.aa")
KEY, OTHER = UUID(int=1), UUID(int=2)


def messenger(slack: FakeSlack, **more: Any) -> SlackMessenger:
    return SlackMessenger(slack.token, to_slack, transport=slack.transport, **more)


def three(markdown: str) -> tuple[SlackMessage, ...]:
    return tuple(SlackMessage(f"{markdown} {number}", ()) for number in range(3))


def test_an_answer_stands_in_the_thread_and_is_posted_once() -> None:
    slack = FakeSlack()
    client = messenger(slack)
    first = client.post(THREAD, "**Done.** <!channel>", KEY)
    again = client.post(THREAD, "**Done.** <!channel>", KEY)
    (posted,) = slack.messages

    assert first == again == client.find(THREAD, KEY) == "C1/1800000000.000000"
    assert (posted["channel"], posted["thread_ts"]) == ("C1", THREAD.item)
    assert posted["blocks"][0]["text"]["text"] == "*Done.* &lt;!channel&gt;"
    assert (posted["parse"], posted["link_names"]) == ("none", False)
    assert (posted["unfurl_links"], posted["unfurl_media"]) == (False, False)
    assert client.find(THREAD, OTHER) is None


def test_a_post_whose_answer_got_lost_is_found_and_not_repeated() -> None:
    slack = FakeSlack(lost=1)
    client = messenger(slack)
    with pytest.raises(TransientError, match="ReadTimeout"):
        client.post(THREAD, "x", KEY)

    assert client.post(THREAD, "x", KEY) == "C1/1800000000.000000"
    assert len(slack.messages) == 1


def test_a_long_answer_goes_on_where_it_stopped() -> None:
    slack = FakeSlack(lost=0, page=2)
    client = SlackMessenger(slack.token, three, transport=slack.transport)
    slack.lost = 1
    with pytest.raises(TransientError):
        client.post(THREAD, "x", KEY)
    half = client.find(THREAD, KEY)
    client.post(THREAD, "x", KEY)

    assert half is None
    assert [message["text"] for message in slack.messages] == ["x 0", "x 1", "x 2"]
    assert client.find(THREAD, KEY) == "C1/1800000000.000000"


def test_an_answer_to_a_command_stands_in_the_channel() -> None:
    slack = FakeSlack()
    client = messenger(slack)
    client.post(COMMAND, "x", KEY)
    client.post(COMMAND, "x", KEY)
    (posted,) = slack.messages

    assert "thread_ts" not in posted
    assert "conversations.history" in slack.calls


def test_neither_a_person_nor_another_program_can_pass_a_message_off_as_ours() -> None:
    slack = FakeSlack()
    payload = {"key": str(KEY), "part": 0, "parts": 1}
    mine = {"channel": "C1", "ts": "1", "thread_ts": THREAD.item}
    said = mine | {"metadata": {"event_payload": payload}}
    slack.messages += [said, said | {"user": "U1", "bot_id": "B2"}]

    assert messenger(slack).find(THREAD, KEY) is None


@pytest.mark.parametrize(
    "error", ["channel_not_found", "is_archived", "msg_too_long", "thread_not_found"]
)
def test_what_never_works_is_given_up(error: str) -> None:
    slack = FakeSlack(faults=[httpx2.Response(200, json={"ok": False, "error": error})])
    with pytest.raises(PoisonError, match=error):
        messenger(slack).post(THREAD, "x", KEY)


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        ("not_in_channel", "invite the app"),
        ("token_revoked", "bot token"),
        ("missing_scope", "chat:write"),
        ("internal_error", "internal_error"),
        ("never_heard_of", "never_heard_of"),
    ],
)
def test_what_a_person_can_put_right_waits_and_says_how(error: str, way_out: str) -> None:
    slack = FakeSlack(faults=[httpx2.Response(200, json={"ok": False, "error": error})])
    with pytest.raises(TransientError, match=way_out):
        messenger(slack).post(THREAD, "x", KEY)


def test_a_limit_names_how_long_to_wait() -> None:
    by_status = httpx2.Response(429, headers={"retry-after": "9"})
    by_name = httpx2.Response(200, json={"ok": False, "error": "ratelimited"})
    with pytest.raises(LimitedError, match="Slack asks to wait 9 s"):
        messenger(FakeSlack(faults=[by_status])).post(THREAD, "x", KEY)
    with pytest.raises(LimitedError, match="Slack asks to wait"):
        messenger(FakeSlack(faults=[by_name])).post(THREAD, "x", KEY)


def test_places_that_are_none_and_empty_answers_are_poison() -> None:
    client = messenger(FakeSlack())
    for container in ("C1", "T1/c/../d", "unknown/unknown"):
        with pytest.raises(PoisonError, match="no channel"):
            client.find(THREAD.model_copy(update={"container": container}), KEY)
    with pytest.raises(PoisonError, match="without words"):
        client.post(THREAD, " ", KEY)


def test_an_answer_that_is_no_object_is_tried_again() -> None:
    for odd in (httpx2.Response(200, json=[1]), httpx2.Response(200, content=b"<html>")):
        with pytest.raises(TransientError):
            messenger(FakeSlack(faults=[odd])).find(THREAD, KEY)
    me = httpx2.Response(200, json={"ok": True, "user_id": "UBOT"})
    none = httpx2.Response(200, json={"ok": True, "messages": []})
    posted = httpx2.Response(200, json={"ok": True})
    with pytest.raises(TransientError, match="named no message"):
        messenger(FakeSlack(faults=[me, none, posted])).post(THREAD, "x", KEY)
    with pytest.raises(TransientError, match="holds no list of messages"):
        messenger(FakeSlack(faults=[me, posted])).post(THREAD, "x", KEY)
    with pytest.raises(TransientError, match="who the token speaks for"):
        messenger(FakeSlack(faults=[posted])).post(THREAD, "x", KEY)
