"""One plain, honest comment for each request, and only where there is somewhere to post it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import pytest

from connectors.blobs import MemoryBlobs
from connectors.webhook_messenger import RecordingMessenger
from processors import notify
from processors.notify import Outlets
from schemas.bugs import NotifyRequested, ReporterNotified
from schemas.errors import PoisonError
from schemas.event import Actor
from schemas.fixes import CheckResult, FileEdit, Proposal, Verdict
from schemas.places import Location
from schemas.projects import Project
from schemas.raw import Origin
from schemas.reports import BugReport
from tests.processors.effects import DONE_AT, FakeLedger

ORIGIN = Origin(channel="github", container="acme/shop", item="12")
OUTCOMES = get_args(NotifyRequested.model_fields["outcome"].annotation)
CHECKS = (
    CheckResult(
        name="reproduction",
        verdict=Verdict.PASSED,
        summary="red before, green after",
        command="pytest",
        runs=3,
    ),
    CheckResult(name="tests", verdict=Verdict.PASSED, summary="31 of 31 passed", command="pytest"),
)
PLACES = (
    Location(path="shop/cart.py", line_start=7, symbol="total", score=1.0, reasons=("frame 1",)),
)


def requested(**changes: Any) -> NotifyRequested:
    fields: dict[str, Any] = {
        "event_id": UUID(int=9),
        "project": "shop",
        "bug_id": UUID("11111111-2222-5333-8444-0000001e9e62"),
        "actor": Actor.stage("lifecycle"),
        "occurred_at": datetime(2026, 11, 22, tzinfo=UTC),
        "correlation_id": UUID(int=1),
        "attempt": 1,
        "name": "BUG-2026-1X7K2",
        "origin": ORIGIN,
        "outcome": "fixed",
        "reason": "verified, and pushed",
        "branch": "bugstream/bug-2026-1x7k2/a1",
        "commit": "c" * 40,
        "checks": CHECKS,
        "locations": PLACES,
    }
    return NotifyRequested(**{**fields, **changes})


def posted(event: NotifyRequested, *, has_address: bool = True) -> list[str]:
    messenger = RecordingMessenger()
    task = notify.make(MemoryBlobs(), FakeLedger(), Outlets(messenger, lambda _: has_address))
    for _ in range(2):  # Once more, as after a crash.
        list(task.handle(event))
    return [text for _, text in messenger.posted.values()]


def test_one_comment_is_posted_however_often_the_event_comes() -> None:
    assert len(posted(requested())) == 1


def test_the_event_has_the_receipt_and_the_time_of_the_ledger() -> None:
    messenger, ledger = RecordingMessenger(), FakeLedger()
    task = notify.make(MemoryBlobs(), ledger, Outlets(messenger, lambda _: True))
    (event,) = task.handle(requested())
    (again,) = task.handle(requested())

    (key,) = messenger.posted
    assert isinstance(event, ReporterNotified)
    assert event == again
    assert (event.receipt, event.outcome, event.origin) == (str(key), "fixed", ORIGIN)
    assert event.occurred_at == DONE_AT


def test_what_was_accepted_before_a_crash_is_found_and_not_posted_again() -> None:
    messenger, ledger = RecordingMessenger(), FakeLedger()
    task = notify.make(MemoryBlobs(), ledger, Outlets(messenger, lambda _: True))
    list(task.handle(requested()))
    ledger.done.clear()

    list(task.handle(requested()))

    assert len(messenger.posted) == 1


def test_where_nobody_can_be_answered_nothing_is_posted_and_nothing_claimed() -> None:
    task = notify.make(MemoryBlobs(), FakeLedger(), Outlets(RecordingMessenger(), lambda _: False))

    assert list(task.handle(requested())) == []


def test_better_words_in_a_later_release_do_not_look_like_another_request() -> None:
    ledger = FakeLedger()
    task = notify.make(MemoryBlobs(), ledger, Outlets(RecordingMessenger(), lambda _: True))
    list(task.handle(requested()))

    list(task.handle(requested(checks=())))  # Another text; FakeLedger would raise.

    assert len(ledger.effects) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"template": "off-by-one"}, "repair template `off-by-one`, no language model, made"),
        ({"model": "claude-sonnet-5-5"}, "language model `claude-sonnet-5-5` wrote"),
        ({}, "program `recorded` wrote"),
    ],
)
def test_a_fix_says_who_wrote_the_lines(changes: dict[str, str], said: str) -> None:
    edits = (FileEdit(path="shop/cart.py", before="a", after="b"),)
    plain = Proposal(proposer="recorded", edits=edits, diff="")
    proposal = plain.model_copy(update=changes)
    blobs, messenger = MemoryBlobs(), RecordingMessenger()
    patch = blobs.put(proposal.model_dump_json().encode(), media_type="a/b", subject="s")
    task = notify.make(blobs, FakeLedger(), Outlets(messenger, lambda _: True))

    list(task.handle(requested(patch=patch)))

    ((_, text),) = messenger.posted.values()
    assert said in text
    assert "in `shop/cart.py`" in text
    assert "refs/notes/agent-trace" in text


def test_an_erased_patch_does_not_keep_the_answer_back() -> None:
    blobs, messenger = MemoryBlobs(), RecordingMessenger()
    patch = blobs.put(b"{}", media_type="a/b", subject="s")
    blobs.erase("s")
    task = notify.make(blobs, FakeLedger(), Outlets(messenger, lambda _: True))

    list(task.handle(requested(patch=patch)))

    ((_, text),) = messenger.posted.values()
    assert "a fix is ready" in text


# --- others than the reporter ---

TEAM = Project(
    id="shop",
    team=("slack:T01/C02", "email:team@acme.example"),
    contacts={"github:Bob": "discord:1/2"},
)


def told(event: NotifyRequested, blobs: MemoryBlobs | None = None) -> list[tuple[str, str]]:
    messenger = RecordingMessenger()
    outlets = Outlets(messenger, lambda _: True, project_of={"shop": TEAM}.get)
    task = notify.make(blobs or MemoryBlobs(), FakeLedger(), outlets)
    said = [done for _ in range(2) for done in task.handle(event)]
    assert {one.origin for one in said} <= {ORIGIN}
    assert len({one.event_id for one in said}) == len(messenger.posted)
    return [(place.channel, place.container) for place, _ in messenger.posted.values()]


def test_the_team_is_told_at_each_of_its_places_once() -> None:
    assert told(requested(outcome="approval", audience="team")) == [
        ("slack", "T01/C02"),
        ("email", "team@acme.example"),
    ]


def test_an_assignee_is_told_where_the_contacts_say_and_else_nobody_is() -> None:
    blobs = MemoryBlobs()

    def assigned(name: str) -> NotifyRequested:
        report = BugReport(report_id=UUID(int=5), origin=ORIGIN, title="t", assignee=name)
        ref = blobs.put(report.model_dump_json().encode(), media_type="a/b", subject="s")
        return requested(outcome="verified", audience="assignee", report=ref)

    assert told(assigned("bob"), blobs) == [("discord", "1/2")]
    assert told(assigned("eve"), blobs) == []
    assert told(requested(outcome="verified", audience="assignee")) == []


def test_no_address_of_another_stands_in_the_event() -> None:
    outlets = Outlets(RecordingMessenger(), lambda _: True, project_of={"shop": TEAM}.get)
    task = notify.make(MemoryBlobs(), FakeLedger(), outlets)

    for event in task.handle(requested(outcome="verified", audience="team")):
        assert "team@acme" not in event.model_dump_json()


# --- what the item itself shows ---


@dataclass
class Labels:
    marked: list[tuple[str, str]] = field(default_factory=list)
    fails: Exception | None = None

    def mark(self, origin: Origin, outcome: str) -> str | None:
        if self.fails is not None:
            raise self.fails
        self.marked.append((origin.item, outcome))
        return f"bugstream:{outcome}"


def shown(labels: Labels, event: NotifyRequested) -> list[str | None]:
    outlets = Outlets(RecordingMessenger(), lambda _: True, tracker=lambda _: labels)
    ledger = FakeLedger()
    task = notify.make(MemoryBlobs(), ledger, outlets)
    return [done.shown for _ in range(2) for done in task.handle(event)]


def test_the_reported_item_shows_the_outcome_and_is_marked_once() -> None:
    labels = Labels()

    assert shown(labels, requested()) == ["bugstream:fixed"] * 2
    assert labels.marked == [("12", "fixed")]


def test_an_item_that_takes_no_mark_is_answered_all_the_same() -> None:
    labels = Labels(fails=PoisonError("labels are locked"))

    assert shown(labels, requested()) == [None, None]


def test_only_the_reporters_item_is_marked() -> None:
    labels = Labels()
    outlets = Outlets(
        RecordingMessenger(),
        lambda _: True,
        tracker=lambda _: labels,
        project_of={"shop": TEAM}.get,
    )
    list(notify.make(MemoryBlobs(), FakeLedger(), outlets).handle(requested(audience="team")))

    assert labels.marked == []
