"""GitHub by webhook, by asking and by redelivery: one inbox, nothing missing, nothing doubled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.blobs import MemoryBlobs
from connectors.channel import Delivery, Post
from connectors.github import DOOR, Event, read
from connectors.github_poller import GitHubPoller
from connectors.inbox import Inbox
from connectors.poll_cursors import PollCursors
from processors.dedupe import DedupeState
from processors.normalize import normalize
from schemas.raw import RawReceived
from schemas.reports import ReportNormalized
from streams.channels import PARSERS
from streams.polling import Polling
from streams.receiving import accept, inbound_of
from tests.connectors.fakes.github_site import Site
from tests.connectors.test_github_poller import Wire, poller
from tests.streams.monitored import kept

NAME = "acme/shop"
ITEM = st.integers(1, 3)
WORD = st.sampled_from(["wrong", "Wrong", "wrong again", "fine"])
DOES = st.one_of(
    st.tuples(st.just("opens"), WORD),
    st.tuples(st.just("edits"), ITEM, WORD),
    st.tuples(st.just("closes"), ITEM),
    st.tuples(st.just("says"), ITEM, WORD),
    st.tuples(st.just("rewords"), ITEM, WORD),
)
ARRIVES = st.sampled_from(["arrives", "is lost"])
STEP = st.one_of(
    st.tuples(DOES, ARRIVES), st.tuples(st.just(("is asked",)), st.just("arrives")),
)  # fmt: skip


class World:
    """One repository with its webhooks, and what we keep of it."""

    def __init__(self, folder: str) -> None:
        self.site = Site(hooks=Wire())
        self.site.add_repo(NAME)
        self.inbox, self.blobs = Inbox.open(f"{folder}/inbox.sqlite"), MemoryBlobs()
        self.polling = Polling((), self.inbox, self.blobs, PollCursors(self.inbox.engine))
        self.poller: GitHubPoller = poller(self.site)
        self.states: dict[str, list[str]] = {}
        """Of every entity the meanings it has had, the same one only once in a row."""

    @property
    def sent(self) -> list[tuple[Event, str, bytes]]:
        assert isinstance(self.site.hooks, Wire)
        return self.site.hooks.sent

    def does(self, what: str, *more: Any) -> None:
        if what == "is asked":
            assert self.polling.round(self.poller) is None
            return
        before = len(self.sent)
        step: Callable[..., None] = getattr(self, f"_{what}")
        step(*more)
        for event, guid, body in self.sent[before:]:
            said = read(event, body, delivery_id=guid)
            had = self.states.setdefault(said.entity, [])
            if had[-1:] != [said.meaning]:
                had.append(said.meaning)

    def deliver(self, event: Event, guid: str, body: bytes) -> None:
        headers = {"x-github-event": event, "x-github-delivery": guid}
        for said in DOOR.read(Post(headers, body)):
            assert isinstance(said, Delivery)
            accept(self.inbox, self.blobs, inbound_of(said, route=DOOR.name, body=body))

    def news(self) -> dict[str, list[str]]:
        """Return what goes on to the stages: of every entity the meanings, in order."""
        found: dict[str, list[str]] = {}
        for raw in kept(self.inbox):
            said = read(event_of(raw), (raw.body or "").encode(), delivery_id="x")
            found.setdefault(said.entity, []).append(said.meaning)
        return found

    def _opens(self, word: str) -> None:
        self.site.add_issue(NAME, f"Total is {word}")

    def _edits(self, number: int, word: str) -> None:
        self._change(number, title=f"Total is {word}")

    def _closes(self, number: int) -> None:
        self._change(number, state="closed")

    def _says(self, number: int, word: str) -> None:
        if number in self.site.repos[NAME].issues:
            self.site.say(NAME, number, f"It is {word}")

    def _rewords(self, number: int, word: str) -> None:
        repo = self.site.repos[NAME]
        for comment in repo.comments.get(number, [])[-1:]:
            comment |= {"body": f"It is {word}", "updated_at": self.site.tick()}
            more = {"issue": repo.issues[number], "comment": comment}
            self.site._tell(repo, "issue_comment", "edited", "ann", **more)

    def _change(self, number: int, **said: str) -> None:
        if number in self.site.repos[NAME].issues:
            path = f"/repos/{NAME}/issues/{number}"
            headers = {"authorization": "Bearer ghp_ann"}
            body = json.dumps(said).encode()
            assert self.site.handle("PATCH", path, headers, body)[0] == 200


def event_of(raw: RawReceived) -> Event:
    return "issues" if raw.route == "github/issues" else "issue_comment"


def standing(here: World) -> set[tuple[str, str]]:
    """Return how dedupe lets each report stand at the end: title and status."""
    state, stand = DedupeState(0), {}
    for raw in kept(here.inbox):
        for said in normalize(raw, here.blobs, (), PARSERS):
            if isinstance(said, ReportNormalized) and state.decide(said).events:
                stand[said.report.report_id] = (said.report.title, said.report.status)
    return set(stand.values())


@contextmanager
def world() -> Iterator[World]:
    with TemporaryDirectory() as folder:
        made = World(folder)
        try:
            yield made
        finally:
            made.inbox.close()


def subsequence(part: list[str], whole: list[str]) -> bool:
    left = iter(whole)
    return all(one in left for one in part)


@settings(max_examples=15, deadline=None)
@given(st.lists(STEP, max_size=14))
def test_in_order_each_state_that_was_seen_is_kept_once_and_the_last_one_always(
    steps: list[tuple[tuple[Any, ...], str]],
) -> None:
    with world() as here:
        for what, fate in steps:
            before = len(here.sent)
            here.does(*what)
            if fate == "arrives":
                for one in here.sent[before:]:
                    here.deliver(*one)
        here.does("is asked")
        news = here.news()

    assert news.keys() == here.states.keys()
    for entity, meanings in news.items():
        assert meanings[-1] == here.states[entity][-1]
        assert subsequence(meanings, here.states[entity])


@settings(max_examples=15, deadline=None)
@given(st.lists(DOES, max_size=10), st.randoms(use_true_random=False), st.integers(0, 10))
def test_in_any_order_and_any_number_of_times_the_bugs_say_what_is_true(
    steps: list[tuple[Any, ...]], random: Any, asked_after: int
) -> None:
    with world() as here:
        for what in steps:
            here.does(*what)
        again = [*here.sent, *random.choices(here.sent, k=4)] if here.sent else []
        random.shuffle(again)
        for turn, one in enumerate(again):
            if turn == asked_after:
                here.does("is asked")
            here.deliver(*one)
        here.does("is asked")
        said = standing(here)
        true = {(issue["title"], issue["state"]) for issue in here.site.repos[NAME].issues.values()}
        news = here.news()

    assert said == true
    assert news.keys() == here.states.keys()
    for entity, meanings in news.items():
        assert set(meanings) <= set(here.states[entity])


def test_without_asking_what_was_lost_is_missing() -> None:
    with world() as here:
        here.does("opens", "wrong")
        here.does("opens", "fine")
        here.deliver(*here.sent[0])
        lost = here.states.keys() - here.news().keys()
        here.does("is asked")
        found = here.news()

    assert len(lost) == 1
    assert found.keys() == here.states.keys()
