from __future__ import annotations

from functools import reduce

import pytest

from processors.bug_state import BugState, evolve
from schemas import bugs
from schemas.event import Event
from schemas.lifecycle import Status
from schemas.reports import Trust
from tests.factories import EXAMPLES, LINK, PLACE, envelope, opened

FACTS = [event for event in EXAMPLES if event.bug_id is not None]


def fold(*events: Event) -> BugState:
    state = reduce(evolve, events, None)
    assert state is not None
    return state


@pytest.mark.parametrize("event", FACTS, ids=lambda e: e.type)
def test_every_fact_is_answered_and_the_state_survives_its_topic(event: Event) -> None:
    state = fold(opened(), event)

    assert BugState.model_validate_json(state.model_dump_json()) == state


def test_nothing_is_known_before_the_bug_was_opened() -> None:
    assert all(evolve(None, e) is None for e in FACTS if not isinstance(e, bugs.BugOpened))


def test_the_outcome_of_a_superseded_attempt_changes_nothing() -> None:
    second = bugs.LocateRequested(**envelope("again"), attempt=2, report=LINK)
    late = bugs.BugLocated(
        **envelope("late"), attempt=1, base_commit="c" * 40, locations=(PLACE,), method="m"
    )

    assert fold(opened(), second, late) == fold(opened(), second)


def test_a_member_who_reports_the_same_bug_makes_it_trusted() -> None:
    linked = next(e for e in EXAMPLES if isinstance(e, bugs.ReportLinked))
    stranger = opened(trust=Trust.STRANGER)

    assert not fold(stranger).trusted
    assert fold(stranger, linked).trusted


def test_a_new_attempt_forgets_the_work_of_the_one_before() -> None:
    done = [e for e in FACTS if isinstance(e, bugs.FixProposed | bugs.FixVerified)]
    again = bugs.LocateRequested(**envelope("again"), attempt=2, report=LINK)

    first = bugs.LocateRequested(**envelope("first"), attempt=1, report=LINK)

    assert fold(opened(), first, *done).patch is not None
    state = fold(opened(), first, *done, again)
    assert (state.patch, state.checks, state.status) == (None, (), Status.LOCATING)
