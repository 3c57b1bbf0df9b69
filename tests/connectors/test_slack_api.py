"""How Slack's methods are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from connectors.slack_api import Me, SlackApi
from schemas.errors import LimitedError, PoisonError, TransientError


def api(handle: Callable[[httpx2.Request], Any]) -> SlackApi:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=handle(request))

    return SlackApi(
        "xoxb-1", base_url="https://slack.example/api", transport=httpx2.MockTransport(answer)
    )


def test_what_is_asked_goes_as_a_form_and_what_is_told_as_json() -> None:
    seen = []

    def handle(request: httpx2.Request) -> Any:
        seen.append((request.url.path, request.headers["content-type"], request.content))
        assert request.headers["authorization"] == "Bearer xoxb-1"
        return {"ok": True}

    slack = api(handle)
    slack.ask("conversations.history", {"channel": "C1", "oldest": "1.5"})
    slack.tell("chat.postMessage", {"channel": "C1"})
    slack.close()

    form, told = seen
    assert form[:2] == ("/api/conversations.history", "application/x-www-form-urlencoded")
    assert form[2] == b"channel=C1&oldest=1.5"
    assert told == ("/api/chat.postMessage", "application/json", b'{"channel":"C1"}')


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("ratelimited", LimitedError),
        ("channel_not_found", PoisonError),
        ("not_in_channel", TransientError),
        ("never_heard_of", TransientError),
    ],
)
def test_a_refusal_says_whether_it_may_work_later(error: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        api(lambda _: {"ok": False, "error": error}).ask("auth.test", {})


def test_who_we_are_is_asked_once_and_a_message_is_known_by_it() -> None:
    calls = []

    def handle(request: httpx2.Request) -> Any:
        calls.append(request.url.path)
        return {"ok": True, "team_id": "T1", "user_id": "U9", "bot_id": "B9"}

    slack = api(handle)

    assert slack.me() == slack.me() == Me("T1", "U9", "B9")
    assert len(calls) == 1
    assert slack.me().wrote({"bot_id": "B9"})
    assert slack.me().wrote({"user": "U9"})
    assert not slack.me().wrote({"user": "U1", "bot_id": "B1"})
    assert not Me("T1", "U9", "").wrote({"bot_id": ""})


def test_a_list_without_end_is_read_so_many_pages_far() -> None:
    def handle(request: httpx2.Request) -> Any:
        return {"ok": True, "messages": [{}], "response_metadata": {"next_cursor": "again"}}

    assert len(list(api(handle).messages("conversations.history", {}, pages_max=3))) == 3
