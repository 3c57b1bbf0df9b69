"""How far each poller has asked: kept in the inbox's database, beside what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from connectors.database import reading
from connectors.inbox_tables import METADATA, POLLERS, ROWS, whole
from schemas.errors import TransientError, UserError

CURSOR_CHARS_MAX = 4096
ERROR_CHARS_MAX = 500


@dataclass(frozen=True, slots=True)
class Polled:
    """How a poller stands."""

    name: str
    polled_at: str | None
    """End of the last round that went well; None: none has."""
    error: str | None
    """What went wrong since; None: nothing."""
    found: int
    """How many new items it has brought so far."""


class PollCursors:
    """The store. Thread-safe. Every method raises `TransientError` when it cannot be used."""

    def __init__(self, engine: Engine) -> None:
        """Use the inbox's `engine`, and make the table where it is missing."""
        self._engine = engine
        with _plainly():
            METADATA.create_all(engine, tables=[POLLERS])

    def load(self, name: str) -> Mapping[str, Any] | None:
        """Return the cursor of the poller called `name`; None before its first.

        Raises `UserError` for one that cannot be read: to begin anew might pass something over.
        """
        with _plainly(), reading(self._engine).begin() as connection:
            found = connection.execute(
                select(POLLERS.c.cursor).where(POLLERS.c.name == name)
            ).scalar_one_or_none()
        if not found:
            return None
        with suppress(ValueError, RecursionError):
            value = json.loads(found)
            if isinstance(value, dict):
                return value
        raise UserError(
            f"{name}: where it got to cannot be read in the inbox's table {POLLERS.name}; delete"
            " its row there, and it begins as at first"
        )

    def save(self, name: str, cursor: Mapping[str, Any], *, found: int) -> None:
        """Keep `cursor`, after the `found` new items before it were kept."""
        text = json.dumps(cursor)
        if len(text) > CURSOR_CHARS_MAX:
            raise TransientError(
                f"the cursor of {name} has more than {CURSOR_CHARS_MAX} characters"
            )
        self._set(name, {"cursor": text, "found": POLLERS.c.found + found}, {"found": found})

    def ended(self, name: str, at: datetime) -> None:
        """Note that a round ended well."""
        self._set(name, {"polled_at": at.isoformat(), "error": None}, {})

    def failed(self, name: str, error: str) -> None:
        """Note why a round did not end well."""
        self._set(name, {"error": whole(error)[:ERROR_CHARS_MAX]}, {})

    def newest_row(self) -> int:
        """Return the id of the newest row of the inbox; 0 where it is empty."""
        with _plainly(), reading(self._engine).begin() as connection:
            return int(connection.execute(select(func.max(ROWS.c.id))).scalar_one() or 0)

    def all(self) -> list[Polled]:
        """Return how each stands, by name."""
        with _plainly(), reading(self._engine).begin() as connection:
            rows = connection.execute(select(POLLERS).order_by(POLLERS.c.name))
            return [Polled(row.name, row.polled_at, row.error, row.found) for row in rows]

    def _set(self, name: str, values: dict[str, Any], at_first: dict[str, Any]) -> None:
        with _plainly(), self._engine.begin() as connection:
            if not _update(connection, name, values):
                connection.execute(insert(POLLERS).values(name=name, **(values | at_first)))


def _update(connection: Connection, name: str, values: dict[str, Any]) -> bool:
    done = connection.execute(
        update(POLLERS).where(POLLERS.c.name == name).values(values).returning(POLLERS.c.name)
    )
    return done.first() is not None


class _plainly:  # noqa: N801  # reads as a word at the `with`
    """Turn the database's errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        del kind, trace
        if isinstance(error, SQLAlchemyError):
            reason = str(getattr(error, "orig", None) or type(error).__name__)
            raise TransientError(f"the inbox cannot be used now: {reason}") from error
