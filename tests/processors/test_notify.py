"""One plain, honest comment for each request, and only where there is somewhere to post it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import pytest

from connectors.blobs import MemoryBlobs
from connectors.webhook_messenger import RecordingMessenger
from processors import notify
from schemas.bugs import Location, NotifyRequested, ReporterNotified
from schemas.event import Actor
from schemas.fixes import CheckResult, FileEdit, Proposal, Verdict
from schemas.raw import Origin
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
    task = notify.make(MemoryBlobs(), FakeLedger(), messenger, lambda _: has_address)
    for _ in range(2):  # Once more, as after a crash.
        list(task.handle(event))
    return [text for _, text in messenger.posted.values()]


def test_one_comment_is_posted_however_often_the_event_comes() -> None:
    assert len(posted(requested())) == 1


def test_the_event_has_the_receipt_and_the_time_of_the_ledger() -> None:
    messenger, ledger = RecordingMessenger(), FakeLedger()
    task = notify.make(MemoryBlobs(), ledger, messenger, lambda _: True)
    (event,) = task.handle(requested())
    (again,) = task.handle(requested())

    (key,) = messenger.posted
    assert isinstance(event, ReporterNotified)
    assert event == again
    assert (event.receipt, event.outcome, event.origin) == (str(key), "fixed", ORIGIN)
    assert event.occurred_at == DONE_AT


def test_what_was_accepted_before_a_crash_is_found_and_not_posted_again() -> None:
    messenger, ledger = RecordingMessenger(), FakeLedger()
    task = notify.make(MemoryBlobs(), ledger, messenger, lambda _: True)
    list(task.handle(requested()))
    ledger.done.clear()

    list(task.handle(requested()))

    assert len(messenger.posted) == 1


def test_where_nobody_can_be_answered_nothing_is_posted_and_nothing_claimed() -> None:
    task = notify.make(MemoryBlobs(), FakeLedger(), RecordingMessenger(), lambda _: False)

    assert list(task.handle(requested())) == []


def test_better_words_in_a_later_release_do_not_look_like_another_request() -> None:
    ledger = FakeLedger()
    task = notify.make(MemoryBlobs(), ledger, RecordingMessenger(), lambda _: True)
    list(task.handle(requested()))

    list(task.handle(requested(checks=())))  # Another text; FakeLedger would raise.

    assert len(ledger.effects) == 2


# --- the words ---


def test_a_fix_says_where_it_is_how_it_was_checked_and_that_it_is_not_merged() -> None:
    text = notify.comment(requested())

    assert text.startswith("**BUG-2026-1X7K2: a fix is ready for review.**\n")
    assert "commit `cccccccccccc` on branch `bugstream/bug-2026-1x7k2/a1`" in text
    assert "Nothing has been merged" in text
    assert "| reproduction | passed (3 runs) | red before, green after |" in text
    assert "| tests | passed | 31 of 31 passed |" in text


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
    task = notify.make(blobs, FakeLedger(), messenger, lambda _: True)

    list(task.handle(requested(patch=patch)))

    ((_, text),) = messenger.posted.values()
    assert said in text
    assert "in `shop/cart.py`" in text
    assert "refs/notes/agent-trace" in text


def test_an_erased_patch_does_not_keep_the_answer_back() -> None:
    blobs, messenger = MemoryBlobs(), RecordingMessenger()
    patch = blobs.put(b"{}", media_type="a/b", subject="s")
    blobs.erase("s")
    task = notify.make(blobs, FakeLedger(), messenger, lambda _: True)

    list(task.handle(requested(patch=patch)))

    ((_, text),) = messenger.posted.values()
    assert "a fix is ready" in text


def test_could_not_says_why_what_failed_and_where_we_looked() -> None:
    failed = CHECKS[0].model_copy(update={"verdict": Verdict.FAILED, "runs": 1})
    text = notify.comment(
        requested(outcome="could_not", reason="no template fits", checks=(failed,), branch=None)
    )

    assert "no fix was found" in text
    assert "No template fits. Nothing was changed in the repository." in text
    assert "| reproduction | **failed** |" in text
    assert "- `shop/cart.py:7`, in `total`: frame 1" in text


def test_not_verified_says_so_first_and_asks_for_what_would_help() -> None:
    text = notify.comment(requested(outcome="not_verified", reason="nothing to run", checks=()))

    assert text.startswith("**BUG-2026-1X7K2: not verified, for want of a reproduction.**")
    assert "Nothing to run." in text
    assert "a test that fails" in text
    assert "fix is" not in text


@pytest.mark.parametrize("outcome", sorted(set(OUTCOMES) - {"fixed"}))
def test_only_a_fix_is_called_one(outcome: str) -> None:
    text = notify.comment(requested(outcome=outcome))

    assert "ready for review" not in text
    assert "Nothing was changed" in text or "nothing was changed" in text


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_text_from_elsewhere_stays_text(outcome: str) -> None:
    evil = "ping @octocat, closes #1 [x](javascript:1) <img src=x> | a `b`\n\n# title"
    text = notify.comment(
        requested(
            outcome=outcome,
            reason=evil,
            branch=evil,
            checks=(CHECKS[0].model_copy(update={"name": evil, "summary": evil}),),
            locations=(Location(path=evil, symbol=evil, score=1, reasons=(evil,)),),
        )
    )

    assert "@octocat" not in text
    assert "#1" not in text
    assert "\n# title" not in text
    assert not any(
        "<img" in line.replace("\\<", "") and "`" not in line for line in text.split("\n")
    )
    assert all(line.count(" | ") == 2 for line in text.splitlines() if line.startswith("| "))


def test_long_lists_are_cut_and_say_so() -> None:
    text = notify.comment(requested(checks=CHECKS[:1] * 30, locations=PLACES * 30))

    assert "| and 10 more | | |" in text
    assert len(text) < 4000
