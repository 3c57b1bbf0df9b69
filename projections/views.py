"""The reading side: questions to the live rows, answered from one moment of the database each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, or_, select
from sqlalchemy.exc import DatabaseError

from projections import ALL
from projections.base import Projection
from projections.budget import BUDGET, Budget
from projections.bugs import BUGS, Bug
from projections.effects import EFFECTS, WorldEffect
from projections.store import Generation, count, is_prepared, live, next_offsets
from projections.timeline import TIMELINE, Moment
from schemas.errors import TransientError, UserError
from schemas.lifecycle import Status
from schemas.reports import Severity

LIMIT_MAX = 200
"""Rows of one answer, and one more that tells whether there are further ones."""
CANDIDATES_MAX = 10
NAMES_MAX = 5 * LIMIT_MAX
"""Of one question: a page of a timeline seldom speaks of more than two other bugs a line."""
_MERGES_MAX = 20
_SUGGESTED_FROM_MAX = 1_000


class NotReadyError(TransientError):
    """The views are not built yet, or an older program built them."""


class UnknownBugError(UserError):
    """There is no such bug."""


class AmbiguousBugError(UserError):
    """More than one bug goes by what was given."""

    def __init__(self, given: str, candidates: tuple[str, ...]) -> None:
        super().__init__(f"{given!r} fits several bugs: {', '.join(candidates)}. Give more of it.")
        self.candidates = candidates


@dataclass(frozen=True, slots=True)
class Filter:
    """Which bugs are asked for. Empty: all."""

    project: str | None = None
    statuses: tuple[Status, ...] = ()
    severities: tuple[Severity, ...] = ()


@dataclass(frozen=True, slots=True)
class Spent:
    """What a project's bugs may cost and have cost together."""

    bugs: int
    budget_usd_micros: int
    spent_usd_micros: int
    model_calls: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How one view stands."""

    name: str
    generation: int
    version: str
    is_current: bool
    rows: int
    next_offsets: dict[int, int]


class Views:
    """Answers questions. Raises `NotReadyError` while there is nothing to answer from."""

    def __init__(self, engine: Engine) -> None:
        # On SQLite a transaction that only reads waits for nobody.
        self._engine = engine.execution_options(only_reads=True)

    def bugs(
        self, asked: Filter, *, limit: int, after: tuple[datetime, str] | None = None
    ) -> list[Bug]:
        """Return bugs, newest first, from behind `after` (opened_at, bug id) on."""
        with self._reading(BUGS) as (connection, generation):
            c = generation.table.c
            query = select(generation.table).order_by(c.opened_at.desc(), c.bug_id.desc())
            if asked.project is not None:
                query = query.where(c.project == asked.project)
            if asked.statuses:
                query = query.where(c.status.in_(asked.statuses))
            if asked.severities:
                query = query.where(c.severity.in_(asked.severities))
            if after is not None:
                opened_at, bug_id = after
                same = and_(c.opened_at == opened_at, c.bug_id < bug_id)
                query = query.where(or_(c.opened_at < opened_at, same))
            return _rows(connection, BUGS, query.limit(min(limit, LIMIT_MAX + 1)))

    def find(self, given: str) -> Bug:
        """Return the bug with this id, this `BUG-2026-7F3K2`, or the only one that starts so.

        Raises `UnknownBugError` and `AmbiguousBugError`.
        """
        with self._reading(BUGS) as (connection, generation):
            c, given = generation.table.c, given.strip()
            column, start = _meant(given, c)
            query = select(generation.table).where(column.startswith(start, autoescape=True))
            query = query.order_by(column).limit(CANDIDATES_MAX)
            found: list[Bug] = _rows(connection, BUGS, query) if start else []
            found = [bug for bug in found if start in {bug.human_id, bug.bug_id}] or found
            if len(found) == 1:
                return found[0]
            if found:
                raise AmbiguousBugError(given, tuple(f"{b.human_id} ({b.bug_id})" for b in found))
            newest = select(c.human_id).order_by(c.opened_at.desc()).limit(_SUGGESTED_FROM_MAX)
            near = get_close_matches(given.upper(), connection.scalars(newest).all(), n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UnknownBugError(f"There is no bug {given!r}.{hint} `bugstream bugs` lists them.")

    def names(self, bug_ids: Collection[str]) -> dict[str, str]:
        """Return bug id -> what people call it, of those that are known."""
        with self._reading(BUGS) as (connection, generation):
            c = generation.table.c
            query = select(c.bug_id, c.human_id).where(c.bug_id.in_(sorted(bug_ids)[:NAMES_MAX]))
            return {row.bug_id: row.human_id for row in connection.execute(query)}

    def survivor(self, bug: Bug) -> Bug:
        """Return the bug that `bug` has become part of, or itself."""
        with self._reading(BUGS) as (connection, generation):
            for _ in range(_MERGES_MAX):
                if bug.merged_into is None:
                    break
                query = select(generation.table).where(generation.table.c.bug_id == bug.merged_into)
                into: list[Bug] = _rows(connection, BUGS, query)
                if not into:
                    break  # Its partition is further behind than ours.
                bug = into[0]
        return bug

    def timeline(self, bug_id: str, *, limit: int, after: int = -1) -> list[Moment]:
        """Return what happened, oldest first, from behind position `after` on."""
        return self._of_bug(TIMELINE, bug_id, limit=limit, after=after)

    def effects(self, bug_id: str, *, limit: int, after: int = -1) -> list[WorldEffect]:
        """Return what was done to the world, oldest first, from behind position `after` on."""
        return self._of_bug(EFFECTS, bug_id, limit=limit, after=after)

    def budget(self, bug_id: str) -> Budget | None:
        """Return the money of one bug; None while its first event is not folded in yet."""
        with self._reading(BUDGET) as (connection, generation):
            query = select(generation.table).where(generation.table.c.bug_id == bug_id)
            found: list[Budget] = _rows(connection, BUDGET, query)
            return found[0] if found else None

    def spent(self, project: str) -> Spent:
        """Return the money of a whole project."""
        with self._reading(BUDGET) as (connection, generation):
            c = generation.table.c
            sums = (func.coalesce(func.sum(c[name]), 0) for name in Spent.__slots__[1:])
            query = select(func.count(), *sums).where(c.project == project)
            return Spent(*(int(figure) for figure in connection.execute(query).one()))

    def rows_of(self, projection: Projection, bug_id: str) -> tuple[list[Any], dict[int, int]]:
        """Return every row of one bug, and how far the view was, at the same moment."""
        with self._reading(projection) as (connection, generation):
            target = generation.table
            query = select(target).where(target.c.bug_id == bug_id)
            query = query.order_by(*(target.c[name] for name in projection.key))
            return _rows(connection, projection, query), next_offsets(connection, generation)

    def standings(self, projections: Sequence[Projection] = ALL) -> list[Standing]:
        """Return how every view stands, those of an older program included."""
        found = []
        with self._connected() as connection:
            if not is_prepared(connection):
                return []
            for projection in projections:
                generation = live(connection, projection)
                if generation is not None:
                    found.append(_standing(connection, generation))
        return found

    def _of_bug(self, projection: Projection, bug_id: str, *, limit: int, after: int) -> list[Any]:
        with self._reading(projection) as (connection, generation):
            c = generation.table.c
            query = select(generation.table).where(c.bug_id == bug_id, c.position > after)
            query = query.order_by(c.position).limit(min(limit, LIMIT_MAX + 1))
            return _rows(connection, projection, query)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DatabaseError as error:  # What is no database at all is not "operational" either.
            raise NotReadyError(f"The views' database does not answer: {error.orig}") from error

    @contextmanager
    def _reading(self, projection: Projection) -> Iterator[tuple[Connection, Generation]]:
        with self._connected() as connection:
            generation = live(connection, projection) if is_prepared(connection) else None
            if generation is None:
                raise NotReadyError(
                    f"The view {projection.name!r} is not built yet:"
                    " `bugstream up` or `bugstream projections rebuild` builds it."
                )
            if not generation.is_current:
                raise NotReadyError(
                    f"The view {projection.name!r} was built by another version of this program:"
                    " `bugstream projections rebuild` builds it anew."
                )
            yield connection, generation


def _rows(connection: Connection, projection: Projection, query: Any) -> list[Any]:
    return [projection.row(**found) for found in connection.execute(query).mappings()]


def _standing(connection: Connection, generation: Generation) -> Standing:
    return Standing(
        name=generation.projection.name,
        generation=generation.number,
        version=generation.version,
        is_current=generation.is_current,
        rows=count(connection, generation),
        next_offsets=next_offsets(connection, generation),
    )


def _meant(given: str, columns: Any) -> tuple[Any, str]:
    """Return the column `given` belongs to and its spelling there: O is 0, I and L are 1."""
    kind, _, rest = given.upper().partition("-")
    if kind != "BUG":
        return columns.bug_id, given.lower()
    year, _, code = rest.partition("-")
    code = code.translate(str.maketrans("OIL", "011"))
    return columns.human_id, "-".join(part for part in (kind, year, code) if part)
