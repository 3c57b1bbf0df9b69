from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from projections import store
from projections.bugs import BUGS
from schemas import bugs
from schemas.lifecycle import Status
from schemas.registry import partition_of
from streams.audit import partition_of_bug, replay
from tests.streams.known import LIVES, Known, known

BUG_IDS = sorted({event.bug_id for event in LIVES})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    with known(tmp_path_factory.mktemp("views")) as made:
        yield made


def test_a_bug_is_read_from_the_partition_its_events_are_written_to() -> None:
    assert {partition_of_bug(event.bug_id) == partition_of(event) for event in LIVES} == {True}


@pytest.mark.parametrize("bug_id", BUG_IDS[:10], ids=str)
def test_replay_of_a_bug_equals_its_live_views(filled: Known, bug_id: UUID) -> None:
    found = replay(filled.log, filled.views, bug_id)

    assert found.differences == ()
    assert found.equals_live
    assert [row.type for row in found.rows["timeline"]] == [
        event.type for event in LIVES if event.bug_id == bug_id
    ]


def test_replay_shows_a_bug_as_of_then_and_compares_as_of_now(filled: Known) -> None:
    closed = next(event for event in LIVES if isinstance(event, bugs.BugClosed))
    moments = replay(filled.log, filled.views, closed.bug_id).rows["timeline"]
    before = next(m for m in moments if m.type == "bug.closed").recorded_at - timedelta(seconds=1)

    found = replay(filled.log, filled.views, closed.bug_id, at=before)

    assert found.rows["bugs"][0].status not in {Status(closed.outcome)}
    assert found.rows["timeline"][-1].recorded_at <= before
    assert found.equals_live


def test_bug_has_no_state_before_its_first_event(filled: Known) -> None:
    long_ago = filled.clock.now() - timedelta(days=1)

    found = replay(filled.log, filled.views, BUG_IDS[0], at=long_ago)

    assert (found.recorded, found.rows["bugs"]) == ((), [])


def test_views_that_are_behind_are_compared_as_far_as_they_are(tmp_path: Path) -> None:
    with known(tmp_path, LIVES[:150]) as filled:
        filled.append(LIVES[150:])
        compared = {replay(filled.log, filled.views, b).equals_live for b in BUG_IDS}

    assert compared == {True}


def test_tampering_with_the_views_is_found_to_the_field(tmp_path: Path) -> None:
    with known(tmp_path) as filled:
        with filled.engine.begin() as connection:
            live = store.live(connection, BUGS)
            assert live is not None
            mine = live.table.c.bug_id == str(BUG_IDS[0])
            connection.execute(live.table.update().where(mine).values(attempt=99))
        found = replay(filled.log, filled.views, BUG_IDS[0])

    assert not found.equals_live
    assert found.differences is not None
    assert [(each.view, each.field, each.live) for each in found.differences] == [
        ("bugs", "attempt", 99)
    ]


def test_lost_row_is_a_difference(tmp_path: Path) -> None:
    with known(tmp_path) as filled:
        with filled.engine.begin() as connection:
            live = store.live(connection, BUGS)
            assert live is not None
            connection.execute(live.table.delete())
        found = replay(filled.log, filled.views, BUG_IDS[0])

    assert found.differences
    assert {each.live for each in found.differences} == {None}


def test_without_views_the_log_answers_and_nothing_is_called_equal(tmp_path: Path) -> None:
    with known(tmp_path) as filled:
        with filled.engine.begin() as connection:
            connection.execute(store.GENERATIONS.delete())
        found = replay(filled.log, filled.views, BUG_IDS[0])

    assert found.rows["bugs"]
    assert found.differences is None
    assert not found.equals_live
    assert "projections rebuild" in found.not_compared
