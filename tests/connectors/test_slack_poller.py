"""What is asked of Slack means what its event would have said, and comes in once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.blobs import MemoryBlobs
from connectors.channel import Delivery, Post
from connectors.inbox import Inbox
from connectors.poll_cursors import PollCursors
from connectors.poll_window import end_at
from connectors.slack import DOORS
from connectors.slack_api import SlackApi
from connectors.slack_poller import BACK_PAGES_MAX, HISTORY_PAGES_MAX, SlackPoller
from schemas.errors import LimitedError, TransientError, UserError
from streams.polling import Polling
from streams.receiving import accept, inbound_of
from tests.connectors.chat_posts import event
from tests.connectors.chat_servers import FakeSlack
from tests.streams.monitored import bugs_of, kept

AT = 1_700_000_000
NOW = datetime.fromtimestamp(AT + 3_000, UTC)


def poller(slack: FakeSlack, container: str = "T1/C1") -> SlackPoller:
    api = SlackApi(slack.token, transport=slack.transport)
    return SlackPoller(api, container, every_s=60, now=lambda: NOW)


def say(slack: FakeSlack, text: str, after_s: int = 0, **fields: Any) -> dict[str, Any]:
    message = {
        "type": "message",
        "channel": "C1",
        "team": "T1",
        "user": "U1",
        "text": text,
        "ts": f"{AT + after_s}.000100",
        **fields,
    }
    slack.messages.append(message)
    for root in slack.messages:
        if message.get("thread_ts") == root["ts"] != message["ts"]:
            root["reply_count"] = root.get("reply_count", 0) + 1
            root["latest_reply"] = message["ts"]
    return message


def found(
    slack: FakeSlack, cursor: Any = None, *, asking: SlackPoller | None = None
) -> list[Delivery]:
    return [one for batch in (asking or poller(slack)).poll(cursor) for one in batch.items]


def texts(finds: list[Delivery]) -> list[str]:
    return [json.loads(one.body or b"")["event"]["text"] for one in finds]


def pushed(message: dict[str, Any], *, before: str | None = None) -> tuple[Delivery, ...]:
    """Return what the door makes of Slack's event, which tells of an edit in its own way."""
    told = event(**message)
    if before is not None:
        inner = {name: value for name, value in message.items() if name != "channel"}
        told = event(
            subtype="message_changed",
            text=None,
            user=None,
            channel=message["channel"],
            message=inner,
            previous_message={**inner, "text": before},
        )
    read = DOORS[0].read(Post({}, json.dumps(told).encode()))
    return tuple(one for one in read if isinstance(one, Delivery))


@given(
    text=st.sampled_from(["bug: it broke", "Bug: é <@U2>", "hey <@UBOT> look", "lunch?", ""]),
    fields=st.fixed_dictionaries(
        {},
        optional={
            "subtype": st.sampled_from(["file_share", "me_message", "channel_join", "bot_message"]),
            "files": st.lists(st.builds(dict, id=st.sampled_from(["F1", "F2"])), max_size=2),
            "user_team": st.just("T2"),
            "bot_id": st.just("B7"),
            "user": st.sampled_from(["U3", "UBOT"]),
            "reactions": st.just([{"name": "eyes"}]),
        },
    ),
    is_edited=st.booleans(),
)
def test_pulled_and_pushed_the_same_message_means_the_same(
    text: str, fields: dict[str, Any], is_edited: bool
) -> None:
    slack = FakeSlack()
    edited = {"edited": {"user": "U1", "ts": f"{AT + 9}.0"}} if is_edited else {}
    message = say(slack, text, **(fields | edited))
    # A message whose first words already were for us; the event of an edit says what they were.
    push = pushed(message, before=text if is_edited and "subtype" not in fields else None)

    assert [
        (one.origin, one.kind, one.entity, one.meaning, one.author, one.sender) for one in push
    ] == [
        (one.origin, one.kind, one.entity, one.meaning, one.author, one.sender)
        for one in found(slack)
    ]


def test_replies_are_brought_from_the_threads_of_reports_alone() -> None:
    slack = FakeSlack()
    report, talk = say(slack, "bug: it broke"), say(slack, "lunch?", 1)
    say(slack, "me too", 2, thread_ts=report["ts"])
    say(slack, "pizza", 3, thread_ts=talk["ts"])
    say(slack, "Fixed.", 4, thread_ts=report["ts"], bot_id="B1")
    finds = found(slack)

    assert texts(finds) == ["bug: it broke", "me too"]
    assert finds[1].entity == f"slack:T1/C1#{report['ts']}/comment/{AT + 2}.000100"
    assert slack.calls.count("conversations.replies") == 1


def test_an_old_message_that_was_edited_and_an_old_thread_that_goes_on_are_news() -> None:
    slack = FakeSlack()
    say(slack, "bug: old", -80_000)
    say(slack, "bug: edited", -70_000, edited={"user": "U1", "ts": f"{AT}.0"})
    root = say(slack, "bug: thread", -60_000)
    say(slack, "before", -50_000, thread_ts=root["ts"])
    say(slack, "since", 5, thread_ts=root["ts"])
    cursor = end_at(datetime.fromtimestamp(AT, UTC))

    assert texts(found(slack, cursor)) == ["bug: edited", "since"]


def test_what_an_event_told_is_not_kept_again_and_what_was_lost_is(tmp_path: Path) -> None:
    slack = FakeSlack(page=2)
    heard = say(slack, "bug: heard")
    for number in range(5):
        say(slack, f"bug: lost {number}", number + 1)
    inbox, blobs = Inbox.open(tmp_path / "inbox.sqlite"), MemoryBlobs()
    for one in pushed(heard):
        accept(inbox, blobs, inbound_of(one, route="slack", body=b"{}"))
    asking = poller(slack)
    polling = Polling([asking], inbox, blobs, PollCursors(inbox.engine))
    pauses = [polling.round(asking) for _ in range(3)]
    heard["reactions"] = [{"name": "eyes"}]
    say(slack, "me too", 2_990, thread_ts=heard["ts"])
    polling.round(asking)

    assert pauses == [None, None, None]
    assert len(kept(inbox)) == 7
    assert kept(inbox)[-1].route == "slack/comment"
    inbox.close()


def test_a_find_is_read_as_the_event_is(tmp_path: Path) -> None:
    slack = FakeSlack()
    say(slack, "bug: the total is *wrong*\nsee <https://x.example|here>", files=[{"id": "F1"}])
    inbox, blobs = Inbox.open(tmp_path / "inbox.sqlite"), MemoryBlobs()
    for one in found(slack):
        accept(inbox, blobs, inbound_of(one, route="slack", content_type="application/json"))
    ((kind, report),) = bugs_of(inbox, blobs)

    assert (kind, report.title) == ("bug.opened", "the total is wrong")
    inbox.close()


def test_a_thread_is_asked_again_only_when_it_stands_otherwise() -> None:
    slack = FakeSlack()
    root = say(slack, "bug: x")
    say(slack, "one", 1, thread_ts=root["ts"])
    asking = poller(slack)
    found(slack, asking=asking)
    quiet = texts(found(slack, asking=asking))
    say(slack, "two", 2, thread_ts=root["ts"])

    assert quiet == ["bug: x"]
    assert texts(found(slack, asking=asking)) == ["bug: x", "one", "two"]


def test_a_round_that_is_limited_gets_further_at_the_next() -> None:
    slack = FakeSlack()
    for number in (1, 2):
        root = say(slack, f"bug: {number}", number)
        say(slack, f"reply {number}", 10 + number, thread_ts=root["ts"])
    asking = poller(slack)
    batches = asking.poll(None)
    first = [texts(list(next(batches).items)) for _ in range(2)]
    slack.faults = [httpx2.Response(429, headers={"retry-after": "30"})]
    with pytest.raises(LimitedError):
        next(batches)

    assert first == [["bug: 1", "bug: 2"], ["reply 1"]]
    assert "reply 1" not in texts(found(slack, asking=asking))


def test_the_way_back_is_bounded_and_what_is_new_is_not_cut() -> None:
    slack = FakeSlack(page=1)
    for number in range(BACK_PAGES_MAX + 3):
        say(slack, f"bug: {number}", -40_000 + number)
    cursor = end_at(datetime.fromtimestamp(AT, UTC))

    assert found(slack, cursor) == []
    assert slack.calls.count("conversations.history") == BACK_PAGES_MAX
    for number in range(HISTORY_PAGES_MAX + 1):
        say(slack, f"bug: {number}", 10 + number)
    with pytest.raises(TransientError, match="new messages"):
        found(slack, cursor)


def test_a_direct_message_needs_no_call_and_another_workspace_is_the_settings_fault() -> None:
    slack = FakeSlack()
    say(slack, "it broke", channel="D1")

    assert texts([one for b in poller(slack, "T1/D1").poll(None) for one in b.items]) == [
        "it broke"
    ]
    with pytest.raises(UserError, match=r"slack\.token is for the workspace T1"):
        list(poller(slack, "T2/C1").poll(None))


@pytest.mark.parametrize("stamp", ["", "x", None, 5, {"a": 1}])
def test_a_message_without_a_time_breaks_nothing(stamp: Any) -> None:
    slack = FakeSlack()
    slack.faults = [
        httpx2.Response(200, json={"ok": True, "user_id": "UBOT", "team_id": "T1"}),
        httpx2.Response(200, json={"ok": True, "messages": [{"ts": stamp, "text": "bug: x"}]}),
    ]

    assert found(slack) == []
