"""Toy stages, and what tests of the runners do again and again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID, uuid5

from processors.base import (
    Decision,
    PartitionState,
    Processor,
    StateChange,
    StatefulProcessor,
    Task,
)
from schemas import topics
from schemas.bugs import LocateDeclined, LocateRequested
from schemas.codec import decode
from schemas.event import Event, caused_by
from schemas.topics import Topic
from streams.log import Log, Outgoing, Record, TopicPartition, outgoing
from tests.factories import LINK, SEED, envelope
from tests.streams.logs import read_all

STAGE = "locate"


def request(n: int, *, bug: int | None = None, **changes: object) -> LocateRequested:
    """Return request number `n`, of a bug of its own unless told."""
    bug_id = uuid5(SEED, f"bug/{n if bug is None else bug}")
    return LocateRequested(
        **envelope(f"request/{n}", bug_id=bug_id, **changes), attempt=n, report=LINK
    )


def declined(event: Event, reason: str = "") -> LocateDeclined:
    """Return the answer to `event`."""
    assert isinstance(event, LocateRequested)
    return LocateDeclined(
        **caused_by(event, STAGE), bug_id=event.bug_id, attempt=event.attempt, reason=reason
    )


def answers(event: Event) -> Iterable[Event]:
    """Answer requests, pass the rest over."""
    if isinstance(event, LocateRequested):
        yield declined(event)


def stage(
    handle: Callable[[Event], Iterable[Event]] = answers,
    *,
    name: str = STAGE,
    source: Topic = topics.BUGS_COMMANDS,
    stops_on_unknown: bool = False,
) -> Processor:
    return Processor(name, (source,), handle, stops_on_unknown=stops_on_unknown)


def task(
    handle: Callable[[Event], Iterable[Event]] = answers,
    *,
    name: str = STAGE,
    source: Topic = topics.BUGS_COMMANDS,
    concurrency: int = 4,
) -> Task:
    return Task(name, (source,), (LocateRequested,), handle, concurrency)


class Counting:
    """Counts the requests of each bug: a state that shows every loss and every doubling."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.known: dict[str, int] = {}
        self.fresh: dict[str, int] = {}

    def load(self, key: str, value: bytes | None) -> None:
        if value is None:
            self.known.pop(key, None)
        else:
            self.known[key] = json.loads(value)

    def decide(self, event: Event) -> Decision:
        if not isinstance(event, LocateRequested):
            return Decision()
        key = str(event.bug_id)
        count = self.fresh.get(key, self.known.get(key, 0)) + 1
        self.fresh[key] = count
        reason = "x" * 100_000 if event.attempt == TOO_LARGE else str(count)
        return Decision((declined(event, reason),), (StateChange(key, json.dumps(count).encode()),))

    def commit(self) -> None:
        self.known |= self.fresh
        self.fresh = {}

    def rollback(self) -> None:
        self.fresh = {}


TOO_LARGE = 666
"""Answering this attempt makes an event that does not fit into a record."""


def counting(
    *, name: str = STAGE, source: Topic = topics.BUGS_COMMANDS, state: Topic = topics.BUGS_STATE
) -> StatefulProcessor:
    def make(partition: int) -> PartitionState:
        return Counting(partition)

    return StatefulProcessor(name, (source,), state, make)


def source_record(
    event: Event, *, source: Topic = topics.BUGS_COMMANDS, partition: int | None = None
) -> Outgoing:
    """Return `event` as a record of a toy source, in the partition it would have anyway."""
    made = outgoing(event)
    return Outgoing(
        source.name,
        made.partition % source.partitions if partition is None else partition,
        made.key,
        made.value,
        made.headers,
    )


def garbage(value: bytes = b"{", *, partition: int = 0) -> Outgoing:
    return Outgoing(topics.BUGS_COMMANDS.name, partition, b"k", value, (("h", b"1"),))


def answered(log: Log, kind: type[Event] = LocateDeclined) -> list[Event]:
    """Return the events of `kind` that can be seen in the bugs' topic."""
    events = [decode(record.value) for record in read_all(log, topics.BUGS_EVENTS)]
    return [event for event in events if isinstance(event, kind)]


def attempts_of(events: Sequence[Event]) -> list[int]:
    return sorted(event.attempt for event in events if isinstance(event, LocateDeclined))


def dead(log: Log, name: str = STAGE) -> list[Record]:
    return read_all(log, topics.dead_letters(name))


def committed(log: Log, group: str, topic: Topic = topics.BUGS_COMMANDS) -> dict[int, int]:
    places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
    return {p.partition: at.offset for p, at in log.committed(group, places).items()}


def bug(n: int) -> UUID:
    return uuid5(SEED, f"bug/{n}")
