"""Fold a bug's stored events once more, touching nothing outside; compare with the live views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zlib import crc32

import projections
from projections.base import Projection, Recorded, values
from projections.bugs import BUGS
from projections.effects import EFFECTS
from projections.timeline import TIMELINE
from projections.views import NotReadyError, Views
from schemas.topics import BUGS_EVENTS
from streams.log import Log, TopicPartition
from streams.projector import readable


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that the live view and the log do not agree on. None: the row is not there."""

    view: str
    position: int | None
    """Of the event the row is about; None where a row is the whole bug."""
    field: str
    live: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class Replay:
    """A bug as the log has it."""

    bug_id: UUID
    partition: int
    at: datetime | None
    recorded: tuple[Recorded, ...]
    """The bug's events up to `at`, oldest first."""
    rows: Mapping[str, Sequence[Any]]
    """View -> its rows of this bug as of `at`."""
    differences: tuple[Difference, ...] | None
    """Against the live views as of now; None: not compared, because of `not_compared`."""
    not_compared: str = ""

    @property
    def equals_live(self) -> bool:
        """Return whether the views were compared and say what the log says."""
        return self.differences == ()


def partition_of_bug(bug_id: UUID) -> int:
    """Return the partition of `bugs.events.v1` that holds everything about the bug."""
    return crc32(str(bug_id).encode()) % BUGS_EVENTS.partitions


def replay(log: Log, views: Views, bug_id: UUID, *, at: datetime | None = None) -> Replay:
    """Return what the log says about the bug, as of `at` by the broker's time.

    Reads one partition, decodes only this bug's records, and calls no port: what an effect once
    returned is in the events. A bug the log knows nothing about has no events.
    """
    return replayed(views, bug_id, lambda: read(log, bug_id), at=at)


def replayed(
    views: Views, bug_id: UUID, everything: Callable[[], list[Recorded]], *, at: datetime | None
) -> Replay:
    """Fold the bug's events anew, and compare with what the views hold of it now."""
    try:
        live = {each: views.rows_of(each, str(bug_id)) for each in projections.ALL}
        not_compared = ""
    except NotReadyError as error:
        live, not_compared = {}, str(error)
    # Asked for after the views, so that all they have folded in is among it.
    events = everything()
    until = [each for each in events if at is None or each.recorded_at <= at]
    partition = partition_of_bug(bug_id)
    found: list[Difference] = []
    for projection, (rows, offsets) in live.items():
        folded_in = [each for each in events if each.offset < offsets[partition]]
        found += differences(projection, rows, fold(projection, folded_in))
    return Replay(
        bug_id=bug_id,
        partition=partition,
        at=at,
        recorded=tuple(until),
        rows={each.name: fold(each, until) for each in (BUGS, TIMELINE, EFFECTS)},
        differences=None if not_compared else tuple(found),
        not_compared=not_compared,
    )


def read(log: Log, bug_id: UUID) -> list[Recorded]:
    """Return the stored events of the bug, lifted to their newest versions."""
    source = TopicPartition(BUGS_EVENTS.name, partition_of_bug(bug_id))
    key = str(bug_id).encode()
    return readable(record for record in log.read({source: 0}) if record.key == key)


def fold(projection: Projection, recorded: Sequence[Recorded]) -> list[Any]:
    """Return the rows of one bug after `recorded`, in the order of their key."""
    if projection.per == "event":
        rows = [projection.evolve(None, each) for each in recorded]
    else:
        row = None
        for each in recorded:
            row = projection.evolve(row, each)
        rows = [row]
    return [row for row in rows if row is not None]


def differences(
    projection: Projection, live: Sequence[Any], replayed: Sequence[Any]
) -> list[Difference]:
    """Return every value the two sets of rows differ in."""
    ours, theirs = _by_position(live), _by_position(replayed)
    found = []
    for position in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(position, {}), theirs.get(position, {})
        where = position if projection.per == "event" else None
        found += [
            Difference(projection.name, where, field, mine.get(field), other.get(field))
            for field in {**mine, **other}
            if mine.get(field) != other.get(field)
        ]
    return found


def _by_position(rows: Sequence[Any]) -> dict[int, dict[str, Any]]:
    return {getattr(row, "position", 0): values(row) for row in rows}
