"""How Slack and Discord are called."""

from __future__ import annotations

import httpx2
import pytest

from connectors.chat_http import ANSWER_BYTES_MAX, WAIT_S_DEFAULT, WAIT_S_MAX, Caller
from schemas.errors import LimitedError, TransientError
from tests.connectors.chat_servers import Handler


def caller(handle: Handler) -> Caller:
    return Caller("Chat", "https://chat.example/api", {}, transport=httpx2.MockTransport(handle))


def answering(response: httpx2.Response) -> Caller:
    return caller(lambda request: response)


def test_an_answer_below_500_is_handed_on() -> None:
    for status, value in ((200, {"a": 1}), (404, None)):
        found = answering(httpx2.Response(status, json=value)).call("GET", "x")

        assert (found.status, found.value) == (status, value)
    assert answering(httpx2.Response(200, content=b"<html>")).call("GET", "x").value is None


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "7"}, {}, 7.0),
        ({}, {"retry_after": 0.5}, 0.5),
        ({"retry-after": "soon"}, {"retry_after": 3}, 3.0),
        ({}, {}, WAIT_S_DEFAULT),
        ({"retry-after": "nan"}, {}, WAIT_S_DEFAULT),
        ({"retry-after": "1e99"}, {}, WAIT_S_MAX),
    ],
)
def test_a_limit_names_how_long_to_wait(
    headers: dict[str, str], body: dict[str, float], seconds: float
) -> None:
    with pytest.raises(LimitedError, match=f"Chat asks to wait {seconds:g} s") as raised:
        answering(httpx2.Response(429, headers=headers, json=body)).call("POST", "x")

    assert raised.value.retry_after_s == seconds


@pytest.mark.parametrize("status", [500, 503, 302])
def test_trouble_over_there_and_a_redirect_are_tried_again(status: int) -> None:
    response = httpx2.Response(status, headers={"location": "https://elsewhere.example/"})
    with pytest.raises(TransientError, match=str(status)):
        answering(response).call("POST", "x")


def test_no_answer_is_tried_again() -> None:
    def silent(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with pytest.raises(TransientError, match="does not answer \\(ConnectError\\)"):
        caller(silent).call("GET", "x")


def test_an_answer_without_end_is_not_read() -> None:
    with pytest.raises(TransientError, match="more than can be read"):
        answering(httpx2.Response(200, content=b"x" * (ANSWER_BYTES_MAX + 1))).call("GET", "x")
