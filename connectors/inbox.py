"""What came in, kept before anything else happens: the durable inbox in front of Kafka.

A row holds the event as it will stand in the topic, bytes and all, so the relay only copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Self
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, delete, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from connectors.database import BUSY_TIMEOUT_MS_MAX, open_engine, reading
from connectors.inbox_tables import (
    META,
    METADATA,
    NOT_NUMBERED,
    NOT_RELAYED,
    REFUSALS,
    ROWS,
    database_id,
    storable,
)
from schemas.codec import encode
from schemas.errors import TransientError, UserError
from schemas.event import Event

REFUSALS_KEPT_MAX = 1_000
"""Strangers can cause refusals, so only the newest are kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery or command, on its way in."""

    route: str
    """Which door it came through, such as `github/issues` or `commands`."""
    delivery_id: str
    """The sender's id of this delivery; the same one again is a repetition."""
    content_sha256: str
    account: str
    """Who sent it, such as `github:octocat`; the event holds only the opaque id."""
    event: Event
    entity: str | None = None
    """What it speaks of, such as one issue or one comment; None: never compared by meaning."""
    meaning: str | None = None
    """Hash of what it says of `entity`, without what changes at each delivery."""
    one_body_per_id: bool = False
    """Whether the same id with other content is an error (`ConflictError`), as for commands."""
    asked_at: int | None = None
    """The newest row when its provider was asked for it: of later rows it knows nothing."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an entry. It is on the disk."""

    event_id: UUID
    """Of the event that says it: of the earlier one for a duplicate."""
    status: Literal["accepted", "duplicate"]


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row with its place in the one order in which everything goes to Kafka."""

    relay_seq: int
    event_id: UUID
    event: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One row, as an operator sees it."""

    id: int
    route: str
    delivery_id: str
    account: str
    received_at: str
    event_id: UUID
    status: Literal["waiting", "relayed", "duplicate", "rejected"]
    repeats: int
    """How often the same delivery came again."""
    duplicate_of: int | None
    event: bytes | None


class ConflictError(UserError):
    """The idempotency key was used before, for something else."""


class Inbox:
    """The store. Thread-safe; several processes may write to it. Close it at the end.

    Every method raises `TransientError` when the database cannot answer: full, locked, away.
    """

    def __init__(self, engine: Engine) -> None:
        """Take over `engine`, and make the tables where they are missing."""
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite's own waiting is by sleeping: threads of one process queue up fairly here.
        self._queue = Lock()
        with self._write("schema") as connection:
            METADATA.create_all(connection)
            self.database_id = database_id(connection)

    @classmethod
    def open(cls, url_or_path: str | Path) -> Self:
        """Return the inbox at a SQLAlchemy URL or SQLite path. Raises `UserError`."""
        engine = open_engine(url_or_path)
        try:
            return cls(engine)
        except BaseException:
            engine.dispose()
            raise

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @property
    def engine(self) -> Engine:
        """Return its database, for what is kept beside it."""
        return self._engine

    def accept(self, entry: Entry) -> Receipt:
        """Store `entry` durably, once.

        The same delivery again, and another delivery that says the same of its entity as the
        newest one did, are counted and not relayed. Raises `ConflictError`.
        """
        event = encode(entry.event)
        entry = replace(
            entry,
            delivery_id=storable(entry.delivery_id, ROWS.c.delivery_id),
            entity=entry.entity and storable(entry.entity, ROWS.c.entity),
            account=storable(entry.account, ROWS.c.account),
        )
        with self._write(entry.entity or entry.delivery_id) as connection:
            if (receipt := _repeated(connection, entry)) is not None:
                return receipt
            newest = _newest_of(connection, entry)
            twin = newest if newest and newest.meaning == entry.meaning else None
            if newest and not twin and entry.asked_at is not None and newest.id > entry.asked_at:
                return Receipt(UUID(newest.event_id), "duplicate")  # Overtaken while we asked.
            event_id = UUID(twin.event_id) if twin else entry.event.event_id
            values = {
                "route": entry.route,
                "delivery_id": entry.delivery_id,
                "content_sha256": entry.content_sha256,
                "entity": entry.entity,
                "meaning": entry.meaning,
                "account": entry.account,
                "received_at": entry.event.occurred_at.isoformat(),
                "event_id": str(event_id),
                "event": None if twin else event,
                "duplicate_of": twin.id if twin else None,
            }
            connection.execute(insert(ROWS).values(values))
            return Receipt(event_id, "duplicate" if twin else "accepted")

    def refuse(self, *, route: str, delivery_id: str, reason: str, at: datetime) -> None:
        """Note that a delivery was turned away. Only the newest `REFUSALS_KEPT_MAX` are kept."""
        with self._write("refusals") as connection:
            values = {"route": route, "delivery_id": delivery_id[:300], "reason": reason}
            values["refused_at"] = at.isoformat()
            row_id = connection.execute(
                insert(REFUSALS).values(values).returning(REFUSALS.c.id)
            ).scalar_one()
            connection.execute(delete(REFUSALS).where(REFUSALS.c.id <= row_id - REFUSALS_KEPT_MAX))

    def refusals(self) -> list[tuple[str, str, str]]:
        """Return route, delivery id and reason of what was refused, newest first."""
        with self._read() as connection:
            rows = connection.execute(select(REFUSALS).order_by(REFUSALS.c.id.desc()))
            return [(row.route, row.delivery_id, row.reason) for row in rows]

    def waiting(self) -> int:
        """Return how many events are not known to be in Kafka."""
        with self._read() as connection:
            return int(
                connection.execute(
                    select(func.count()).select_from(ROWS).where(NOT_RELAYED)
                ).scalar_one()
            )

    def check_writable(self) -> None:
        """Write and commit something small. Raises `TransientError` when that does not work."""
        with self._write("check") as connection:
            now = datetime.now(UTC).isoformat()
            connection.execute(delete(META).where(META.c.name == "checked_at"))
            connection.execute(insert(META).values(name="checked_at", value=now))

    # --- for operators ---

    def rows(self, *, before: int | None = None, limit: int = 50) -> list[Row]:
        """Return at most `limit` rows with ids below `before`, newest first."""
        query = select(ROWS).order_by(ROWS.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(ROWS.c.id < before)
        with self._read() as connection:
            return [_row(row) for row in connection.execute(query)]

    def row(self, row_id: int) -> Row | None:
        """Return one row, or None where there is none."""
        with self._read() as connection:
            found = connection.execute(select(ROWS).where(ROWS.c.id == row_id)).first()
            return None if found is None else _row(found)

    def repeat(self, row_id: int) -> int | None:
        """Send what a row holds once more, as a row of its own; return its id.

        Whoever got it before sees the same event id again. None: the row holds nothing to send.
        """
        with self._write("relay_seq") as connection:
            row = connection.execute(select(ROWS).where(ROWS.c.id == row_id)).first()
            if row is None or row.event is None:
                return None
            values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
            del values["id"]
            values |= {"relay_seq": None, "relayed_at": None, "repeats": 0, "entity": None}
            # Of the same delivery there is one row; this one is told apart by whose copy it is.
            values["delivery_id"] = f"{row.delivery_id[:200]}/again/{uuid4()}"
            made = connection.execute(insert(ROWS).values(values).returning(ROWS.c.id))
            return int(made.scalar_one())

    def reject(self, row_id: int) -> bool:
        """Take a row out of the way to Kafka, for good; False where it is on its way already."""
        with self._write("relay_seq") as connection:
            done = connection.execute(
                update(ROWS)
                .where(ROWS.c.id == row_id, NOT_NUMBERED)
                .values(event=None, meaning=None)
                .returning(ROWS.c.id)
            )
            return done.first() is not None

    # --- for the relay ---

    def number(self, limit: int) -> int:
        """Give the next places in the order to at most `limit` rows; return to how many.

        Row ids become visible out of order on a database with several writers at once; these
        numbers are given by one writer at a time, so whoever has read up to one missed none.
        """
        with self._read() as connection:
            query = select(ROWS.c.id).where(NOT_NUMBERED).limit(1)
            if connection.execute(query).first() is None:
                return 0  # Asked ten times a second: not worth making writers wait.
        with self._write("relay_seq") as connection:
            rows = connection.execute(
                select(ROWS.c.id).where(NOT_NUMBERED).order_by(ROWS.c.id).limit(limit)
            ).scalars()
            first = _highest_seq(connection) + 1
            numbered = [{"row": row_id, "seq": first + n} for n, row_id in enumerate(rows)]
            if numbered:
                connection.execute(
                    text("UPDATE inbox_rows SET relay_seq = :seq WHERE id = :row"), numbered
                )
            return len(numbered)

    def numbered(self, first_seq: int, limit: int) -> list[Numbered]:
        """Return the rows from place `first_seq` on, in order, at most `limit`."""
        with self._read() as connection:
            rows = connection.execute(
                select(ROWS.c.relay_seq, ROWS.c.event_id, ROWS.c.event)
                .where(ROWS.c.relay_seq >= first_seq)
                .order_by(ROWS.c.relay_seq)
                .limit(limit)
            )
            return [Numbered(row.relay_seq, UUID(row.event_id), row.event) for row in rows]

    def highest_seq(self) -> int:
        """Return the highest place ever given; 0 before the first."""
        with self._read() as connection:
            return _highest_seq(connection)

    def mark_relayed(self, below_seq: int, at: datetime) -> None:
        """Note that every row before place `below_seq` is in Kafka: the second mark."""
        with self._write("relay_seq") as connection:
            connection.execute(
                update(ROWS)
                .where(NOT_RELAYED, ROWS.c.relay_seq < below_seq)
                .values(relayed_at=at.isoformat())
            )

    def any_relayed(self) -> bool:
        """Return whether any row has the second mark."""
        with self._read() as connection:
            query = select(ROWS.c.id).where(ROWS.c.relayed_at.is_not(None)).limit(1)
            return connection.execute(query).first() is not None

    def forget_relayed(self) -> None:
        """Take the second mark from every row, before all of them are sent again."""
        with self._write("relay_seq") as connection:
            connection.execute(update(ROWS).values(relayed_at=None))

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        try:
            with reading(self._engine).begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    @contextmanager
    def _write(self, lock: str) -> Iterator[Connection]:
        """Yield a transaction that no other one on the same `lock` runs beside."""
        if self._is_sqlite and not self._queue.acquire(timeout=BUSY_TIMEOUT_MS_MAX / 1000):
            raise TransientError("the inbox is busy: too many writers wait")
        try:
            with self._engine.begin() as connection:
                if not self._is_sqlite:
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock(hashtextextended(:lock, 0))"),
                        {"lock": f"bugstream-inbox/{lock}"},
                    )
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable(error) from error
        finally:
            if self._is_sqlite:
                self._queue.release()


def _row(row: Any) -> Row:
    status: Literal["waiting", "relayed", "duplicate", "rejected"] = "waiting"
    if row.event is None:
        status = "rejected" if row.duplicate_of is None else "duplicate"
    elif row.relayed_at is not None:
        status = "relayed"
    return Row(
        id=row.id,
        route=row.route,
        delivery_id=row.delivery_id,
        account=row.account,
        received_at=row.received_at,
        event_id=UUID(row.event_id),
        status=status,
        repeats=row.repeats,
        duplicate_of=row.duplicate_of,
        event=row.event,
    )


def _unavailable(error: SQLAlchemyError) -> TransientError:
    # The driver's own sentence only: the full text would show the row, which is a stranger's.
    reason = str(getattr(error, "orig", None) or type(error).__name__)
    return TransientError(f"the inbox cannot be used now: {reason}")


def _highest_seq(connection: Connection) -> int:
    return int(connection.execute(select(func.max(ROWS.c.relay_seq))).scalar_one() or 0)


def _repeated(connection: Connection, entry: Entry) -> Receipt | None:
    rows = connection.execute(
        select(ROWS.c.id, ROWS.c.event_id, ROWS.c.content_sha256).where(
            ROWS.c.route == entry.route, ROWS.c.delivery_id == entry.delivery_id
        )
    ).all()
    for row in rows:
        if row.content_sha256 == entry.content_sha256:
            connection.execute(
                update(ROWS).where(ROWS.c.id == row.id).values(repeats=ROWS.c.repeats + 1)
            )
            return Receipt(UUID(row.event_id), "duplicate")
    if rows and entry.one_body_per_id:
        raise ConflictError(
            f"the idempotency key {entry.delivery_id[:80]!r} was used before for something else;"
            " use a new key for a new request"
        )
    return None


def _newest_of(connection: Connection, entry: Entry) -> Any:
    """Return the newest row about the same entity, if there is one.

    Only it counts: an edit that is taken back says what an older row said, and is news.
    """
    if entry.entity is None:
        return None
    return connection.execute(
        select(ROWS.c.id, ROWS.c.event_id, ROWS.c.meaning)
        .where(ROWS.c.entity == entry.entity)
        .order_by(ROWS.c.id.desc())
        .limit(1)
    ).first()
