"""The log port in memory: one process, a clock passed in, faults on demand.

Behaves like Kafka where the runtime depends on it: hidden open and aborted records, markers that
take an offset, positions with metadata inside the transaction, fencing, rebalances.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Self

from processors.ports import Clock
from schemas.errors import FatalError, UserError
from schemas.topics import Topic
from streams.clock import SystemClock
from streams.log import (
    METADATA_CHARS_MAX,
    FencedError,
    Membership,
    MustAbortError,
    Outgoing,
    Position,
    Record,
    RetriableError,
    TopicPartition,
)
from streams.memory_consumer import MemoryConsumer
from streams.memory_group import Group

Operation = Literal["init", "begin", "produce", "send_offsets", "commit", "abort", "poll"]


@dataclass(slots=True, eq=False)
class _Transaction:
    state: Literal["open", "committed", "aborted"] = "open"
    touched: set[TopicPartition] = field(default_factory=set)
    positions: dict[tuple[str, TopicPartition], Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Entry:
    transaction: _Transaction
    record: Record | None
    """None: the marker that ends a transaction. It takes an offset, and no reader sees it."""


@dataclass(frozen=True, slots=True)
class _Fault:
    error: BaseException
    after: bool


class MemoryLog:
    """A `Log` that lives and dies with its process."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.changed = threading.Condition(threading.RLock())
        """Guards everything here; told about every commit and rebalance."""
        self.groups: defaultdict[str, Group] = defaultdict(lambda: Group(""))
        self._clock = clock or SystemClock()
        self._topics: dict[str, int] = {}
        self._entries: dict[TopicPartition, list[_Entry]] = {}
        self._epochs: dict[str, int] = {}
        self._open: dict[str, _Transaction] = {}
        self._faults: defaultdict[Operation, list[_Fault]] = defaultdict(list)

    def consumer(self, group: str, *, instance: str | None = None) -> MemoryConsumer:
        """Return a reader for `group`."""
        return MemoryConsumer(self, group, instance)

    def producer(self, transactional_id: str) -> MemoryProducer:
        """Return a writer."""
        return MemoryProducer(self, transactional_id)

    def ensure_topics(self, topics: Iterable[Topic]) -> tuple[str, ...]:
        """Create those that are missing."""
        created = []
        with self.changed:
            for topic in topics:
                count = self._topics.get(topic.name)
                if count is None:
                    self._topics[topic.name] = topic.partitions
                    for number in range(topic.partitions):
                        self._entries[TopicPartition(topic.name, number)] = []
                    created.append(topic.name)
                elif count != topic.partitions:
                    raise UserError(
                        f"topic {topic.name} has {count} partitions and needs {topic.partitions}"
                    )
        return tuple(created)

    def begin_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return zero for each: nothing is ever deleted."""
        return {one: 0 for one in partitions if self._held(one) is not None}

    def end_offsets(
        self, partitions: Collection[TopicPartition], *, include_open: bool = False
    ) -> dict[TopicPartition, int]:
        """Return the offset after the last record of each."""
        with self.changed:
            return {
                one: len(self._held(one)) if include_open else self._stable_end(one)
                for one in partitions
            }

    def committed(
        self, group: str, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, Position]:
        """Return the positions of any group."""
        with self.changed:
            held = self.group(group).positions
            return {one: held[one] for one in partitions if one in held}

    def read(
        self, start: Mapping[TopicPartition, int], *, timeout_s: float = 30.0
    ) -> Iterator[Record]:
        """Yield what each partition holds from its offset up to now, and end."""
        ends = self.end_offsets(start, include_open=True)
        deadline = time.monotonic() + timeout_s
        for one, end in ends.items():
            with self.changed:
                while self._stable_end(one) < end:
                    if not self.changed.wait(deadline - time.monotonic()):
                        raise RetriableError(f"no progress in {timeout_s:.0f} s reading {one}")
                found = self.visible(one, start[one], end)
            yield from found

    def close(self) -> None:
        """Do nothing: there is nothing to free."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- for tests: what a network and a crash can do ---

    def fail(self, operation: Operation, error: BaseException, *, after: bool = False) -> None:
        """Let the next `operation` raise `error`; with `after`, once it has taken effect."""
        self._faults[operation].append(_Fault(error, after))

    def heal(self) -> None:
        """Forget the faults that nobody has run into."""
        self._faults.clear()

    def expire_session(self, consumer: MemoryConsumer) -> None:
        """Let the group give up `consumer`, as after a long pause of its process."""
        with self.changed:
            if consumer.member is not None:
                self.group(consumer.group).leave(consumer.member)
            self.changed.notify_all()

    # --- for the clients ---

    def group(self, name: str) -> Group:
        """Return the group, made when first asked for. The caller holds `changed`."""
        group = self.groups[name]
        group.name = name
        return group

    def partition_counts(self) -> Mapping[str, int]:
        """Return how many partitions each topic has."""
        return self._topics

    def visible(
        self, partition: TopicPartition, start: int, end: int | None = None
    ) -> list[Record]:
        """Return the committed records between the offsets. The caller holds `changed`."""
        stable = self._stable_end(partition)
        last = stable if end is None else min(end, stable)
        return [
            entry.record
            for entry in self._held(partition)[start:last]
            if entry.record is not None and entry.transaction.state == "committed"
        ]

    def is_unstable(self, group: str, partition: TopicPartition) -> bool:
        """Return whether an open transaction may move the group's position there."""
        return any((group, partition) in open_.positions for open_ in self._open.values())

    @contextmanager
    def faulty(self, operation: Operation) -> Iterator[None]:
        """Run a block as `operation`, with the fault that is waiting for it."""
        fault = self._faults[operation].pop(0) if self._faults[operation] else None
        if fault is not None and not fault.after:
            raise fault.error
        yield
        if fault is not None:
            raise fault.error

    def _held(self, partition: TopicPartition) -> list[_Entry]:
        try:
            return self._entries[partition]
        except KeyError:
            raise FatalError(f"there is no partition {partition}") from None

    def _stable_end(self, partition: TopicPartition) -> int:
        entries = self._held(partition)
        # Looks back only as far as open transactions reach.
        touching = {id(t) for t in self._open.values() if partition in t.touched}
        if not touching:
            return len(entries)
        return next(n for n, entry in enumerate(entries) if id(entry.transaction) in touching)

    def begin(self, transactional_id: str) -> None:
        """Open a transaction."""
        self._open[transactional_id] = _Transaction()

    def take_over(self, transactional_id: str) -> int:
        """End the open transaction of this id and return the new owner's epoch."""
        if transactional_id in self._open:
            self.end(transactional_id, "aborted")
        self._epochs[transactional_id] = self._epochs.get(transactional_id, 0) + 1
        return self._epochs[transactional_id]

    def open_transaction(self, transactional_id: str, epoch: int) -> _Transaction | None:
        """Return the open transaction of the owner with `epoch`. Raises `FencedError`."""
        if self._epochs.get(transactional_id) != epoch:
            raise FencedError(f"{transactional_id} was taken over by another process")
        return self._open.get(transactional_id)

    def append(self, transaction: _Transaction, outgoing: Outgoing) -> None:
        """Write one record under `transaction`."""
        place = TopicPartition(outgoing.topic, outgoing.partition)
        entries = self._held(place)
        record = Record(
            outgoing.topic,
            outgoing.partition,
            len(entries),
            outgoing.key,
            outgoing.value,
            int(self._clock.now().timestamp() * 1000),
            lambda: outgoing.headers,
        )
        entries.append(_Entry(transaction, record))
        transaction.touched.add(place)

    def end(self, transactional_id: str, state: Literal["committed", "aborted"]) -> None:
        """Commit or abort what is open, and mark its end in every partition it touched."""
        transaction = self._open.pop(transactional_id)
        transaction.state = state
        for place in transaction.touched:
            self._held(place).append(_Entry(transaction, None))
        if state == "committed":
            for (group, place), position in transaction.positions.items():
                self.group(group).positions[place] = position
        self.changed.notify_all()


class MemoryProducer:
    """A `TransactionProducer` on the in-memory log."""

    def __init__(self, log: MemoryLog, transactional_id: str) -> None:
        self._log = log
        self._id = transactional_id
        self._epoch = 0

    def init(self) -> None:
        """Fence others with this id and end their open transaction."""
        with self._log.changed, self._log.faulty("init"):
            self._epoch = self._log.take_over(self._id)

    def begin(self) -> None:
        """Open a transaction."""
        with self._log.changed, self._log.faulty("begin"):
            if self._log.open_transaction(self._id, self._epoch) is not None:
                raise FatalError(f"{self._id} has a transaction open already")
            self._log.begin(self._id)

    def produce(self, record: Outgoing) -> None:
        """Write `record`."""
        with self._log.changed, self._log.faulty("produce"):
            self._log.append(self._current(), record)

    def send_offsets(
        self, positions: Mapping[TopicPartition, Position], membership: Membership
    ) -> None:
        """Move the group's positions with this transaction."""
        with self._log.changed, self._log.faulty("send_offsets"):
            transaction = self._current()
            self._log.group(membership.group).check(membership)
            for place, position in positions.items():
                if len(position.metadata) > METADATA_CHARS_MAX:
                    raise MustAbortError("the offset's metadata is too large", rebalancing=False)
                transaction.positions[membership.group, place] = position

    def commit(self) -> None:
        """Make all of it seen."""
        with self._log.changed, self._log.faulty("commit"):
            self._current()
            self._log.end(self._id, "committed")

    def abort(self) -> None:
        """Make sure nothing of it is ever seen."""
        with self._log.changed, self._log.faulty("abort"):
            self._current()
            self._log.end(self._id, "aborted")

    def close(self) -> None:
        """Do nothing: an open transaction is left to the next `init` of this id."""

    def _current(self) -> _Transaction:
        transaction = self._log.open_transaction(self._id, self._epoch)
        if transaction is None:
            raise FatalError(f"{self._id} has no transaction open")
        return transaction
