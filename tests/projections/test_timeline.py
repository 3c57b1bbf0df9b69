from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from projections.timeline import TIMELINE, evolve, sentence
from schemas import bugs, identity
from schemas.event import BugScoped
from schemas.fixes import CheckResult, Verdict
from schemas.lifecycle import STATUS_AFTER
from schemas.places import Location
from streams.lives import lives
from tests.projections.given import BUG, blob, fact, link, logged

SAMPLES = {event.type: event for event in lives(seed=7, count=200)}


def test_samples_hold_every_type_of_event() -> None:
    assert set(SAMPLES) == set(STATUS_AFTER)


@pytest.mark.parametrize("event", SAMPLES.values(), ids=SAMPLES.keys())
def test_every_event_has_a_plain_sentence(event: BugScoped) -> None:
    said = sentence(event)

    assert said[0].isupper()
    assert "{" not in said
    assert "BlobRef" not in said


def test_events_of_one_bug_are_rows_of_their_own_in_order() -> None:
    events = [fact(bugs.BugOpened, report=link("1")), fact(bugs.RetryAccepted, attempt=2)]

    rows = [evolve(None, each) for each in logged(events)]

    assert [(row.bug_id, row.position) for row in rows] == [(str(BUG), 0), (str(BUG), 1)]
    assert TIMELINE.key == ("bug_id", "position")


CHECKS = (
    CheckResult(name="a", verdict=Verdict.PASSED, summary="s", command="c"),
    CheckResult(name="b", verdict=Verdict.NOT_RUN, summary="s", command="c"),
)
PLACE = Location(path="shop/cart.py", line_start=7, symbol="total", score=1, reasons=())


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            fact(bugs.FixVerified, attempt=1, base_commit="c", patch=blob("p"), checks=CHECKS),
            "Attempt 1: the patch passed 1 of 2 checks, 1 not run.",
        ),
        (
            fact(bugs.BugLocated, attempt=1, base_commit="c", locations=(PLACE,), method="frames"),
            "Found 1 place by frames, first shop/cart.py:7 (total).",
        ),
        (
            fact(
                bugs.ReportLinked,
                report=link("2"),
                rule="same-text",
                similarity=0.9,
                matched_report_id=UUID(int=4),
                evidence=("the same words",),
                scores={"words": 0.9},
                model="minilm",
            ),
            f"Linked the report {link('2').origin.key}. Merged: the words are the same"
            " (the same words).",
        ),
        (
            fact(
                bugs.LinkSuggested,
                other_bug_id=UUID(int=5),
                similarity=0.7,
                vetoes=("versions differ",),
                scores={"words": 0.7},
                probability=0.25,
            ),
            f"Perhaps the same as bug {UUID(int=5)}. Suggested: it looks alike. Not merged, because"
            " versions differ. Scores: words 0.70; likeness 0.70, confirmed in 25% of such."
            f" If it is: `bugstream bug merge BUG-2026-00001 --into {UUID(int=5)}`; if it is not:"
            f" `bugstream bug keep-apart BUG-2026-00001 --from {UUID(int=5)}`.",
        ),
        (
            fact(identity.BugsKeptApart, other_bug_id=UUID(int=5), reason="a person said so"),
            f"Kept apart from bug {UUID(int=5)}: a person said so",
        ),
        (
            fact(bugs.BugLocated, attempt=1, base_commit="c", locations=(), method="words"),
            "Found no place to look at, by words.",
        ),
        (
            fact(
                bugs.BudgetSpent,
                attempt=1,
                effect_key=UUID(int=3),
                model="m",
                cost_usd_micros=12_300,
                tokens_in=5,
                tokens_out=2,
            ),
            "Paid $0.0123 for a call of m (7 tokens).",
        ),
        (
            fact(
                bugs.FixReleased,
                attempt=1,
                branch="b",
                commit="c" * 40,
                remote="r",
                trace_id=UUID(int=4),
                url="https://g.example/pull/3",
                note="No check was written.",
            ),
            "Attempt 1: pushed cccccccccccc to the branch b, offered at https://g.example/pull/3."
            " No check was written.",
        ),
    ],
)
def test_sentence_says_what_matters(event: Any, expected: str) -> None:
    assert sentence(event) == expected
