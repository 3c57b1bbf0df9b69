"""The log port: what the runtime needs of Kafka, and no more. Kafka and memory implement it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar

from schemas.codec import Headers, encode, headers
from schemas.errors import BugstreamError, FatalError, TransientError
from schemas.event import Event
from schemas.registry import place_of
from schemas.topics import Topic

T = TypeVar("T")
METADATA_CHARS_MAX = 4095
"""What a committed offset can carry along; one more and Kafka refuses the whole transaction."""


@dataclass(frozen=True, slots=True, order=True)
class TopicPartition:
    """One ordered sequence of records."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True)
class Position:
    """A committed offset: the next record to read, and a note of its owner."""

    offset: int
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What was read. `timestamp_ms` is the broker's append time.

    Its headers are read when asked for: few are, and reading them costs as much as all the rest.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    read_headers: Callable[[], Headers] = field(compare=False, repr=False)

    @property
    def headers(self) -> Headers:
        """Return what it carries beside its value."""
        return self.read_headers()

    @property
    def source(self) -> TopicPartition:
        """Return where it lies."""
        return TopicPartition(self.topic, self.partition)

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be written. `value` None deletes the key of a compacted topic."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """Who a consumer is to its group; a transaction shows it so that a stale owner is refused.

    `member_id` is empty when the consumer is no member. Kafka then checks nothing, which is right
    for a writer that owns its group alone and a trap for everyone else.
    """

    group: str
    member_id: str
    generation: int
    token: bytes = field(default=b"", compare=False, repr=False)


class RetriableError(TransientError):
    """The log did not answer in time. The same call may be made again."""


class MustAbortError(BugstreamError):
    """The transaction cannot be committed; abort it. Nothing of it will be seen."""

    def __init__(self, message: str, *, rebalancing: bool) -> None:
        super().__init__(message)
        self.rebalancing = rebalancing
        """Whether only the group moved on: after the abort it is safe to go on polling."""


class FencedError(FatalError):
    """Another process took over this identity. Do not start again: the other one is right."""


class Rebalance(Protocol):
    """Told by `Consumer.poll`, in its thread, what it owns. What it raises comes out of `poll`."""

    def on_assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Take over `partitions` and return the offset to start each at."""

    def on_revoke(self, partitions: Sequence[TopicPartition]) -> None:
        """Let go of `partitions`; a commit is still accepted, but work must end in seconds."""

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget `partitions`: another owner has them already, and a commit would be refused."""


class Consumer(Protocol):
    """Reads committed records. Owned by one thread."""

    def subscribe(self, topics: Sequence[str], rebalance: Rebalance) -> None:
        """Join the group. Partitions come with later polls, by the `range` assignor."""

    def assign(self, start: Mapping[TopicPartition, int]) -> None:
        """Read exactly these partitions from these offsets, outside of any group protocol."""

    def poll(self, timeout_s: float, records_max: int = 500) -> list[Record]:
        """Return what has come, at once when there is any; else wait at most `timeout_s`.

        Raises `FencedError`, and `FatalError` where the position is gone or the group is lost.
        """

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver nothing of `partitions` until resumed or assigned anew."""

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver again, from where it stopped."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read `partition` from `offset` next."""

    def committed(
        self, partitions: Collection[TopicPartition], *, timeout_s: float = 5.0
    ) -> dict[TopicPartition, Position]:
        """Return the group's positions, without those that have none.

        Raises `RetriableError` while a transaction that may move them is still open.
        """

    def membership(self) -> Membership:
        """Return who this consumer is to its group now."""

    def close(self) -> None:
        """Stop reading. A static member keeps its partitions until its session ends."""


class TransactionProducer(Protocol):
    """Writes records and positions as one. Owned by one thread.

    Waits out what can be retried. Every method may raise `FencedError`, and `FatalError` when the
    outcome is unknown: then the process ends and the next `begin` of its successor finds out.
    """

    def init(self) -> None:
        """Fence every other producer with this id and end its open transaction.

        Must be called first. Raises `RetriableError` while the log cannot be reached.
        """

    def begin(self) -> None:
        """Open a transaction."""

    def produce(self, record: Outgoing) -> None:
        """Write `record`, seen by no reader before the commit. Raises `MustAbortError`."""

    def send_offsets(
        self, positions: Mapping[TopicPartition, Position], membership: Membership
    ) -> None:
        """Move the group's positions with this transaction. Raises `MustAbortError`."""

    def commit(self) -> None:
        """Make all of it seen. Raises `MustAbortError`."""

    def abort(self) -> None:
        """Make sure nothing of it is ever seen."""

    def close(self) -> None:
        """Free the connection. An open transaction is left to the next `init` of this id."""


class Log(Protocol):
    """A Kafka, or what behaves like one. Safe to use from several threads."""

    def consumer(self, group: str, *, instance: str | None = None) -> Consumer:
        """Return a reader for `group`; with `instance` it is a static member."""

    def producer(self, transactional_id: str) -> TransactionProducer:
        """Return a writer. Two with one id fence each other."""

    def ensure_topics(self, topics: Iterable[Topic]) -> tuple[str, ...]:
        """Create those that are missing and return their names.

        Raises `UserError` when one exists with another number of partitions.
        """

    def begin_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the first offset that is still kept of each."""

    def end_offsets(
        self, partitions: Collection[TopicPartition], *, include_open: bool = False
    ) -> dict[TopicPartition, int]:
        """Return the offset after the last record a reader can see now.

        With `include_open`, after the last one written, open transactions and all.
        """

    def committed(
        self, group: str, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, Position]:
        """Return the positions of any group, for watching it; not for taking over its work."""

    def read(
        self, start: Mapping[TopicPartition, int], *, timeout_s: float = 30.0
    ) -> Iterator[Record]:
        """Yield what each partition holds from its offset up to now, and end.

        Waits for transactions that are open when it starts: what they commit is yielded too.
        Raises `RetriableError` after `timeout_s` without progress.
        """

    def close(self) -> None:
        """Free all connections."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def ask_until(call: Callable[[], T], s_max: float) -> T:
    """Return what `call` answers, made again while it raises `RetriableError`, for `s_max`."""
    deadline = time.monotonic() + s_max
    while True:
        try:
            return call()
        except RetriableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def partitions_of(*topics: Topic) -> list[TopicPartition]:
    """Return every partition of `topics`."""
    return [TopicPartition(t.name, number) for t in topics for number in range(t.partitions)]


def outgoing(event: Event) -> Outgoing:
    """Return `event` as a record for its topic. Raises `PoisonError` when it is too large."""
    topic, key, partition = place_of(event)
    return Outgoing(
        topic=topic.name,
        partition=partition,
        key=key.encode(),
        value=encode(event),
        headers=headers(event),
    )


def commit_together(
    producer: TransactionProducer,
    records: Iterable[Outgoing],
    positions: Mapping[TopicPartition, Position],
    membership: Membership,
) -> bool:
    """Write `records` and `positions` in one transaction.

    Returns False when it was aborted only because the group moved on. Raises `FatalError` for
    everything else: the caller must not try again, its successor finds out what happened.
    """
    producer.begin()
    try:
        for record in records:
            producer.produce(record)
        producer.send_offsets(positions, membership)
        producer.commit()
    except MustAbortError as error:
        producer.abort()
        if error.rebalancing:
            return False
        raise FatalError(f"a transaction was aborted: {error}") from error
    return True
