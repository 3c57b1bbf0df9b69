"""Every call is one that GitHub describes, and every answer is understood."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from connectors.github_client import PAGES_MAX, GitHubClient, issue_path, repo_path
from connectors.github_http import GitHubHttp
from connectors.github_sign_in import Token
from schemas.errors import PoisonError, RefusedError, TransientError

URL = "https://github.example/api/v3"


def answering(*answers: httpx2.Response) -> tuple[GitHubClient, list[httpx2.Request]]:
    left, seen = list(answers), []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return left.pop(0)

    http = GitHubHttp(URL, transport=httpx2.MockTransport(handle))
    return GitHubClient(http, Token("t")), seen


def ok(value: Any, **headers: str) -> httpx2.Response:
    return httpx2.Response(200, json=value, headers=headers)


def test_a_list_is_followed_to_its_end() -> None:
    client, seen = answering(
        ok([{"id": 1}, "odd"], link=f'<{URL}/repositories/7/issues?page=2>; rel="next"'),
        ok([{"id": 2}]),
    )

    assert [one["id"] for one in client.items("/repos/a/b/issues", {"state": "all"})] == [1, 2]
    assert str(seen[0].url) == f"{URL}/repos/a/b/issues?per_page=100&state=all"
    assert str(seen[1].url) == f"{URL}/repositories/7/issues?page=2"
    assert seen[1].headers["authorization"] == "Bearer t"


def test_a_list_that_does_not_end_is_given_up() -> None:
    more = {"link": f'<{URL}/x>; rel="next"'}
    client, _ = answering(*(ok([], **more) for _ in range(PAGES_MAX + 1)))
    with pytest.raises(TransientError, match="pages"):
        list(client.items("/repos/a/b/issues"))


def test_a_list_inside_an_object_is_read_by_its_name() -> None:
    client, _ = answering(ok({"total_count": 1, "check_runs": [{"id": 1}]}))

    assert list(client.items("/x", under="check_runs")) == [{"id": 1}]


def test_what_has_not_changed_is_not_read_again() -> None:
    client, seen = answering(ok([{"id": 1}], etag='W/"1"'), httpx2.Response(304))
    first = client.page("/repos/a/b/issues")
    second = client.page("/repos/a/b/issues", etag=first.etag)

    assert (first.is_unchanged, second.is_unchanged, second.items) == (False, True, ())
    assert seen[1].headers["if-none-match"] == 'W/"1"'


def test_a_refused_token_names_the_setting() -> None:
    client, seen = answering(httpx2.Response(401, json={"message": "Bad credentials"}))
    with client, pytest.raises(RefusedError, match=r"Bad credentials; see github\.token"):
        client.get("/user")

    assert len(seen) == 1


class Renewing:
    is_app, setting = True, "the app"

    def __init__(self) -> None:
        self.tokens = ["old", "new"]

    def authorization(self, path: str) -> str:
        assert path == "/repos/a/b"
        return self.tokens[0]

    def again(self, path: str) -> bool:
        return len(self.tokens) > 1 and bool(self.tokens.pop(0))


@pytest.mark.parametrize("target", ["/repos/a/b", f"{URL}/repos/a/b"])
def test_a_token_is_renewed_once(target: str) -> None:
    seen = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["authorization"])
        return httpx2.Response(401 if len(seen) != 2 else 200, json={})

    http = GitHubHttp(URL, transport=httpx2.MockTransport(handle))
    client = GitHubClient(http, Renewing())
    client.call("GET", target)

    assert seen == ["old", "new"]
    with pytest.raises(RefusedError, match="see the app"):
        client.call("GET", target)


def test_whose_comments_are_ours_is_asked_once() -> None:
    client, seen = answering(ok({"login": "bot"}))

    assert [client.login(), client.login()] == ["bot", "bot"]
    assert len(seen) == 1


def test_a_token_that_may_not_ask_who_it_is_does_not_know() -> None:
    client, seen = answering(httpx2.Response(403, json={"message": "Resource not accessible"}))

    assert [client.login(), client.login()] == [None, None]
    assert len(seen) == 1


@pytest.mark.parametrize(
    "name", ["acme", "acme/shop/x", "../x", "a/..", "a/.", "a b/c", "", "/a", "a/b?c", "a/é"]
)
def test_what_is_no_repository_is_never_part_of_a_path(name: str) -> None:
    with pytest.raises(PoisonError):
        repo_path(name)


def test_paths() -> None:
    assert repo_path("acme/.github") == "/repos/acme/.github"
    assert issue_path("acme/shop", "7") == "/repos/acme/shop/issues/7"
    for number in ("0", "x", "7/comments", "", "-1", "delivery/7", "٣"):
        with pytest.raises(PoisonError):
            issue_path("acme/shop", number)
