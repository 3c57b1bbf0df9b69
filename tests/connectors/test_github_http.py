"""What an answer of GitHub means, and what is never done with one."""

from __future__ import annotations

import socket
import time
from typing import Any

import httpx2
import pytest

from connectors import github_http
from connectors.github_http import GitHubHttp, UnauthorizedError
from connectors.http_caller import Answer
from schemas.errors import LimitedError, PoisonError, TransientError

URL = "https://github.example/api/v3"


def answering(status: int, value: Any = None, **headers: str) -> GitHubHttp:
    named = {name.replace("_", "-"): said for name, said in headers.items()}

    def handle(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["x-github-api-version"] == github_http.VERSION
        assert request.headers["accept"] == "application/vnd.github+json"
        return httpx2.Response(status, json=value, headers=named)

    return GitHubHttp(URL, transport=httpx2.MockTransport(handle))


def call(http: GitHubHttp, **more: Any) -> Answer:
    return http.call("GET", "/user", authorization="Bearer t", **more)


def test_an_answer_is_read() -> None:
    answer = call(answering(200, {"login": "ann"}, etag='"1"'))

    assert (answer.status, answer.value, answer.headers["etag"]) == (200, {"login": "ann"}, '"1"')


@pytest.mark.parametrize(
    ("status", "said", "headers", "wait_s", "reason"),
    [
        (429, "", {"retry_after": "7"}, 7, "secondary"),
        (403, "You have exceeded a secondary rate limit.", {}, 60, "secondary"),
        (403, "You have exceeded a secondary rate limit.", {"retry_after": "9"}, 9, "secondary"),
        (403, "", {"retry_after": "99999999"}, 3_700, "secondary"),
        (403, "", {"retry_after": "soon"}, 60, "secondary"),
        (429, "", {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1"}, 1, "primary"),
        (
            403,
            "API rate limit exceeded for user ID 1.",
            {"x_ratelimit_remaining": "0", "x_ratelimit_resource": "core"},
            60,
            "primary core",
        ),
    ],
)
def test_a_limit_says_how_long_and_which(
    status: int, said: str, headers: dict[str, str], wait_s: float, reason: str
) -> None:
    with pytest.raises(LimitedError) as caught:
        call(answering(status, {"message": said}, **headers))

    assert (caught.value.retry_after_s, caught.value.reason) == (wait_s, reason)


def test_the_hourly_limit_is_waited_for_until_it_ends() -> None:
    reset = str(int(time.time()) + 1000)
    with pytest.raises(LimitedError) as caught:
        call(answering(403, {}, x_ratelimit_remaining="0", x_ratelimit_reset=reset))

    assert 990 < caught.value.retry_after_s <= 1002


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_trouble_of_theirs_may_pass(status: int) -> None:
    with pytest.raises(TransientError, match=str(status)):
        call(answering(status))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "does not let our account"),
        (404, "no such thing"),
        (410, "gone"),
        (422, "cannot do"),
        (301, "new name"),
        (307, "new name"),
        (418, "refused"),
    ],
)
def test_a_refusal_is_said_in_words(status: int, words: str) -> None:
    with pytest.raises(PoisonError, match=words):
        call(answering(status, {"message": "because"}, location="https://elsewhere.example"))


def test_what_github_complains_of_is_passed_on_cut_short() -> None:
    value = {"message": "Validation Failed", "errors": [{"code": "invalid"}, "odd"]}
    with pytest.raises(PoisonError, match="Validation Failed; invalid"):
        call(answering(422, value))
    with pytest.raises(PoisonError) as caught:
        call(answering(422, {"message": "x" * 9_000}))

    assert len(str(caught.value)) < 300


def test_nobody_known_is_a_case_of_its_own() -> None:
    with pytest.raises(UnauthorizedError):
        call(answering(401, {"message": "Bad credentials"}))


def test_what_is_unchanged_is_an_answer_only_to_those_who_asked_so() -> None:
    assert call(answering(304), etag='"1"').status == 304
    with pytest.raises(PoisonError):
        call(answering(304))


@pytest.mark.parametrize("content", [b"<html>", b"[" * 200_000])
def test_what_is_no_json_is_no_answer(content: bytes) -> None:
    handle = httpx2.MockTransport(lambda _: httpx2.Response(200, content=content))
    with pytest.raises(TransientError, match="JSON"):
        call(GitHubHttp(URL, transport=handle))


def test_a_list_goes_on_where_it_says() -> None:
    http = answering(200, [], link=f'<{URL}/a?page=2>; rel="next", <{URL}/a?page=9>; rel="last"')

    assert http.next_query(call(http)) == "page=2"
    assert http.next_query(call(answering(200, []))) is None


def test_what_is_no_link_is_no_way_on() -> None:
    http = answering(200, [], link='<https://[::1/a?page=2>; rel="next"')
    with pytest.raises(TransientError, match="is none"):
        http.next_query(call(http))


def test_a_call_ends_in_the_time_that_it_is_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        http = GitHubHttp(f"http://127.0.0.1:{silent.getsockname()[1]}", answer_s_max=0.2)
        began_s = time.monotonic()
        with pytest.raises(TransientError, match="does not answer"):
            call(http)
        http.close()

    assert time.monotonic() - began_s < 10


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/api/v3/a?page=2",
        "http://github.example/api/v3/a?page=2",
        "https://github.example:444/api/v3/a?page=2",
        "https://github.example@evil.example/api/v3/a?page=2",
    ],
)
def test_a_list_never_goes_on_at_another_host(elsewhere: str) -> None:
    http = answering(200, [], link=f'<{elsewhere}>; rel="next"')
    with pytest.raises(TransientError, match="another host"):
        http.next_query(call(http))
