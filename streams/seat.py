"""A stage's seat in its consumer group: a consumer and a producer with one identity."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from schemas.errors import FatalError
from streams import metrics
from streams.log import (
    Consumer,
    Log,
    Outgoing,
    Position,
    Rebalance,
    Record,
    TopicPartition,
    TransactionProducer,
    ask_until,
    commit_together,
)

REACH_S_MAX = 60.0
"""How long the log may be out of reach at the start; then the supervisor waits instead."""
SETTLE_S_MAX = 120.0
"""How long open transactions of dead owners may hide the committed offsets."""


class Seat:
    """Group `{app}-{stage}`; `{app}-{stage}-{slot}` is both static member and transactional id.

    The same slot twice fences the first: a restarted worker takes its partitions back at once, and
    what its predecessor left open is aborted before anything is read.
    """

    def __init__(self, log: Log, *, app: str, stage: str, slot: int) -> None:
        self._log = log
        self._stage = stage
        self._group = f"{app}-{stage}"
        self._identity = f"{app}-{stage}-{slot}"
        self._consumer: Consumer | None = None
        self._producer: TransactionProducer | None = None
        self._member_id = ""

    @property
    def is_open(self) -> bool:
        """Return whether the group was joined."""
        return self._consumer is not None

    @property
    def consumer(self) -> Consumer:
        """Return the consumer of an open seat."""
        if self._consumer is None:
            raise FatalError(f"{self._identity} has not joined its group")
        return self._consumer

    def open(self, topics: Sequence[str], rebalance: Rebalance) -> None:
        """Fence the predecessor, then join. Raises `RetriableError` while Kafka is unreachable."""
        producer = self._log.producer(self._identity)
        try:
            ask_until(producer.init, REACH_S_MAX)
            consumer = self._log.consumer(self._group, instance=self._identity)
        except BaseException:
            producer.close()
            raise
        self._producer, self._consumer = producer, consumer
        consumer.subscribe(topics, rebalance)

    def poll(self, timeout_s: float, records_max: int) -> list[Record]:
        """Return what has come."""
        return self.consumer.poll(timeout_s, records_max)

    def take_over(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, Position]:
        """Return where to start each, in `on_assign`: its position, or the oldest record kept.

        Remembers the member id. Raises `FatalError` where records were deleted unread.
        """
        committed: dict[TopicPartition, Position] = {}
        if partitions:
            committed = ask_until(
                lambda: self.consumer.committed(partitions, timeout_s=2.0), SETTLE_S_MAX
            )
        begins = self._log.begin_offsets(partitions)
        for place, position in committed.items():
            if position.offset < begins[place]:
                raise FatalError(
                    f"{self._group} stopped at {place}/{position.offset}, but the oldest record"
                    f" kept is {begins[place]}: what lay between was deleted unread"
                )
        self._member_id = self.consumer.membership().member_id
        return {place: committed.get(place, Position(begins[place])) for place in partitions}

    def commit(
        self, records: Iterable[Outgoing], positions: Mapping[TopicPartition, Position]
    ) -> bool:
        """Write `records` and move to `positions` at once; False: aborted, the group moved on.

        Raises `FatalError` when the outcome is unknown or this process is no member any more.
        """
        membership = self.consumer.membership()
        # A member that lost its session may show no identity, and Kafka then checks nothing: the
        # commit of a stale owner would be accepted.
        if not membership.member_id or membership.member_id != self._member_id:
            raise FatalError(f"{self._identity} lost its place in group {self._group}")
        if self._producer is None:
            raise FatalError(f"{self._identity} is closed")
        with metrics.COMMIT_SECONDS.labels(self._stage).time():
            return commit_together(self._producer, records, positions, membership)

    def close(self) -> None:
        """Free both clients. The static member keeps its partitions for its successor."""
        consumer, self._consumer = self._consumer, None
        producer, self._producer = self._producer, None
        try:
            if consumer is not None:
                consumer.close()
        finally:
            if producer is not None:
                producer.close()
