"""How any provider is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from connectors.http_caller import WAIT_S_DEFAULT, WAIT_S_MAX, Caller
from schemas.errors import LimitedError, PoisonError, RefusedError, TransientError
from streams.json_server import serving_calls
from tests.connectors.chat_servers import Handler

URL = "https://chat.example/api"


def caller(handle: Handler, **limits: float) -> Caller:
    transport = httpx2.MockTransport(handle)
    return Caller("Chat", URL, transport=transport, **limits)  # type: ignore[arg-type]


def answering(response: httpx2.Response, **limits: float) -> Caller:
    return caller(lambda request: response, **limits)


def test_an_answer_is_handed_on_and_says_whether_it_was_done() -> None:
    for status, value, is_ok in ((200, {"a": 1}, True), (204, None, True), (404, None, False)):
        content = b"" if value is None else b'{"a": 1}'
        found = answering(httpx2.Response(status, content=content)).call("GET", "x")

        assert (found.status, found.value, found.is_ok) == (status, value, is_ok)
        assert not found.is_garbled


@pytest.mark.parametrize("content", [b"<html>", b"[" * 200_000])
def test_what_is_no_json_is_said_to_be_none(content: bytes) -> None:
    found = answering(httpx2.Response(200, content=content)).call("GET", "x")

    assert found.value is None
    assert found.is_garbled


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, {}, 7.0),
        ({}, {"retry_after": 0.5}, 0.5),
        ({"retry-after": "soon"}, {"retry_after": 3}, 3.0),
        ({}, {}, WAIT_S_DEFAULT),
        ({"retry-after": "nan"}, {}, WAIT_S_DEFAULT),
        ({"retry-after": "-1"}, {}, WAIT_S_DEFAULT),
        ({"retry-after": "1e99"}, {}, WAIT_S_MAX),
        ({}, {"retry_after": 10**400}, WAIT_S_DEFAULT),
    ],
)
def test_a_limit_names_how_long_to_wait(
    headers: dict[str, str], body: dict[str, float], seconds: float
) -> None:
    with pytest.raises(LimitedError, match=f"Chat asks to wait {seconds:g} s") as raised:
        answering(httpx2.Response(429, headers=headers, json=body)).call("POST", "x")

    assert raised.value.retry_after_s == seconds


@pytest.mark.parametrize("name", ["RateLimit-Reason", "X-RateLimit-Scope"])
def test_a_limit_names_which_one_it_was(name: str) -> None:
    with pytest.raises(LimitedError, match="burst") as raised:
        answering(httpx2.Response(429, headers={name: "burst" * 100})).call("POST", "x")

    assert raised.value.reason == ("burst" * 100)[:60]


@pytest.mark.parametrize("status", [500, 503, 408, 425, 302])
def test_trouble_over_there_and_a_redirect_are_tried_again(status: int) -> None:
    seen = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        return httpx2.Response(status, headers={"location": "https://elsewhere.example/"})

    with pytest.raises(TransientError, match=str(status)):
        caller(handle).call("POST", "x")
    assert caller(handle).exchange("POST", "x").status == status
    assert seen == [f"{URL}/x"] * 2


def test_what_was_not_sent_is_told_from_what_was_lost() -> None:
    def failing(error: type[httpx2.TransportError]) -> Caller:
        def handle(request: httpx2.Request) -> httpx2.Response:
            raise error("x", request=request)

        return caller(handle)

    with pytest.raises(RefusedError, match="cannot be reached \\(ConnectError\\)"):
        failing(httpx2.ConnectError).call("GET", "x")
    with pytest.raises(TransientError, match="does not answer \\(ReadTimeout\\)") as lost:
        failing(httpx2.ReadTimeout).call("GET", "x")
    assert not isinstance(lost.value, RefusedError)


def test_an_answer_without_end_is_not_read() -> None:
    with pytest.raises(TransientError, match="larger than 100 bytes"):
        answering(httpx2.Response(200, content=b"x" * 101), answer_bytes_max=100).call("GET", "x")


def test_an_answer_that_drips_is_given_up() -> None:
    class Dripping(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x"

    with pytest.raises(TransientError, match=r"does not answer \(ReadTimeout\)"):
        answering(httpx2.Response(200, stream=Dripping()), answer_s_max=0.05).call("GET", "x")


@pytest.mark.parametrize(
    "asked", [{"body": {"id": "\ud800"}}, {"form": {"cursor": "\ud800"}}, {"body": float("nan")}]
)
def test_what_cannot_be_written_down_is_not_asked(asked: dict[str, Any]) -> None:
    with pytest.raises(PoisonError, match="Chat cannot be asked that way"):
        answering(httpx2.Response(200)).call("POST", "x", **asked)
    with pytest.raises(PoisonError, match="Chat cannot be asked that way"):
        answering(httpx2.Response(200)).call("GET", "x?page=\x00")


def test_no_proxy_of_the_environment_gets_at_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving_calls(lambda call: (200, {"path": call.path})) as url:
        here = Caller("Chat", url)

        assert here.call("GET", "x").value == {"path": "/x"}
        here.close()
