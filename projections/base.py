"""What a projection is: a row type and one pure fold. Its table follows from the row type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from hashlib import sha256
from inspect import getmodule, getsource
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Column, Dialect, Index, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from schemas import event as envelope
from schemas import lifecycle, upcast
from schemas.event import BugScoped

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact about a bug, with its place in `bugs.events.v1`."""

    event: BugScoped
    partition: int
    offset: int
    recorded_at: datetime
    """When the broker appended it: the time that "as of" questions are about."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A read model as data; `projections.store` is the only code that writes one."""

    name: str
    row: type[Any]
    """A frozen dataclass. Has `bug_id`, and `position` too where `per` is "event"."""
    per: Literal["bug", "event"]
    """Whether a row is one bug, folded on, or one event, written once."""
    evolve: Callable[[Any, Recorded], Any]
    """The row after the event; None: there is no row. Pure: no clock, no port."""
    indexes: tuple[tuple[str, ...], ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """Return the columns that tell rows apart, in the order of a dump."""
        return ("bug_id",) if self.per == "bug" else ("bug_id", "position")


def values(row: Any) -> dict[str, Any]:
    """Return the fields of `row` by name, for its table."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


@cache
def table(projection: Projection, generation: int) -> Table:
    """Return the table of one generation: the live one and one being built stand side by side."""
    name = f"{projection.name}_{generation}"
    hints = get_type_hints(projection.row)
    columns = [
        Column(
            field.name,
            _sql_type(_without_none(hints[field.name])),
            primary_key=field.name in projection.key,
            nullable=NoneType in get_args(hints[field.name]),
            autoincrement=False,
        )
        for field in fields(projection.row)
    ]
    made = Table(name, MetaData(), *columns)
    for index in projection.indexes:
        Index(f"{name}_{'_'.join(index)}", *(made.c[column] for column in index))
    return made


@cache
def version(projection: Projection) -> str:
    """Return the hash of everything a row depends on besides the log.

    Unequal hashes mean that the stored rows were made by another fold and must be rebuilt; a
    changed comment counts as well, which costs a rebuild and never a wrong answer.
    """
    modules = (getmodule(projection.evolve), getmodule(projection.row), lifecycle, upcast, envelope)
    digest = sha256(repr((projection.name, projection.key, projection.indexes)).encode())
    for module in modules:
        assert module is not None  # noqa: S101  # functions and classes of ours have one
        digest.update(getsource(module).encode())
    return digest.hexdigest()[:16]


def pass_over(row: Row, event: BugScoped, types: frozenset[str]) -> Row:
    """Return `row` as it is, for events that say nothing to a view.

    The types are written out, so that a new one has to be thought about: it is a KeyError here.
    """
    if event.type not in types:
        raise KeyError(event.type)
    return row


def _without_none(hint: Any) -> Any:
    if get_origin(hint) not in {Union, UnionType}:
        return hint
    kept = [part for part in get_args(hint) if part is not NoneType]
    return kept[0] if len(kept) == 1 else hint


def _sql_type(hint: Any) -> TypeEngine[Any]:
    if hint is int:
        return BigInteger()
    return String() if hint is str else _AsText(hint)


class _AsText(TypeDecorator[Any]):
    """Any other value as text: times with a fixed width, enums as their word, the rest as JSON.

    The width is fixed so that the order of the text is the order of time in every database.
    """

    impl = Text
    cache_ok = True

    def __init__(self, hint: Any) -> None:
        super().__init__()
        self.hint = hint
        self._is_word = isinstance(hint, type) and issubclass(hint, StrEnum)
        self._adapter = TypeAdapter[Any](hint)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text that stands for `value`."""
        del dialect
        if value is None:
            return None
        if self.hint is datetime:
            return str(value.astimezone(UTC).isoformat(timespec="microseconds"))
        return str(value) if self._is_word else self._adapter.dump_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return what the text stands for."""
        del dialect
        if value is None:
            return None
        if self.hint is datetime:
            return datetime.fromisoformat(value)
        return self.hint(value) if self._is_word else self._adapter.validate_json(value)
