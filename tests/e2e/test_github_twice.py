"""One suite, two GitHubs: our own and `emulate`'s. What holds on one only is listed, with why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest

from connectors import github
from connectors.channel import Post
from connectors.github_client import GitHubClient
from connectors.github_forge import GitHubForge
from connectors.github_http import GitHubHttp, RefusalError
from connectors.github_messenger import BODY_CHARS_MAX, GitHubMessenger, GitHubTracker
from connectors.github_reviewers import GitHubReviewers
from connectors.github_sign_in import App, Token
from connectors.governor import Governor
from processors.quoting import quiet
from schemas.accounts.github import LABELS
from schemas.errors import RefusedError
from schemas.fixes import FileEdit, Proposal
from schemas.places import Person
from schemas.projects import Project
from schemas.raw import Origin, origin_line
from schemas.values import Offer, Release
from tests.connectors.fakes import github_server
from tests.connectors.fakes.github_app import pem, pkcs8, public_key
from tests.connectors.fakes.github_site import Site
from tests.e2e import emulate

TOKEN, STRANGER, BRANCH = "ghp_bot", "ghp_ann", "bugstream/bug-2026-7f3k2/a1"
SECRET = "the-secret-of-this-hook"
REPO = "acme/shop"
KEY, TRACE = UUID(int=7), UUID(int=9)
HOOK_S_MAX = 10.0
LACKING = {
    "test_an_app_signs_in": "it checks an app's word with the private key, which cannot be done",
    "test_a_wrong_token_is_said_to_be_ours_to_change": "it takes any token for its first user",
    "test_only_new_comments_are_listed": "it takes `issues/comments` for the issue called so",
    "test_a_status_is_written_with_a_token": "it has no commit statuses",
    "test_a_branch_that_is_missing_is_refused": "it takes a pull request from no branch",
    "test_an_unchanged_list_costs_nothing": "it sends no ETag",
    "test_too_long_a_comment_is_refused": "it takes a body of any length",
    "test_a_delivery_is_made_again": "it cannot deliver again",
    "test_the_pull_request_of_a_commit_is_known": "it has no pull requests of a commit",
}
"""Tests that `emulate` must fail: the day one passes we want to know."""


@dataclass
class Place:
    """A GitHub with the repository `acme/shop`, known by its address only."""

    url: str
    commit: str
    """At the tip of our branch."""
    apps_work: bool = True
    opened: ExitStack = field(default_factory=ExitStack)

    def client(self, token: str = TOKEN) -> GitHubClient:
        return self.opened.enter_context(GitHubClient(GitHubHttp(self.url), Token(token)))

    def app(self) -> GitHubClient:
        http = GitHubHttp(self.url)
        sign_in = App(http, app_id="123", private_key=pem())
        return self.opened.enter_context(GitHubClient(http, sign_in))

    def checker(self) -> GitHubClient:
        """Return who may write checks: there an app that cannot sign in, so a token stands in."""
        if self.apps_work:
            return self.app()
        sign_in = Token(TOKEN, is_app=True)
        return self.opened.enter_context(GitHubClient(GitHubHttp(self.url), sign_in))

    def issue(self, title: str = "The total is wrong") -> Origin:
        made = self.client(STRANGER).send("POST", f"/repos/{REPO}/issues", {"title": title})
        return Origin(channel="github", container=REPO, item=str(made["number"]))

    def say(self, origin: Origin, body: str) -> None:
        path = f"/repos/{REPO}/issues/{origin.item}/comments"
        self.client(STRANGER).send("POST", path, {"body": body})

    def comments(self, origin: Origin) -> list[str]:
        path = f"/repos/{REPO}/issues/{origin.item}/comments"
        return [one["body"] for one in self.client().items(path)]

    def labels(self, origin: Origin) -> list[str]:
        path = f"/repos/{REPO}/issues/{origin.item}/labels"
        return [one["name"] for one in self.client().items(path)]


@contextmanager
def ours() -> Iterator[Place]:
    site = Site(app_key=public_key(), installations={REPO: 7})
    site.tokens = {TOKEN: "acme", STRANGER: "ann"}
    site.add_repo(REPO).branches[BRANCH] = "b" * 40
    with github_server.serve(site) as address:
        yield Place(f"{address}/api/v3", "b" * 40)


@contextmanager
def theirs() -> Iterator[Place]:
    app = {
        "app_id": 123,
        "slug": "bugstream",
        "name": "bugstream",
        "private_key": pkcs8(),
        "permissions": {"issues": "write", "checks": "write"},
        "installations": [{"installation_id": 7, "account": "acme"}],
    }
    seed = {
        "tokens": {
            TOKEN: {"login": "acme", "scopes": ["repo"]},
            STRANGER: {"login": "ann", "scopes": ["repo"]},
        },
        "github": {
            "users": [{"login": "acme"}, {"login": "ann"}],
            "repos": [{"owner": "acme", "name": "shop", "auto_init": True}],
            "apps": [app],
        },
    }
    with emulate.running("github", seed) as url:
        client = GitHubClient(GitHubHttp(url), Token(TOKEN))
        base = client.get(f"/repos/{REPO}/git/ref/heads/main")["object"]["sha"]
        client.send("POST", f"/repos/{REPO}/git/refs", {"ref": f"refs/heads/{BRANCH}", "sha": base})
        client.close()
        yield Place(url, base, apps_work=False)


@pytest.fixture(params=["ours", pytest.param("emulate", marks=emulate.needed)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    is_ours = request.param == "ours"
    lacking = LACKING.get(request.node.originalname)
    if lacking and not is_ours:
        request.node.add_marker(pytest.mark.xfail(reason=f"emulate: {lacking}", strict=True))
    with ours() if is_ours else theirs() as place, place.opened:
        yield place


# --- asking ---


def test_who_we_are(place: Place) -> None:
    assert place.client().login() == "acme"


def test_an_app_signs_in(place: Place) -> None:
    client = place.app()
    messenger, origin = GitHubMessenger(client, quiet), place.issue()

    assert client.login() == "bugstream[bot]"
    assert messenger.post(origin, "**Fixed.**", KEY) == messenger.find(origin, KEY)


def test_a_wrong_token_is_said_to_be_ours_to_change(place: Place) -> None:
    with pytest.raises(RefusedError, match=r"github\.token"):
        place.client("wrong").get("/user")


def test_what_is_not_there_is_not_found(place: Place) -> None:
    with pytest.raises(RefusalError) as caught:
        place.client().get(f"/repos/{REPO}/issues/99")

    assert caught.value.status == 404


def test_a_list_is_read_to_its_end(place: Place) -> None:
    for number in range(5):
        place.issue(f"Bug {number}")
    query = {"state": "all", "sort": "created", "direction": "asc", "per_page": "2"}
    found = place.client().items(f"/repos/{REPO}/issues", query)

    assert [one["title"] for one in found] == [f"Bug {number}" for number in range(5)]


def test_only_what_is_new_is_listed(place: Place) -> None:
    place.issue("Old")
    hence = "2099-01-01T00:00:00Z"
    client = place.client()

    assert list(client.items(f"/repos/{REPO}/issues", {"since": hence})) == []
    assert len(list(client.items(f"/repos/{REPO}/issues", {"since": "2020-01-01T00:00:00Z"}))) == 1


def test_only_new_comments_are_listed(place: Place) -> None:
    place.say(place.issue(), "me too")
    client, path = place.client(), f"/repos/{REPO}/issues/comments"

    assert list(client.items(path, {"since": "2099-01-01T00:00:00Z"})) == []
    assert len(list(client.items(path, {"since": "2020-01-01T00:00:00Z"}))) == 1


def test_an_unchanged_list_costs_nothing(place: Place) -> None:
    client = place.client()
    first = client.page(f"/repos/{REPO}/issues")

    assert first.etag
    assert client.page(f"/repos/{REPO}/issues", etag=first.etag).is_unchanged


# --- answering ---


def test_an_issue_is_answered_once(place: Place) -> None:
    origin = place.issue()
    place.say(origin, f"me too\n<!-- {origin_line(KEY)} -->")
    messenger = GitHubMessenger(place.client(), quiet)
    receipt = messenger.post(origin, "**Fixed.**", KEY)
    place.say(origin, "thanks")

    assert messenger.find(origin, KEY) == receipt
    assert messenger.post(origin, "**Fixed.**", KEY) == receipt
    assert messenger.find(origin, uuid4()) is None
    assert len(place.comments(origin)) == 3
    assert place.comments(origin)[1] == f"**Fixed.**\n\n<!-- {origin_line(KEY)} -->"


def test_too_long_a_comment_is_refused(place: Place) -> None:
    origin = place.issue()
    path = f"/repos/{REPO}/issues/{origin.item}/comments"
    with pytest.raises(RefusalError):
        place.client().send("POST", path, {"body": "x" * (BODY_CHARS_MAX + 1)})


def test_an_outcome_is_shown_by_one_label(place: Place) -> None:
    origin = place.issue()
    path = f"/repos/{REPO}/issues/{origin.item}/labels"
    place.client().send("POST", path, {"labels": ["help wanted"]})
    tracker = GitHubTracker(place.client(), LABELS, prefix="bugstream:")
    for outcome in ("could_not", "fixed", "fixed"):
        tracker.mark(origin, outcome)

    assert sorted(place.labels(origin)) == ["bugstream:fix-ready", "help wanted"]
    made = place.client().get(f"/repos/{REPO}/labels/bugstream:fix-ready")
    assert made["color"] == "1d76db"


# --- offering ---


@dataclass
class Pushed:
    """Stands for git: the branch is there."""

    commit: str

    def find(self, project: Project, branch: str) -> Release | None:
        return Release(branch, self.commit, "r", TRACE)

    def release(self, project: Project, *, branch: str, **_: Any) -> Release:
        return Release(branch, self.commit, "r", TRACE)


PROJECT = Project(id="shop", git_url="/srv/shop.git")


def offered(
    place: Place, client: GitHubClient, branch: str = BRANCH
) -> tuple[Release, Callable[[], Any]]:
    forge = GitHubForge(Pushed(place.commit), client, lambda _: REPO)
    made = forge.release(
        PROJECT,
        branch=branch,
        base_commit="a" * 40,
        proposal=Proposal(
            proposer="t", edits=(FileEdit(path="a", before=None, after="b"),), diff=""
        ),
        message="m",
        when=datetime(2026, 11, 22, tzinfo=UTC),
        trace_id=TRACE,
        offer=Offer("Fix it", "**A fix.**", "success", "Checks: 2 passed"),
    )
    return made, lambda: forge.find(PROJECT, branch)


def test_a_branch_is_offered_once_with_a_check(place: Place) -> None:
    made, _ = offered(place, place.checker())
    again, find = offered(place, place.checker())
    pulls = list(place.client().items(f"/repos/{REPO}/pulls", {"state": "all"}))
    path = f"/repos/{REPO}/commits/{place.commit}/check-runs"
    runs = list(place.client().items(path, under="check_runs"))

    assert made == again == find()
    assert (made.url, made.note) == (pulls[0]["html_url"], None)
    assert (len(pulls), len(runs)) == (1, 1)
    assert (runs[0]["conclusion"], runs[0]["external_id"]) == ("success", str(TRACE))


def test_a_status_is_written_with_a_token(place: Place) -> None:
    made, find = offered(place, place.client())

    assert made.note is None
    assert find() == made


def test_a_branch_that_is_missing_is_refused(place: Place) -> None:
    made, _ = offered(place, place.checker(), "bugstream/bug-2026-00000/a1")

    assert made.url is None
    assert "No pull request could be opened" in (made.note or "")


# --- who reviewed ---


def reviewed(place: Place, *events: str) -> dict[str, Any]:
    """Return a pull request of ours that a stranger has reviewed so."""
    body = {"title": "Fix it", "head": BRANCH, "base": "main"}
    pull = place.client().send("POST", f"/repos/{REPO}/pulls", body)
    for event in events:
        path = f"/repos/{REPO}/pulls/{pull['number']}/reviews"
        place.client(STRANGER).send("POST", path, {"event": event, "body": "I looked."})
    return pull


def test_who_reviewed_last_is_known(place: Place) -> None:
    pull = reviewed(place, "APPROVE", "COMMENT")
    path = f"/repos/{REPO}/pulls/{pull['number']}/reviews"
    place.client().send("POST", path, {"event": "COMMENT", "body": "Thank you."})
    reviewers = GitHubReviewers(place.client(), Governor("GitHub", 60))
    found = reviewers.of_pull(REPO, pull, until_s=time.monotonic() + HOOK_S_MAX)

    assert found == Person(name="ann", account="github:ann")


def test_what_nobody_else_reviewed_has_no_reviewer(place: Place) -> None:
    reviewers = GitHubReviewers(place.client(), Governor("GitHub", 60))
    found = reviewers.of_pull(REPO, reviewed(place), until_s=time.monotonic() + HOOK_S_MAX)

    assert found is None


def test_the_pull_request_of_a_commit_is_known(place: Place) -> None:
    pull = reviewed(place)
    found = place.client().items(f"/repos/{REPO}/commits/{place.commit}/pulls")

    assert [one["number"] for one in found] == [pull["number"]]


# --- webhooks ---


@dataclass
class Receiver:
    """What our door would see."""

    url: str = ""
    got: list[Post] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append(Post({n.lower(): v for n, v in self.headers.items()}, body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            if self.headers["x-github-event"] == "issues":
                made.came.set()

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


def hooked(place: Place, receiver: Receiver) -> str:
    config = {"url": receiver.url, "secret": SECRET, "content_type": "json"}
    body = {"name": "web", "config": config, "events": ["issues", "issue_comment"]}
    made = place.client().send("POST", f"/repos/{REPO}/hooks", body)
    return f"/repos/{REPO}/hooks/{made['id']}/deliveries"


def test_a_webhook_is_signed_so_that_our_door_takes_it(place: Place, receiver: Receiver) -> None:
    hooked(place, receiver)
    origin = place.issue()

    assert receiver.came.wait(HOOK_S_MAX)
    post = next(one for one in receiver.got if one.headers["x-github-event"] == "issues")
    assert github.DOOR.refusal(post, [SECRET], datetime.now(UTC)) is None
    assert github.DOOR.refusal(post, ["other"], datetime.now(UTC)) == "signature"
    (delivery,) = github.DOOR.read(post)
    assert delivery.origin.key == origin.key


def test_a_delivery_is_made_again(place: Place, receiver: Receiver) -> None:
    path = hooked(place, receiver)
    place.issue()
    assert receiver.came.wait(HOOK_S_MAX)
    until = time.monotonic() + HOOK_S_MAX
    while not (listed := list(place.client().items(path))) and time.monotonic() < until:
        time.sleep(0.02)
    first = next(one for one in listed if one["event"] == "issues")
    receiver.came.clear()
    place.client().call("POST", f"{path}/{first['id']}/attempts")

    assert receiver.came.wait(HOOK_S_MAX)
    ids = [one.headers["x-github-delivery"] for one in receiver.got]
    assert ids[-1] == ids[-2]
