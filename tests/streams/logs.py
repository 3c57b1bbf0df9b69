"""What tests of the log do again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.topics import Topic
from streams.log import (
    Consumer,
    Log,
    Membership,
    Outgoing,
    Position,
    Record,
    TopicPartition,
    ask_until,
    commit_together,
)

WAIT_S_MAX = 60.0


@dataclass
class Recorder:
    """A `Rebalance` that starts at the committed position, else at zero, and remembers all."""

    consumer: Consumer
    assigned: list[list[TopicPartition]] = field(default_factory=list)
    revoked: list[list[TopicPartition]] = field(default_factory=list)
    lost: list[list[TopicPartition]] = field(default_factory=list)
    owned: set[TopicPartition] = field(default_factory=set)

    def on_assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        self.assigned.append(list(partitions))
        self.owned |= set(partitions)
        known = self.consumer.committed(partitions) if partitions else {}
        return {one: known.get(one, Position(0)).offset for one in partitions}

    def on_revoke(self, partitions: Sequence[TopicPartition]) -> None:
        self.revoked.append(list(partitions))
        self.owned -= set(partitions)

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self.lost.append(list(partitions))
        self.owned -= set(partitions)


def topic(log: Log, name: str, *, partitions: int = 2, compacted: bool = False) -> Topic:
    made = Topic(name, retention_days=1, compacted=compacted, partitions=partitions)
    log.ensure_topics([made])
    return made


def write(log: Log, *records: Outgoing) -> None:
    """Write `records` in one transaction of their own."""
    producer = log.producer(f"writer-{time.monotonic_ns()}")
    try:
        ask_until(producer.init, WAIT_S_MAX)  # A new broker makes its own topics first.
        producer.begin()
        for record in records:
            producer.produce(record)
        producer.commit()
    finally:
        producer.close()


def text(topic: Topic, value: str, *, partition: int = 0, key: str = "k") -> Outgoing:
    return Outgoing(topic.name, partition, key.encode(), value.encode(), (("h", b"1"),))


def values(records: Sequence[Record]) -> list[str]:
    return [(record.value or b"").decode() for record in records]


def read_all(log: Log, topic: Topic) -> list[Record]:
    """Return all that can be seen of `topic`."""
    return list(log.read({TopicPartition(topic.name, n): 0 for n in range(topic.partitions)}))


def poll_until(consumer: Consumer, enough: Callable[[list[Record]], bool]) -> list[Record]:
    """Poll until `enough`, and fail when it takes too long."""
    deadline = time.monotonic() + WAIT_S_MAX
    got: list[Record] = []
    while not enough(got):
        assert time.monotonic() < deadline, f"only {values(got)}"
        got += consumer.poll(0.1)
    return got


def commit_offset(
    log: Log, transactional_id: str, membership: Membership, at: Mapping[TopicPartition, Position]
) -> bool:
    """Commit `at` in a transaction of its own."""
    producer = log.producer(transactional_id)
    try:
        producer.init()
        return commit_together(producer, [], at, membership)
    finally:
        producer.close()
