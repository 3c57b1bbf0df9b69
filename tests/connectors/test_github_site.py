"""The played GitHub, driven by a client of others: PyGithub. So it is not marked by its author."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from github import Auth, Github, GithubException, GithubIntegration, UnknownObjectException
from github.Repository import Repository
from openapi_core.exceptions import OpenAPIError

from connectors import github
from connectors.channel import Post
from tests.connectors.fakes import github_server
from tests.connectors.fakes.github_app import pem, public_key
from tests.connectors.fakes.github_described import check, description
from tests.connectors.fakes.github_site import TOKEN, Site

SECRET = "the-secret-of-this-hook"


@pytest.fixture
def site() -> Site:
    site = Site(page_items=2, app_key=public_key(), installations={"acme/shop": 7})
    site.add_repo("acme/shop").branches["topic"] = "b" * 40
    for number in range(1, 6):
        site.add_issue("acme/shop", f"Bug {number}", "It fails.")
    return site


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with github_server.serve(site) as address:
        yield f"{address}/api/v3"


@contextmanager
def pygithub(address: str, auth: Auth.Auth | None = None) -> Iterator[Repository]:
    options: dict[str, Any] = {"retry": None, "seconds_between_requests": 0}
    with Github(
        base_url=address,
        auth=auth or Auth.Token(TOKEN),
        seconds_between_writes=0,
        **options,
    ) as client:
        yield client.get_repo("acme/shop")


def test_issues_and_comments_are_read_by_pages_and_written(site: Site, address: str) -> None:
    with pygithub(address) as repo:
        assert [one.title for one in repo.get_issues(state="all", direction="asc")] == [
            f"Bug {number}" for number in range(1, 6)
        ]
        issue = repo.create_issue("Another", "It fails too.")
        for word in ("one", "two", "three"):
            issue.create_comment(word)

        assert issue.number == 6
        assert [one.body for one in repo.get_issue(6).get_comments()] == ["one", "two", "three"]
        assert issue.user.login == "bugstream-bot"
        issue.edit(state="closed")
        assert repo.get_issues(state="closed")[0].number == 6
        assert [one.body for one in repo.get_issues_comments(sort="updated")][:1] == ["one"]


def test_what_is_not_there_is_not_found(address: str) -> None:
    with pygithub(address) as repo, pytest.raises(UnknownObjectException):
        repo.get_issue(99)
    with (
        pytest.raises(GithubException, match="Bad credentials"),
        pygithub(address, Auth.Token("wrong")),
    ):
        pass


def test_labels_are_made_put_on_and_taken_off(address: str) -> None:
    with pygithub(address) as repo:
        issue = repo.get_issue(1)
        repo.create_label("bugstream:fix-ready", "1d76db", "ours")
        issue.add_to_labels("bugstream:fix-ready", "bug")

        assert [one.name for one in issue.get_labels()] == ["bugstream:fix-ready", "bug"]
        issue.remove_from_labels("bugstream:fix-ready")
        assert [one.name for one in repo.get_issue(1).labels] == ["bug"]
        with pytest.raises(GithubException, match="already_exists"):
            repo.create_label("bug", "ffffff")
        with pytest.raises(GithubException, match="Label does not exist"):
            issue.remove_from_labels("bugstream:fix-ready")


def test_a_pull_request_wants_branches_that_are_there_and_comes_once(address: str) -> None:
    with pygithub(address) as repo:
        made = repo.create_pull(base="main", head="topic", title="Fix", body="It adds up.")

        assert (made.number, made.head.ref, made.base.ref) == (6, "topic", "main")
        assert [one.number for one in repo.get_pulls(state="all", head="acme:topic")] == [6]
        assert repo.get_pulls(state="all", head="acme:other").totalCount == 0
        assert repo.get_issue(6).pull_request is not None
        with pytest.raises(GithubException, match="already exists for acme:topic") as caught:
            repo.create_pull(base="main", head="topic", title="Fix again")
        assert caught.value.status == 422
        assert made.create_review(body="Not yet.", event="COMMENT").state == "COMMENTED"
        assert [one.user.login for one in made.get_reviews()] == [made.user.login]
        with pytest.raises(GithubException, match="approve your own"):
            made.create_review(body="Good.", event="APPROVE")
        for base, head in (("main", "gone"), ("gone", "topic"), ("main", "main")):
            with pytest.raises(GithubException, match="422"):
                repo.create_pull(base=base, head=head, title="Fix")


def test_an_app_gets_tokens_and_alone_writes_check_runs(address: str) -> None:
    auth = Auth.AppAuth(123, pem())
    integration = GithubIntegration(auth=auth, base_url=address)
    installation = integration.get_repo_installation("acme", "shop")

    assert installation.id == 7
    with pygithub(address, auth.get_installation_auth(7)) as repo:
        run = repo.create_check_run(
            name="bugstream",
            head_sha="b" * 40,
            status="completed",
            conclusion="success",
            external_id="trace",
            output={"title": "Checks: 2 passed", "summary": "All of them."},
        )
        assert (run.conclusion, run.external_id) == ("success", "trace")
        assert repo.get_issue(1).create_comment("hello").user.login == "bugstream[bot]"
    integration.close()
    with pygithub(address) as repo, pytest.raises(GithubException, match="GitHub App"):
        repo.create_check_run(name="bugstream", head_sha="b" * 40)


def test_files_are_read_and_folders_listed(site: Site, address: str) -> None:
    site.repos["acme/shop"].files[".github/ISSUE_TEMPLATE/bug.yml"] = "name: Bug\n"
    with pygithub(address) as repo:
        (listed,) = repo.get_contents(".github/ISSUE_TEMPLATE")  # type: ignore[misc]
        found = repo.get_contents(listed.path)

        assert found.decoded_content == b"name: Bug\n"  # type: ignore[union-attr]


# --- webhooks ---


@dataclass
class Receiver:
    """Our door's view of what comes in; while `down` it answers 500."""

    url: str = ""
    down: threading.Event = field(default_factory=threading.Event)
    got: list[Post] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if not made.down.is_set():
                headers = {name.lower(): value for name, value in self.headers.items()}
                made.got.append(Post(headers, body))
            self.send_response(500 if made.down.is_set() else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/webhooks/github"
    yield made
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_webhook_is_signed_so_that_our_door_takes_it(
    site: Site, address: str, receiver: Receiver
) -> None:
    with pygithub(address) as repo:
        config = {"url": receiver.url, "secret": SECRET, "content_type": "json"}
        repo.create_hook("web", config, ["issues", "issue_comment"])
        repo.create_issue("The total is wrong").create_comment("me too")
        repo.create_label("not-heard-of", "ffffff")

    assert [post.headers["x-github-event"] for post in receiver.got] == ["issues", "issue_comment"]
    for post in receiver.got:
        assert github.DOOR.refusal(post, [SECRET], site.now) is None
        assert github.DOOR.refusal(post, ["other"], site.now) == "signature"
        (delivery,) = github.DOOR.read(post)
        assert delivery.origin.key == "github:acme/shop#6"
        made = hmac.new(SECRET.encode(), post.body, hashlib.sha256).hexdigest()
        assert post.headers["x-hub-signature-256"] == f"sha256={made}"


def test_what_failed_is_listed_and_delivered_again_with_the_same_id(
    site: Site, address: str, receiver: Receiver
) -> None:
    receiver.down.set()
    repo_there = site.repos["acme/shop"]
    hook = site.hooks.add(site, repo_there, receiver.url, SECRET, "issues")
    gone = site.hooks.add(site, repo_there, "http://127.0.0.1:1/", SECRET, "issues")
    for number in range(3):
        site.add_issue("acme/shop", f"Lost {number}")
    receiver.down.clear()
    with pygithub(address) as repo:
        listed = list(repo.get_hook_deliveries(hook["id"]))

        assert [(one.status_code, one.redelivery) for one in listed] == [(500, False)] * 3
        assert [one.status_code for one in repo.get_hook_deliveries(gone["id"])] == [0] * 3
        path = f"/repos/acme/shop/hooks/{hook['id']}/deliveries/{listed[0].id}/attempts"
        repo.requester.requestJsonAndCheck("POST", path)
        again = next(iter(repo.get_hook_deliveries(hook["id"])))

    assert (again.status_code, again.redelivery, again.guid) == (202, True, listed[0].guid)
    assert [post.headers["x-github-delivery"] for post in receiver.got] == [listed[0].guid]


# --- the description ---


def test_no_call_that_we_know_is_going_away() -> None:
    for path, calls in description()["paths"].items():
        for method, call in calls.items():
            assert not call.get("deprecated"), (method, path)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "answered"),
    [
        ("POST", "/repos/a/b/issues/1/comments", {"text": "x"}, 201, {}),
        ("POST", "/repos/a/b/pulls", {"title": "x"}, 201, {}),
        ("POST", "/repos/a/b/statuses/c", {"state": "green"}, 201, {}),
        ("PUT", "/repos/a/b/issues/1", {}, 200, {}),
        ("GET", "/nowhere", None, 200, {}),
        ("GET", "/repos/a/b/issues/1", None, 200, {"number": 1}),
        ("GET", "/repos/a/b/issues/1/comments", None, 200, [{"id": "1"}]),
    ],
)
def test_the_description_catches_wrong_calls_and_wrong_answers(
    method: str, path: str, body: Any, status: int, answered: Any
) -> None:
    asked = b"" if body is None else json.dumps(body).encode()
    with pytest.raises(OpenAPIError):
        check(method, path, "", asked, status, json.dumps(answered).encode())
