"""The log port on Kafka, 3.7 or newer: settings that were proven by kills, topics, offsets."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, Self
from uuid import uuid4

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from schemas.errors import BugstreamError, FatalError, UserError
from schemas.topics import Topic
from streams.kafka_clients import (
    TRANSACTION_TIMEOUT_MS,
    KafkaConsumer,
    KafkaProducer,
    positions,
    record_of,
)
from streams.kafka_errors import Reporter, answer
from streams.log import Position, Record, RetriableError, TopicPartition, ask_until

SESSION_TIMEOUT_MS = 6_000
"""The least a broker allows by default: a dead worker's partitions move after this."""
ADMIN_S_MAX = 15.0
_DAY_MS = 24 * 3600 * 1000
_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_ALREADY_THERE = ck.KafkaError.TOPIC_ALREADY_EXISTS
_END = ck.KafkaError._PARTITION_EOF  # noqa: SLF001  # librdkafka's own codes are spelt so

Config = dict[str, str | int | bool]


class KafkaLog:
    """A `Log` on a Kafka cluster. `options` go to librdkafka as they are, such as SASL and TLS."""

    def __init__(self, bootstrap: str, options: Mapping[str, str] | None = None) -> None:
        """Connect when first needed. Raises `UserError` for options that do not exist."""
        self._common: Config = {
            # librdkafka prints to stderr by itself; what matters comes through `error_cb`.
            "log_level": 0,
            "reconnect.backoff.max.ms": 1_000,
            # Else a client that finds no broker forgets the one it knew, and after a restart of
            # Kafka may wait for ever (librdkafka 2.16, its issues 5301 and 5600).
            "metadata.recovery.strategy": "none",
            **(options or {}),
            "bootstrap.servers": bootstrap,
        }
        config: dict[str, Any] = {**self._common, "error_cb": Reporter()}
        try:
            self._admin = AdminClient(config)
        except ck.KafkaException as error:
            raise UserError(f"kafka_options: {error.args[0].str()}") from error

    def consumer(self, group: str, *, instance: str | None = None) -> KafkaConsumer:
        """Return a reader for `group`."""
        return KafkaConsumer(self._consumer_config(group, instance), group)

    def producer(self, transactional_id: str) -> KafkaProducer:
        """Return a writer."""
        return KafkaProducer(self._producer_config(transactional_id))

    def ensure_topics(self, topics: Iterable[Topic]) -> tuple[str, ...]:
        """Create those that are missing."""
        wanted = {topic.name: topic for topic in topics}
        there = self._partition_counts()
        for name, topic in wanted.items():
            if there.get(name, topic.partitions) != topic.partitions:
                raise UserError(
                    f"topic {name} has {there[name]} partitions and needs {topic.partitions}:"
                    " use another Kafka, or delete the topic if nothing in it matters"
                )
        missing = [topic for name, topic in wanted.items() if name not in there]
        if missing:
            self._create(missing)
        return tuple(topic.name for topic in missing)

    def begin_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the first offset that is still kept of each."""
        return self._offsets(partitions, _EARLIEST, include_open=True)

    def end_offsets(
        self, partitions: Collection[TopicPartition], *, include_open: bool = False
    ) -> dict[TopicPartition, int]:
        """Return the offset after the last record of each."""
        return self._offsets(partitions, _LATEST, include_open=include_open)

    def committed(
        self, group: str, partitions: Collection[TopicPartition]
    ) -> dict[TopicPartition, Position]:
        """Return the positions of any group."""
        asked = [ck.TopicPartition(one.topic, one.partition) for one in partitions]
        if not asked:
            return {}
        request = ck.ConsumerGroupTopicPartitions(group, asked)

        def ask() -> dict[TopicPartition, Position]:
            answers = self._admin.list_consumer_group_offsets(
                [request], request_timeout=ADMIN_S_MAX
            )
            found = _result(answers[group], f"asking for the offsets of {group}")
            return positions(found.topic_partitions)

        return ask_until(ask, ADMIN_S_MAX)

    def read(
        self, start: Mapping[TopicPartition, int], *, timeout_s: float = 30.0
    ) -> Iterator[Record]:
        """Yield what each partition holds from its offset up to now, and end."""
        # Up to the high watermark, not the last stable offset: the transaction of a writer that
        # has just died may still be finishing, and its records count.
        ends = self.end_offsets(start, include_open=True)
        begins = self.begin_offsets(start)
        at = {one: max(offset, begins[one]) for one, offset in start.items()}
        open_ends = {one: end for one, end in ends.items() if at[one] < end}
        if not open_ends:
            return
        config: Config = {
            **self._common,
            "group.id": f"read-{uuid4()}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
        consumer = ck.Consumer({**config, "error_cb": Reporter()})
        try:
            consumer.assign(
                [ck.TopicPartition(one.topic, one.partition, at[one]) for one in open_ends]
            )
            yield from _read_to(consumer, open_ends, timeout_s)
        finally:
            consumer.close()

    def close(self) -> None:
        """Free all connections."""
        del self._admin

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _consumer_config(self, group: str, instance: str | None) -> Config:
        config: Config = {
            **self._common,
            "group.id": group,
            # KIP-848 with static ids leaves a restarted worker without partitions (measured).
            "group.protocol": "classic",
            "partition.assignment.strategy": "range",
            "session.timeout.ms": SESSION_TIMEOUT_MS,
            "heartbeat.interval.ms": 1_000,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # A lost position must not be answered by silence or by everything once more.
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "allow.auto.create.topics": False,
            "queued.max.messages.kbytes": 16_384,
            # Small helpings: with a backlog, the partitions take turns sooner.
            "max.partition.fetch.bytes": 262_144,
        }
        if instance is not None:
            config["group.instance.id"] = instance
        return config

    def _producer_config(self, transactional_id: str) -> Config:
        return {
            **self._common,
            "transactional.id": transactional_id,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            "message.timeout.ms": TRANSACTION_TIMEOUT_MS,
            "linger.ms": 2,
            "compression.type": "lz4",
        }

    def _partition_counts(self) -> dict[str, int]:
        try:
            found = self._admin.list_topics(timeout=ADMIN_S_MAX).topics
        except ck.KafkaException as error:
            raise answer(error.args[0], "asking for the topics") from error
        return {name: len(topic.partitions) for name, topic in found.items()}

    def _create(self, topics: Collection[Topic]) -> None:
        created = self._admin.create_topics(
            [_new_topic(topic) for topic in topics], request_timeout=ADMIN_S_MAX
        )
        for name, future in created.items():
            try:
                _result(future, f"creating {name}")
            except _AlreadyThereError:
                continue  # Another process was faster: as good.
        deadline = time.monotonic() + ADMIN_S_MAX
        while not {topic.name for topic in topics} <= self._partition_counts().keys():
            if time.monotonic() > deadline:
                raise RetriableError(f"new topics are not visible after {ADMIN_S_MAX:.0f} s")
            time.sleep(0.05)

    def _offsets(
        self, partitions: Collection[TopicPartition], spec: OffsetSpec, *, include_open: bool
    ) -> dict[TopicPartition, int]:
        if not partitions:
            return {}
        level = (
            ck.IsolationLevel.READ_UNCOMMITTED if include_open else ck.IsolationLevel.READ_COMMITTED
        )
        asked = {ck.TopicPartition(one.topic, one.partition): spec for one in partitions}

        def ask() -> dict[TopicPartition, int]:
            # Else it asks for ever with the epoch of a leader from before the broker's restart.
            self._partition_counts()
            answers = self._admin.list_offsets(
                asked, isolation_level=level, request_timeout=ADMIN_S_MAX
            )
            return {
                TopicPartition(one.topic, one.partition): _result(
                    future, f"asking for the offsets of {one.topic}"
                ).offset
                for one, future in answers.items()
            }

        return ask_until(ask, ADMIN_S_MAX)  # A new topic's leader takes a moment.


class _AlreadyThereError(BugstreamError):
    """The topic to create exists."""


def _result(future: Future[Any], what: str) -> Any:
    try:
        return future.result(ADMIN_S_MAX + 1)
    except ck.KafkaException as error:
        if error.args[0].code() == _ALREADY_THERE:
            raise _AlreadyThereError(what) from error
        raise answer(error.args[0], what) from error
    except TimeoutError as error:
        raise RetriableError(f"{what}: no answer in {ADMIN_S_MAX:.0f} s") from error


def _new_topic(topic: Topic) -> NewTopic:
    days = topic.retention_days
    config = {
        # The broker's time: a wrong clock in one worker must not decide about retention or age.
        "message.timestamp.type": "LogAppendTime",
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": str(-1 if days is None else days * _DAY_MS),
    }
    return NewTopic(
        topic.name, num_partitions=topic.partitions, replication_factor=-1, config=config
    )


def _read_to(
    consumer: ck.Consumer, ends: dict[TopicPartition, int], timeout_s: float
) -> Iterator[Record]:
    """Yield records until every partition of `ends` has been read up to its end."""
    waiting = dict(ends)
    deadline = time.monotonic() + timeout_s
    while waiting:
        messages = consumer.consume(500, timeout=0.02)
        if messages:
            deadline = time.monotonic() + timeout_s
        elif time.monotonic() > deadline:
            names = ", ".join(str(one) for one in sorted(waiting)[:3])
            raise RetriableError(f"no progress in {timeout_s:.0f} s while reading {names}")
        for message in messages:
            record = _record_or_end(message)
            place = TopicPartition(record.topic, record.partition)
            if message.error() is None:
                # Later records of a partition that is done are not part of this reading.
                if place in waiting:
                    yield record
                if record.offset + 1 >= ends[place]:
                    waiting.pop(place, None)
            elif record.offset >= ends[place]:
                waiting.pop(place, None)


def _record_or_end(message: ck.Message) -> Record:
    """Return the record in `message`, or an empty one at the offset where a partition ends."""
    error = message.error()
    if error is not None and error.code() != _END:
        meant = answer(error, f"reading {message.topic()}")
        raise meant if isinstance(meant, FatalError) else RetriableError(str(meant))
    return record_of(message)
