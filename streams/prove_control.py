"""Negative controls: logs with one mechanism off. What they run must show doubles or losses."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.errors import FatalError
from streams.kafka_clients import KafkaConsumer, KafkaProducer, at_positions
from streams.kafka_log import KafkaLog
from streams.log import Membership, Position, TopicPartition

COMMIT_EVERY_MS = 500
"""Ten times as often as Kafka's clients do by default: the control is not made worse than life."""
FLUSH_S_MAX = 30.0


class AtLeastOnceLog(KafkaLog):
    """Writes at once, and commits positions by themselves, some time after: the usual way."""

    def consumer(self, group: str, *, instance: str | None = None) -> KafkaConsumer:
        """Return a reader, and remember it: it is what commits."""
        config = self._consumer_config(group, instance)
        config["enable.auto.commit"] = True
        config["auto.commit.interval.ms"] = COMMIT_EVERY_MS
        self.reader = _Reader(config, group)
        return self.reader

    def producer(self, transactional_id: str) -> KafkaProducer:
        """Return a writer without transactions."""
        config = self._producer_config(transactional_id)
        del config["transactional.id"], config["transaction.timeout.ms"]
        return _PlainProducer(config, self)


class _Reader(KafkaConsumer):
    def store(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Leave `positions` to the client, which commits them by itself every now and then."""
        self._consumer.store_offsets(offsets=at_positions(positions))


class _PlainProducer(KafkaProducer):
    """Keeps the promises of a transaction producer no better than most programs do."""

    def __init__(self, config: Mapping[str, str | int | bool], log: AtLeastOnceLog) -> None:
        super().__init__(config)
        self._log = log
        self._positions: dict[TopicPartition, Position] = {}

    def init(self) -> None:
        """Fence nobody."""

    def begin(self) -> None:
        """Begin nothing."""

    def send_offsets(
        self, positions: Mapping[TopicPartition, Position], membership: Membership
    ) -> None:
        """Remember the positions for later."""
        del membership
        self._positions = dict(positions)

    def commit(self) -> None:
        """Write; the positions are committed some time later."""
        if self._producer.flush(FLUSH_S_MAX):
            raise FatalError("records could not be written")
        if self._positions:
            self._log.reader.store(self._positions)

    def abort(self) -> None:
        """Take nothing back."""


class ForgetfulLog(KafkaLog):
    """Transactions as they are, but what is done beyond the lowest open offset is forgotten."""

    def producer(self, transactional_id: str) -> KafkaProducer:
        """Return a writer that drops the metadata of positions."""
        return _ForgetfulProducer(self._producer_config(transactional_id))


class _ForgetfulProducer(KafkaProducer):
    def send_offsets(
        self, positions: Mapping[TopicPartition, Position], membership: Membership
    ) -> None:
        """Move the group's positions, without what is done beyond them."""
        bare = {place: Position(at.offset) for place, at in positions.items()}
        super().send_offsets(bare, membership)
