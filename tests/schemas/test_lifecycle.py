from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args
from uuid import UUID

import pytest

from schemas import registry
from schemas.bugs import BugClosed, BugEvent, StageFailed
from schemas.event import Actor
from schemas.lifecycle import CLOSED, STATUS_AFTER, UNCHANGED, Status, status_after

BUG = UUID(int=1)
COMMON = {
    "event_id": UUID(int=2),
    "project": "shop",
    "bug_id": BUG,
    "actor": Actor.stage("lifecycle"),
    "occurred_at": datetime(2026, 11, 22, tzinfo=UTC),
    "correlation_id": BUG,
}


def test_every_fact_about_a_bug_has_its_status_in_the_table() -> None:
    union = get_args(BugEvent)[0]

    assert set(STATUS_AFTER) == {m.model_fields["type"].default for m in get_args(union)}


def test_only_lifecycle_and_the_opening_move_a_bug() -> None:
    movers = {name for name, after in STATUS_AFTER.items() if after != UNCHANGED}

    assert {registry.BY_TYPE[name].writer for name in movers - {"bug.opened"}} == {"lifecycle"}


@pytest.mark.parametrize("outcome", get_args(BugClosed.model_fields["outcome"].annotation))
def test_every_outcome_of_a_closed_bug_is_a_closed_status(outcome: str) -> None:
    closed = BugClosed.model_validate({**COMMON, "attempt": 1, "outcome": outcome, "reason": "r"})

    assert status_after(Status.FIXING, closed) in CLOSED
    assert status_after(Status.FIXING, closed) == outcome


def test_what_a_stage_reports_leaves_the_bug_where_it_stands() -> None:
    failed = StageFailed.model_validate(
        {**COMMON, "stage": "fix", "error": "PoisonError", "dead_letter": "bugs.events.v1/0/1"}
    )

    assert status_after(Status.FIXING, failed) is Status.FIXING
