"""A receiver that is killed in the middle, and what GitHub has to say afterwards.

Real processes: `bugstream run gateway pollers` without any Kafka, and `emulate` or our fake as
GitHub, with signed webhooks that are sent once and never again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors.blobs import MemoryBlobs
from connectors.github import Event, read
from processors.dedupe import DedupeState
from processors.normalize import normalize
from schemas.raw import RawReceived
from schemas.reports import ReportNormalized
from streams.channels import PARSERS
from tests.connectors.fakes.github_server import serve
from tests.connectors.fakes.github_site import TOKEN, Site
from tests.e2e import emulate
from tests.e2e.receiver import Receiver, receiver

SECRET = "the-secret-of-this-test"
REPOSITORY = "ann/shop"
STEP_S_MAX = 60.0
ISSUES = 24
KILLED_AT, BACK_AT = 8, 18
SEED = {
    "tokens": {TOKEN: {"login": "ann", "scopes": ["repo", "admin:repo_hook"]}},
    "github": {"users": [{"login": "ann"}], "repos": [{"owner": "ann", "name": "shop"}]},
}


SIGNED_IN = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Other:
    """A GitHub that is not ours: its address, and which lists it has."""

    url: str
    lists: tuple[str, ...]


def settings(folder: Path, github: str) -> dict[str, Any]:
    return {
        "data_dir": folder / "data",
        "github_webhook_secrets": (SECRET,),
        "github": {"url": github, "token": TOKEN, "poll_every_s": 5},
        "project": ({"id": "shop", "sources": (f"github:{REPOSITORY}",)},),
    }


def news(place: Receiver) -> dict[str, list[str]]:
    """Return of every entity the meanings that go on to the stages, in order."""
    found: dict[str, list[str]] = {}
    for raw in place.kept():
        event: Event = "issues" if raw.route == "github/issues" else "issue_comment"
        said = read(event, (raw.body or "").encode(), delivery_id="x")
        found.setdefault(said.entity, []).append(said.meaning)
    return found


def wait_until(is_so: Callable[[], bool], here: Receiver) -> None:
    deadline = time.monotonic() + STEP_S_MAX
    while not is_so():
        assert time.monotonic() < deadline, here.said()
        time.sleep(0.1)


def told(client: httpx2.Client, method: str, path: str, said: dict[str, Any]) -> Any:
    answer = client.request(method, f"/repos/{REPOSITORY}{path}", json=said)
    assert answer.is_success, answer.text
    return answer.json()


def a_busy_day(client: httpx2.Client, on: Receiver, *workers: str) -> None:
    """Open, edit, close and comment, while the receiver is killed and comes back."""
    for turn in range(1, ISSUES + 1):
        if turn == KILLED_AT:
            on.kill()
        if turn == BACK_AT:
            on.start(*workers)
        number = told(client, "POST", "/issues", {"title": f"Bug {turn}", "body": "It fails."})[
            "number"
        ]
        comment = told(client, "POST", f"/issues/{number}/comments", {"body": f"Seen {turn} times"})
        if turn % 3 == 0:
            told(client, "PATCH", f"/issues/{number}", {"body": "It fails at noon."})
            told(client, "PATCH", f"/issues/comments/{comment['id']}", {"body": "Seen at noon"})
        if turn % 4 == 0:
            told(client, "PATCH", f"/issues/{turn // 2}", {"state": "closed"})


def as_it_is(client: httpx2.Client, there: Other) -> dict[str, str]:
    """Return what GitHub holds, not by our poller: of each entity its meaning."""
    place = {"repository": {"full_name": REPOSITORY}}
    found: dict[str, str] = {}
    for issue in client.get(f"/repos/{REPOSITORY}/issues?state=all&per_page=100").json():
        said = read("issues", json.dumps({"issue": issue, **place}).encode(), delivery_id="x")
        found[said.entity] = said.meaning
    if "comments" not in there.lists:
        return found
    for comment in client.get(f"/repos/{REPOSITORY}/issues/comments?per_page=100").json():
        issue = {"number": int(comment["issue_url"].rpartition("/")[2])}
        body = json.dumps({"issue": issue, "comment": comment, **place}).encode()
        said = read("issue_comment", body, delivery_id="x")
        found[said.entity] = said.meaning
    return found


def titles_and_states(events: list[RawReceived]) -> tuple[set[tuple[str, str]], list[str]]:
    """Return how reports stand at the end of the short stages, and what was said of bugs."""
    state, blobs, stand, said = DedupeState(0), MemoryBlobs(), {}, []
    for raw in events:
        for one in normalize(raw, blobs, (), PARSERS):
            decided = state.decide(one).events
            said += [event.type for event in decided]
            if isinstance(one, ReportNormalized) and decided:
                stand[one.report.report_id] = (one.report.title, one.report.status)
    return set(stand.values()), said


@contextmanager
def others_github() -> Iterator[Other]:
    with emulate.running("github", SEED) as url:
        # It takes `/issues/comments` for the issue called "comments": it cannot list them.
        yield Other(url, ("issues",))


@contextmanager
def our_fake() -> Iterator[Other]:
    site = Site(now=datetime.now(UTC) - timedelta(minutes=10))
    site.tokens[TOKEN] = "ann"
    site.add_repo(REPOSITORY)
    with serve(site) as address:
        yield Other(f"{address}/api/v3", ("issues", "comments"))


GITHUBS = pytest.mark.parametrize(
    "github", [pytest.param(others_github, marks=emulate.needed), our_fake]
)


@GITHUBS
@pytest.mark.timeout(300)
def test_a_receiver_killed_in_the_middle_has_everything_in_the_end_and_nothing_twice(
    tmp_path: Path, github: Callable[[], Any]
) -> None:
    with (
        github() as there,
        receiver(settings(tmp_path, there.url)) as here,
        httpx2.Client(base_url=there.url, headers=SIGNED_IN) as client,
    ):
        here.start()
        hook(client, here)
        a_busy_day(client, here)
        truth = as_it_is(client, there)
        wait_until(lambda: truth.items() <= newest(here).items(), here)
        here.kill()
        events, told_of = here.kept(), news(here)
        stand, said = titles_and_states(events)

    assert len(truth) == ISSUES * len(there.lists)
    by_hook = {raw.origin.item for raw in events if not raw.delivery_id.startswith("poll/")}
    by_asking = {raw.origin.item for raw in events if raw.delivery_id.startswith("poll/")}
    assert by_hook - by_asking
    assert len(by_asking - by_hook) >= BACK_AT - KILLED_AT - 2
    for entity, meanings in told_of.items():
        assert all(a != b for a, b in pairwise(meanings)), entity
    closed = {turn // 2 for turn in range(4, ISSUES + 1, 4)}
    assert stand == {
        (f"Bug {turn}", "closed" if turn in closed else "open") for turn in range(1, ISSUES + 1)
    }
    assert said.count("bug.opened") + said.count("report.linked") == ISSUES


@GITHUBS
@pytest.mark.timeout(300)
def test_without_the_pollers_something_is_missing(
    tmp_path: Path, github: Callable[[], Any]
) -> None:
    """The negative control: the same day, and webhooks alone."""
    with (
        github() as there,
        receiver(settings(tmp_path, there.url)) as here,
        httpx2.Client(base_url=there.url, headers=SIGNED_IN) as client,
    ):
        here.start("gateway")
        hook(client, here)
        a_busy_day(client, here, "gateway")
        last = told(client, "POST", "/issues", {"title": "The last one"})["number"]
        wait_until(lambda: f"github:{REPOSITORY}#{last}" in news(here), here)
        missing = as_it_is(client, there).keys() - news(here).keys()

    assert len(missing) >= (BACK_AT - KILLED_AT - 2) * len(there.lists)


@pytest.mark.timeout(300)
def test_what_no_list_shows_any_more_is_delivered_again(tmp_path: Path) -> None:
    """A deletion is in no list: it comes back because the failed delivery is asked for again."""
    site = Site(now=datetime.now(UTC) - timedelta(minutes=10))
    repo = site.add_repo(REPOSITORY)
    with serve(site) as address:
        github = f"{address}/api/v3"
        with receiver(settings(tmp_path, github)) as here:
            here.start()
            ours = f"{here.url}/webhooks/github"
            site.hooks.add(site, repo, ours, SECRET, "*")
            number = site.add_issue(REPOSITORY, "Total is wrong")
            wait_until(lambda: len(here.kept()) == 1, here)
            here.kill()
            issue = repo.issues.pop(number)
            site._tell(repo, "issues", "deleted", "ann", issue=issue)
            assert [one.item["status_code"] for one in site.hooks.deliveries] == [202, 0]
            assert here.settings.github is not None
            known = {"webhook_url": ours}
            here.start(github=here.settings.github.model_copy(update=known))
            wait_until(lambda: len(here.kept()) == 2, here)
            tries = [one.item["status_code"] for one in site.hooks.deliveries]
            _, said = titles_and_states(here.kept())

    assert tries == [202, 0, 202]
    assert said == ["bug.opened", "comment.added"]


def hook(client: httpx2.Client, here: Receiver) -> None:
    config = {"url": f"{here.url}/webhooks/github", "content_type": "json", "secret": SECRET}
    events = ["issues", "issue_comment"]
    told(client, "POST", "/hooks", {"name": "web", "config": config, "events": events})


def newest(here: Receiver) -> dict[str, str]:
    return {entity: meanings[-1] for entity, meanings in news(here).items()}
