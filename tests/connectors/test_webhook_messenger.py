"""One suite for the messenger that posts and the one that records; then the wire itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from connectors.webhook_messenger import RecordingMessenger, WebhookMessenger
from processors.ports import Messenger
from schemas.errors import LimitedError, PoisonError, TransientError
from schemas.raw import Origin

ORIGIN = Origin(channel="http", container="scanner", item="7", url="https://example.org/7")
KEY, OTHER = UUID(int=1), UUID(int=2)


class Tool:
    """The other side: keeps messages by key, and can be told to misbehave."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.posts = 0
        self.status = 201
        self.find_status = 200
        self.drops = 0
        """How many answers to lose after accepting."""
        self.location = ""
        self.body: bytes | None = None
        self.url = ""

    def accept(self, key: str, message: dict[str, Any]) -> None:
        self.posts += 1
        self.messages.setdefault(key, message)


@contextmanager
def serving(tool: Tool) -> Iterator[Tool]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if tool.status < 300:
                tool.accept(self.headers["Idempotency-Key"], json.loads(content))
            if tool.drops:
                tool.drops -= 1
                self.connection.close()
                return
            self.answer(tool.status, {"receipt": "message-1"})

        def do_GET(self) -> None:
            (key,) = parse_qs(urlsplit(self.path).query)["key"]
            found = tool.find_status != 200 or key in tool.messages
            self.answer(tool.find_status if found else 404, {"receipt": "message-1"})

        def answer(self, status: int, value: object) -> None:
            body = json.dumps(value).encode() if tool.body is None else tool.body
            self.send_response(status)
            if tool.location:
                self.send_header("Location", tool.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # dropped on purpose
    tool.url = f"http://127.0.0.1:{server.server_port}/answers?token=x"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield tool
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def tool() -> Iterator[Tool]:
    with serving(Tool()) as tool:
        yield tool


@pytest.fixture(params=["webhook", "recording"])
def messenger(request: pytest.FixtureRequest, tool: Tool) -> Messenger:
    return to(tool) if request.param == "webhook" else RecordingMessenger()


def to(tool: Tool) -> WebhookMessenger:
    return WebhookMessenger(lambda _: tool.url, answer_s_max=2)


def test_a_message_that_was_never_posted_is_not_found(messenger: Messenger) -> None:
    assert messenger.find(ORIGIN, KEY) is None


def test_what_was_posted_is_found_by_its_key_with_the_same_receipt(messenger: Messenger) -> None:
    receipt = messenger.post(ORIGIN, "hello", KEY)

    assert receipt
    assert messenger.find(ORIGIN, KEY) == receipt
    assert messenger.find(ORIGIN, OTHER) is None


def test_posting_again_with_the_same_key_gives_the_same_receipt(messenger: Messenger) -> None:
    assert messenger.post(ORIGIN, "a", KEY) == messenger.post(ORIGIN, "a", KEY)


def test_recorded_messages_stay_as_they_were_first_posted() -> None:
    messenger = RecordingMessenger()
    messenger.post(ORIGIN, "first", KEY)
    messenger.post(ORIGIN, "second", KEY)

    assert messenger.posted == {KEY: (ORIGIN, "first")}


# --- the wire ---


def test_the_tool_gets_the_item_the_text_and_the_key(tool: Tool) -> None:
    to(tool).post(ORIGIN, "größer | <b>", KEY)

    assert tool.messages == {
        str(KEY): {
            "key": str(KEY),
            "channel": "http",
            "container": "scanner",
            "item": "7",
            "url": "https://example.org/7",
            "text": "größer | <b>",
        }
    }


def test_an_answer_lost_after_accepting_may_be_looked_up(tool: Tool) -> None:
    tool.drops = 1
    with pytest.raises(TransientError):
        to(tool).post(ORIGIN, "a", KEY)

    assert to(tool).find(ORIGIN, KEY) == "message-1"
    assert tool.posts == 1


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503])
def test_what_may_work_later_is_tried_later(tool: Tool, status: int) -> None:
    tool.status = tool.find_status = status

    with pytest.raises(TransientError, match=str(status)):
        to(tool).post(ORIGIN, "a", KEY)
    with pytest.raises(TransientError, match=str(status)):
        to(tool).find(ORIGIN, KEY)


def test_a_tool_that_counts_says_how_long_to_wait(tool: Tool) -> None:
    tool.status = tool.find_status = 429
    tool.body = b'{"retry_after": 7}'

    with pytest.raises(LimitedError) as posted:
        to(tool).post(ORIGIN, "a", KEY)
    with pytest.raises(LimitedError) as sought:
        to(tool).find(ORIGIN, KEY)

    assert posted.value.retry_after_s == sought.value.retry_after_s == 7


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_final(tool: Tool, status: int) -> None:
    tool.status = status

    with pytest.raises(PoisonError, match=str(status)):
        to(tool).post(ORIGIN, "a", KEY)


def test_a_conflict_means_that_the_tool_has_it_already(tool: Tool) -> None:
    tool.status = 409

    assert to(tool).post(ORIGIN, "a", KEY) == "message-1"


@pytest.mark.parametrize("status", [204, 404, 405, 410, 501])
def test_a_tool_that_cannot_be_asked_relies_on_the_key(tool: Tool, status: int) -> None:
    tool.find_status, tool.body = status, b""

    assert to(tool).find(ORIGIN, KEY) is None


@pytest.mark.parametrize("body", [b"", b"ok", b"[]", b'{"receipt": 7}', b"\xff", b"[" * 60_000])
def test_a_tool_without_receipts_gets_the_key_for_one(tool: Tool, body: bytes) -> None:
    tool.body = body

    assert to(tool).post(ORIGIN, "a", KEY) == str(KEY)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_since_the_message_would_be_lost(
    tool: Tool, status: int
) -> None:
    tool.status, tool.location = status, tool.url

    with pytest.raises(PoisonError, match=str(status)):
        to(tool).post(ORIGIN, "a", KEY)


def test_nobody_listening_is_tried_later() -> None:
    with serving(Tool()) as tool:
        url = tool.url

    with pytest.raises(TransientError, match="cannot be reached"):
        WebhookMessenger(lambda _: url).post(ORIGIN, "a", KEY)


def test_a_proxy_of_the_environment_does_not_stand_before_this_machine(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert to(tool).post(ORIGIN, "a", KEY) == "message-1"


@pytest.mark.parametrize("url", [None, "", "file:///etc/passwd", "ftp://x/y", "http:///x"])
def test_only_http_addresses_are_posted_to(url: str | None) -> None:
    with pytest.raises(PoisonError, match="answer_url"):
        WebhookMessenger(lambda _: url).post(ORIGIN, "a", KEY)
