"""Promises that every view keeps, and a counting one above all: it forgives nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

import projections
from connectors.database import open_engine
from projections import store
from projections.base import Projection, Recorded, version
from projections.store import Generation, MovedOnError, State
from schemas.event import Event
from schemas.lifecycle import STATUS_AFTER
from streams.lives import lives
from tests.projections.given import EPOCH, logged


@dataclass(frozen=True, slots=True)
class Tally:
    bug_id: str
    events: int


def count(row: Tally | None, recorded: Recorded) -> Tally:
    return Tally(str(recorded.event.bug_id), row.events + 1 if row else 1)


# Counting forgives nothing: a last-write-wins fold would pass without the offset guard.
TALLIES = Projection("tallies", Tally, per="bug", evolve=count)
EVERY = (*projections.ALL, TALLIES)
LOG = logged(list(lives(seed=1, count=8)))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "views.sqlite")
    store.prepare(engine)
    yield engine
    engine.dispose()


def begun(engine: Engine, projection: Projection) -> Generation:
    with engine.begin() as connection:
        return store.begin(connection, projection)


def standing(engine: Engine, generation: Generation) -> dict[int, int]:
    with engine.begin() as connection:
        return store.next_offsets(connection, generation)


def dumped(engine: Engine, generation: Generation) -> list[tuple[object, ...]]:
    with engine.begin() as connection:
        return list(store.dump(connection, generation))


def write(engine: Engine, generation: Generation, batch: list[Recorded]) -> None:
    """Write `batch` as a projector does that has just started."""
    with engine.begin() as connection:
        expected = store.next_offsets(connection, generation)
        store.apply(connection, generation, batch, expected=expected)


def replayed(
    path: Path, projection: Projection, starts: list[int], size: int
) -> list[tuple[object, ...]]:
    """Consume `LOG` once per start, as a projector does that died before its commit."""
    path.unlink(missing_ok=True)
    engine = open_engine(path)
    store.prepare(engine)
    generation = begun(engine, projection)
    for start in [0, *starts]:
        for cut in range(start, len(LOG), size):
            write(engine, generation, LOG[cut : cut + size])
    rows = dumped(engine, generation)
    engine.dispose()
    return rows


@pytest.mark.parametrize("projection", EVERY, ids=lambda p: p.name)
@given(starts=st.lists(st.integers(0, len(LOG)), max_size=2), size=st.integers(1, 60))
@settings(max_examples=8, deadline=None)
def test_redelivery_and_other_batches_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, projection: Projection, starts: list[int], size: int
) -> None:
    path = tmp_path_factory.mktemp("views") / "views.sqlite"

    assert replayed(path, projection, starts, size) == replayed(path, projection, [], len(LOG))


def test_without_the_offset_guard_redelivery_counts_twice(engine: Engine) -> None:
    generation = begun(engine, TALLIES)
    for _ in range(2):
        with engine.begin() as connection:
            store.fold(connection, generation, LOG)

    counted = sum(row[1] for row in dumped(engine, generation))  # type: ignore[misc]

    assert counted == 2 * len(LOG)


@pytest.mark.parametrize("projection", EVERY, ids=lambda p: p.name)
def test_rows_come_back_as_they_were_folded(engine: Engine, projection: Projection) -> None:
    generation = begun(engine, projection)
    write(engine, generation, LOG)
    expected: dict[object, object] = {}
    for each in LOG:
        bug_id = str(each.event.bug_id)
        key = (bug_id,) if projection.per == "bug" else (bug_id, each.offset)
        expected[key] = projection.evolve(expected.get(key), each)

    rows = [projection.row(*row) for row in dumped(engine, generation)]

    assert rows == [row for _, row in sorted(expected.items()) if row is not None]


def test_zombie_projector_rolls_back(engine: Engine) -> None:
    generation = begun(engine, TALLIES)
    zombie_expects = standing(engine, generation)
    write(engine, generation, LOG)

    with pytest.raises(MovedOnError), engine.begin() as connection:
        store.apply(connection, generation, LOG[:5], expected=zombie_expects)

    assert sum(row[1] for row in dumped(engine, generation)) == len(LOG)  # type: ignore[misc]


def test_fold_that_fails_moves_no_offset(engine: Engine) -> None:
    def fails(row: Tally | None, recorded: Recorded) -> Tally:
        raise KeyError(recorded.event.type)

    generation = begun(engine, Projection("tallies", Tally, per="bug", evolve=fails))

    with pytest.raises(KeyError):
        write(engine, generation, LOG)

    assert set(standing(engine, generation).values()) == {0}


def test_interrupted_build_is_taken_up_again(engine: Engine) -> None:
    first = begun(engine, TALLIES)
    write(engine, first, LOG[:7])

    again = begun(engine, TALLIES)

    assert again == first
    assert standing(engine, again)[0] == 7


def test_live_rows_answer_until_the_switch(engine: Engine) -> None:
    old = begun(engine, TALLIES)
    with engine.begin() as connection:
        store.switch(connection, old)
    built = begun(engine, TALLIES)
    with engine.begin() as connection:
        before = store.live(connection, TALLIES)
        store.switch(connection, built)
        after = store.live(connection, TALLIES)

    assert before is not None
    assert after is not None
    assert (before.number, after.number) == (old.number, built.number)


def test_who_writes_to_retired_rows_is_told_to_move_on(engine: Engine) -> None:
    old = begun(engine, TALLIES)
    expected = standing(engine, old)
    with engine.begin() as connection:
        store.switch(connection, old)
        store.switch(connection, store.begin(connection, TALLIES))

    with pytest.raises(MovedOnError), engine.begin() as connection:
        store.apply(connection, old, LOG, expected=expected)
    with pytest.raises(MovedOnError):
        standing(engine, old)


def test_rows_of_old_generations_are_dropped_by_the_next_build(engine: Engine) -> None:
    for _ in range(3):
        built = begun(engine, TALLIES)
        with engine.begin() as connection:
            store.switch(connection, built)
    with engine.begin() as connection:
        known = store.generations(connection, TALLIES)

    assert [(each.number, each.state) for each in known] == [(3, State.LIVE), (2, State.RETIRED)]


@pytest.mark.parametrize("projection", projections.ALL, ids=lambda p: p.name)
def test_every_event_type_is_answered(projection: Projection) -> None:
    seen = set()
    row = None
    for each in logged(list(lives(seed=7, count=200))):
        row = projection.evolve(row if projection.per == "bug" else None, each)
        seen.add(each.event.type)

    assert seen == set(STATUS_AFTER)


class Novelty(Event):
    type: str = "bug.praised"


@pytest.mark.parametrize("projection", projections.ALL, ids=lambda p: p.name)
def test_event_type_that_nobody_thought_about_is_refused(projection: Projection) -> None:
    opened = next(each.event for each in LOG if each.event.type == "bug.opened")
    new = Novelty.model_validate(opened.model_dump() | {"type": "bug.praised"})

    with pytest.raises(KeyError):
        projection.evolve(None, Recorded(new, 0, 0, EPOCH))  # type: ignore[arg-type]


def test_version_depends_on_the_fold(engine: Engine) -> None:
    assert version(TALLIES) == version(Projection("tallies", Tally, per="bug", evolve=count))
    assert len({version(each) for each in EVERY}) == len(EVERY)
    assert begun(engine, TALLIES).is_current
