"""Every call is one that GitHub describes, and every answer is understood."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from connectors.github_client import PAGES_MAX, GitHubClient, issue_path, repo_path
from connectors.github_http import GitHubHttp, RefusalError
from connectors.github_sign_in import App, SignIn, Token
from schemas.errors import PoisonError, RefusedError, TransientError
from tests.connectors.fakes.github_app import pem, public_key
from tests.connectors.fakes.github_site import TOKEN, Site

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
    assert str(seen[1].url) == f"{URL}/repos/a/b/issues?page=2"
    assert seen[1].headers["authorization"] == "Bearer t"


def test_a_list_that_does_not_end_is_given_up() -> None:
    more = {"link": f'<{URL}/x?page=2>; rel="next"'}
    client, _ = answering(*(ok([], **more) for _ in range(PAGES_MAX + 1)))
    with pytest.raises(TransientError, match="pages"):
        list(client.items("/repos/a/b/issues"))


def test_a_list_inside_an_object_is_read_by_its_name() -> None:
    client, _ = answering(ok({"total_count": 1, "check_runs": [{"id": 1}]}))

    assert list(client.items("/x", under="check_runs")) == [{"id": 1}]


@pytest.mark.parametrize(("value", "under"), [({}, ""), (None, ""), ([], "hooks"), ({}, "hooks")])
def test_what_cannot_be_read_is_not_nothing(value: object, under: str) -> None:
    client, _ = answering(ok(value))
    with pytest.raises(TransientError, match="GitHub's answer holds no list"):
        client.page("/repos/a/b/x", under=under)


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


def test_a_token_is_renewed_once() -> None:
    seen = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["authorization"])
        return httpx2.Response(401 if len(seen) != 2 else 200, json={})

    http = GitHubHttp(URL, transport=httpx2.MockTransport(handle))
    client = GitHubClient(http, Renewing())
    client.get("/repos/a/b")

    assert seen == ["old", "new"]
    with pytest.raises(RefusedError, match="see the app"):
        client.get("/repos/a/b")


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


# --- against the fake, which holds every call against GitHub's description ---


@pytest.fixture
def site() -> Site:
    site = Site(page_items=2)
    site.add_repo("acme/shop")
    for number in range(1, 6):
        site.add_issue("acme/shop", f"Bug {number}")
    return site


def of(site: Site, sign_in: SignIn | None = None) -> GitHubClient:
    http = GitHubHttp(site.base_url, transport=site.transport())
    return GitHubClient(http, sign_in or Token(TOKEN))


def test_all_pages_of_a_real_list_are_read(site: Site) -> None:
    query = {"state": "all", "sort": "updated", "direction": "asc"}
    found = list(of(site).items("/repos/acme/shop/issues", query))

    assert [one["title"] for one in found] == [f"Bug {number}" for number in range(1, 6)]
    assert [urlsplit(target).query for _, target, _ in site.calls] == [
        "per_page=100&state=all&sort=updated&direction=asc",
        "per_page=100&state=all&sort=updated&direction=asc&page=2",
        "per_page=100&state=all&sort=updated&direction=asc&page=3",
    ]


def test_an_app_reads_all_pages_with_the_token_of_its_installation(site: Site) -> None:
    site.app_key, site.installations = public_key(), {"acme/shop": 7}
    http = GitHubHttp(site.base_url, transport=site.transport())
    client = GitHubClient(http, App(http, app_id="123", private_key=pem()))

    assert len(list(client.items("/repos/acme/shop/issues"))) == 5
    assert client.login() == "bugstream[bot]"
    assert [target for _, target, _ in site.calls[:2]] == [
        "/api/v3/repos/acme/shop/installation",
        "/api/v3/app/installations/7/access_tokens",
    ]
    site.tokens.clear()  # As when the app's tokens are revoked.
    assert len(list(client.items("/repos/acme/shop/issues"))) == 5


def test_an_unchanged_list_is_known_by_its_tag(site: Site) -> None:
    client = of(site)
    first = client.page("/repos/acme/shop/issues")
    assert client.page("/repos/acme/shop/issues", etag=first.etag).is_unchanged
    site.add_issue("acme/shop", "Another")

    assert not client.page("/repos/acme/shop/issues", etag=first.etag).is_unchanged


def test_an_unknown_token_and_an_unknown_repository_are_told_apart(site: Site) -> None:
    with pytest.raises(RefusedError, match=r"github\.token"):
        of(site, Token("other")).get("/repos/acme/shop")
    with pytest.raises(RefusalError, match="may not see it") as caught:
        of(site).get("/repos/acme/other")

    assert caught.value.status == 404
