"""The one writer of views. Rows and offsets change in one transaction, or neither does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    func,
    inspect,
    select,
)

from projections.base import Projection, Recorded, table, values, version
from schemas.errors import TransientError
from schemas.topics import BUGS_EVENTS

_META = MetaData()
GENERATIONS = Table(
    "projection_generations",
    _META,
    Column("projection", String(64), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("version", String(64), nullable=False),
    Column("state", String(16), nullable=False),
)
OFFSETS = Table(
    "projection_offsets",
    _META,
    Column("projection", String(64), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
)


class State(StrEnum):
    """What a generation of a view is for."""

    BUILDING = "building"
    LIVE = "live"
    RETIRED = "retired"


class MovedOnError(TransientError):
    """Another writer was here first. Nothing was written; read the offsets again."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One set of rows of a projection: what is asked, or what is being built beside it."""

    projection: Projection
    number: int
    version: str
    state: State

    @property
    def table(self) -> Table:
        """Return where its rows are."""
        return table(self.projection, self.number)

    @property
    def is_current(self) -> bool:
        """Return whether its rows were made by the fold of this program."""
        return self.version == version(self.projection)


def prepare(engine: Engine) -> None:
    """Make the tables that say which rows are live and how far they are."""
    with engine.begin() as connection:
        _META.create_all(connection)


def is_prepared(connection: Connection) -> bool:
    """Return whether there has ever been a view in this database."""
    return inspect(connection).has_table(GENERATIONS.name)


def generations(connection: Connection, projection: Projection) -> list[Generation]:
    """Return every generation of `projection`, newest first."""
    found = connection.execute(
        select(GENERATIONS.c.generation, GENERATIONS.c.version, GENERATIONS.c.state)
        .where(GENERATIONS.c.projection == projection.name)
        .order_by(GENERATIONS.c.generation.desc())
    )
    return [Generation(projection, number, made_by, State(s)) for number, made_by, s in found]


def live(connection: Connection, projection: Projection) -> Generation | None:
    """Return the generation that answers questions; None before the first was built."""
    found = generations(connection, projection)
    return next((each for each in found if each.state == State.LIVE), None)


def begin(connection: Connection, projection: Projection) -> Generation:
    """Return an empty generation at offset 0, or the unfinished one of an interrupted build.

    Rows that nobody asks for any more are dropped.
    """
    known = generations(connection, projection)
    for each in known:
        if each.state == State.BUILDING and each.is_current:
            return each
        if each.state != State.LIVE:
            drop(connection, each)
    number = max((each.number for each in known), default=0) + 1
    made = Generation(projection, number, version(projection), State.BUILDING)
    made.table.create(connection)
    connection.execute(
        GENERATIONS.insert().values(
            projection=projection.name, generation=number, version=made.version, state=made.state
        )
    )
    start = {"projection": projection.name, "generation": number, "next_offset": 0}
    connection.execute(
        OFFSETS.insert(), [start | {"partition": p} for p in range(BUGS_EVENTS.partitions)]
    )
    return made


def switch(connection: Connection, built: Generation) -> None:
    """Let `built` answer from now on.

    The old rows stay until the next build, for readers who are in the middle of them, but lose
    their offsets: whoever still writes there is told to move on. Raises `MovedOnError`.
    """
    for old in generations(connection, built.projection):
        if old.state == State.LIVE and old.number < built.number:
            _set_state(connection, old, State.RETIRED)
            connection.execute(OFFSETS.delete().where(_of(OFFSETS, old)))
    _set_state(connection, built, State.LIVE)


def next_offsets(connection: Connection, generation: Generation) -> dict[int, int]:
    """Return partition -> the offset that is folded in next. Raises `MovedOnError` if retired."""
    found = connection.execute(
        select(OFFSETS.c.partition, OFFSETS.c.next_offset).where(_of(OFFSETS, generation))
    )
    offsets = {row.partition: row.next_offset for row in found}
    if not offsets:
        raise MovedOnError(f"{generation.table.name} is no longer written to")
    return offsets


def apply(
    connection: Connection,
    generation: Generation,
    batch: Sequence[Recorded],
    *,
    expected: Mapping[int, int],
) -> dict[int, int]:
    """Fold `batch` in and advance from `expected`; return where the partitions then stand.

    What lies before `expected` is passed over. Raises `MovedOnError` when another writer has
    advanced meanwhile; the caller's transaction must then be rolled back.
    """
    new = [each for each in batch if each.offset >= expected[each.partition]]
    offsets = advance(connection, generation, new, expected=expected)
    fold(connection, generation, new)
    return offsets


def advance(
    connection: Connection,
    generation: Generation,
    batch: Iterable[Recorded],
    *,
    expected: Mapping[int, int],
) -> dict[int, int]:
    """Move the offsets past `batch`, only from where they are expected to be."""
    reached = {each.partition: each.offset + 1 for each in batch}
    for partition, offset in sorted(reached.items()):
        # RETURNING, because drivers differ in what they say about the number of rows.
        moved = connection.execute(
            OFFSETS.update()
            .where(
                _of(OFFSETS, generation),
                OFFSETS.c.partition == partition,
                OFFSETS.c.next_offset == expected[partition],
            )
            .values(next_offset=offset)
            .returning(OFFSETS.c.partition)
        )
        if moved.first() is None:
            raise MovedOnError(
                f"{generation.table.name}: another writer has advanced partition {partition}"
            )
    return {**expected, **reached}


def fold(connection: Connection, generation: Generation, batch: Sequence[Recorded]) -> None:
    """Write the rows after `batch`. Safe only together with `advance`, in one transaction."""
    projection, target = generation.projection, generation.table
    ids = sorted({str(each.event.bug_id) for each in batch})
    rows: dict[tuple[Any, ...], Any] = {}
    mine = target.c.bug_id.in_(ids)
    if projection.per == "bug" and ids:
        for found in connection.execute(select(target).where(mine)).mappings():
            rows[(found["bug_id"],)] = projection.row(**found)
        connection.execute(target.delete().where(mine))
    for each in batch:
        key = _key(projection, each)
        rows[key] = projection.evolve(rows.get(key), each)
    kept = [values(row) for row in rows.values() if row is not None]
    if kept:
        connection.execute(target.insert(), kept)


def dump(connection: Connection, generation: Generation) -> Iterator[tuple[Any, ...]]:
    """Yield every row in the order of its key: equal views give equal dumps."""
    target = generation.table
    query = select(target).order_by(*(target.c[name] for name in generation.projection.key))
    for row in connection.execute(query):
        yield tuple(row)


def count(connection: Connection, generation: Generation) -> int:
    """Return the number of rows."""
    return int(connection.scalar(select(func.count()).select_from(generation.table)) or 0)


def _key(projection: Projection, recorded: Recorded) -> tuple[Any, ...]:
    bug_id = str(recorded.event.bug_id)
    return (bug_id,) if projection.per == "bug" else (bug_id, recorded.offset)


def _of(where: Table, generation: Generation) -> Any:
    return (where.c.projection == generation.projection.name) & (
        where.c.generation == generation.number
    )


def _set_state(connection: Connection, generation: Generation, state: State) -> None:
    changed = connection.execute(
        GENERATIONS.update()
        .where(_of(GENERATIONS, generation))
        .values(state=state)
        .returning(GENERATIONS.c.generation)
    )
    if changed.first() is None:
        raise MovedOnError(f"{generation.table.name} was dropped by another rebuild")


def drop(connection: Connection, generation: Generation) -> None:
    """Forget the rows of `generation`: they can be built again at any time."""
    generation.table.drop(connection, checkfirst=True)
    for where in (GENERATIONS, OFFSETS):
        connection.execute(where.delete().where(_of(where, generation)))
