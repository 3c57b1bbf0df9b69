"""The two Kafka clients behind the log port: confluent-kafka's, with its traps closed."""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

import confluent_kafka as ck

from schemas.errors import BugstreamError, FatalError
from streams.kafka_errors import FENCED, Reporter, answer
from streams.log import (
    FencedError,
    Membership,
    Outgoing,
    Position,
    Rebalance,
    Record,
    RetriableError,
    TopicPartition,
)

_LOG = logging.getLogger(__name__)
CALL_S_MAX = 5.0
"""How long one call may wait for the broker before it is made again or given up."""
REACH_S_MAX = 10.0
"""How long a producer waits for the broker before it says that it cannot start."""
TRANSACTION_TIMEOUT_MS = 10_000
"""A dead worker's open transaction hides later records for at most this long."""
FINISH_S_MAX = 15.0
"""How long a commit or abort is asked for before its outcome counts as unknown.

Longer than a transaction lives: one that Kafka itself has ended is not waited for."""

_NO_OFFSET = ck.OFFSET_INVALID
_METADATA_PREFIX = b"CGMDv2:"


class KafkaConsumer:
    """A `Consumer` on Kafka."""

    def __init__(self, config: Mapping[str, str | int | bool], group: str) -> None:
        self._group = group
        self._error: BaseException | None = None
        self._rebalance: Rebalance | None = None
        self._start: dict[TopicPartition, int] = {}
        self._changes = 0
        self._lost_session = False
        self._report = Reporter()
        self._consumer = ck.Consumer({**config, "error_cb": self._on_error})

    def subscribe(self, topics: Sequence[str], rebalance: Rebalance) -> None:
        """Join the group."""
        self._rebalance = rebalance
        self._consumer.subscribe(
            list(topics),
            on_assign=lambda _, given: self._guard(lambda: self._take(rebalance, given)),
            on_revoke=lambda _, gone: self._guard(lambda: self._drop(rebalance.on_revoke, gone)),
            on_lost=lambda _, gone: self._guard(lambda: self._lose(rebalance, gone)),
        )

    def assign(self, start: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets."""
        self._start = dict(start)
        self._consumer.assign(_at(self._start))

    def poll(self, timeout_s: float, records_max: int = 500) -> list[Record]:
        """Return what has come."""
        before = self._changes
        try:
            first = self._consumer.poll(timeout_s)
            messages = [first] if first is not None else []
            if messages and records_max > 1:
                messages += self._consumer.consume(records_max - 1, timeout=0.005)
        except (ck.KafkaException, SystemError, RuntimeError) as error:
            raise self._error or FatalError(f"the consumer failed: {error}") from error
        if self._error is not None:
            raise self._error
        records = [record_of(message) for message in messages if self._is_record(message)]
        if messages and self._changes != before:
            # Which of them were read before the rebalance cannot be told: read all of them again.
            self._consumer.assign(_at(self._start))
            return []
        return records

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver nothing of `partitions`."""
        self._call(lambda: self._consumer.pause(_bare(partitions)), "pause")

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Deliver `partitions` again."""
        self._call(lambda: self._consumer.resume(_bare(partitions)), "resume")

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read `partition` from `offset` next."""
        self._call(lambda: self._consumer.seek(_at({partition: offset})[0]), "seek")

    def committed(
        self, partitions: Collection[TopicPartition], *, timeout_s: float = 5.0
    ) -> dict[TopicPartition, Position]:
        """Return the group's positions."""
        try:
            found = self._consumer.committed(_bare(partitions), timeout=timeout_s)
        except ck.KafkaException as error:
            raise answer(error.args[0], "asking for committed offsets") from error
        for one in found:
            if one.error is not None:
                raise answer(one.error, f"asking for the committed offset of {one.topic}")
        return positions(found)

    def membership(self) -> Membership:
        """Return who this consumer is to its group now."""
        token = self._consumer.consumer_group_metadata()
        return parse_membership(token, self._group)

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _take(self, rebalance: Rebalance, given: Sequence[ck.TopicPartition]) -> None:
        partitions = [TopicPartition(one.topic, one.partition) for one in given]
        self._lost_session = False
        self._start = dict(rebalance.on_assign(partitions))
        self._consumer.assign(_at(self._start))
        # librdkafka keeps a pause across assignments: the partition would stay silent for ever.
        self._consumer.resume(_bare(partitions))

    def _drop(
        self,
        told: Callable[[Sequence[TopicPartition]], None],
        gone: Sequence[ck.TopicPartition],
    ) -> None:
        self._start = {}
        told([TopicPartition(one.topic, one.partition) for one in gone])

    def _lose(self, rebalance: Rebalance, gone: Sequence[ck.TopicPartition]) -> None:
        self._lost_session = True
        self._drop(rebalance.on_lost, gone)

    def _guard(self, callback: Callable[[], None]) -> None:
        """Run a rebalance callback: what it raises would leave `poll` as a bare SystemError."""
        self._changes += 1
        try:
            callback()
        except BaseException as error:  # noqa: BLE001  # `poll` raises it, in the same thread
            self._error = self._error or error
            self._consumer.unassign()

    def _on_error(self, error: ck.KafkaError) -> None:
        if error.fatal() or error.code() in FENCED:
            self._error = self._error or self._meaning(error, "the consumer failed")
        else:
            self._report(error)

    def _meaning(self, error: ck.KafkaError, what: str) -> BugstreamError:
        meant = answer(error, what)
        if isinstance(meant, FencedError) and self._lost_session:
            # A client whose session ended while Kafka was away forgets its own member id, and is
            # then told that another took its place. If one did, the next to join finds out.
            return FatalError(f"the session ended while Kafka could not be reached: {meant}")
        return meant

    def _is_record(self, message: ck.Message) -> bool:
        error = message.error()
        if error is None:
            return True
        meant = self._meaning(error, f"reading {message.topic() or 'from Kafka'}")
        if isinstance(meant, RetriableError):
            self._report(error)
            return False
        raise meant

    def _call(self, call: Callable[[], object], what: str) -> None:
        try:
            call()
        except ck.KafkaException as error:
            raise FatalError(f"{what} failed: {error.args[0].str()}") from error


class KafkaProducer:
    """A `TransactionProducer` on Kafka."""

    def __init__(self, config: Mapping[str, str | int | bool]) -> None:
        self._cause: ck.KafkaError | None = None
        self._report = Reporter()
        self._began_s = 0.0
        self._producer = ck.Producer({**config, "error_cb": self._on_error})

    def init(self) -> None:
        """Fence others with this id and end their open transaction."""
        deadline = time.monotonic() + REACH_S_MAX
        while True:
            try:
                self._producer.init_transactions(CALL_S_MAX)
                return
            except ck.KafkaException as error:
                meant = answer(error.args[0], "starting transactions")
                # Nothing has been written: whoever cannot wait any longer may ask again later.
                if not isinstance(meant, RetriableError) or time.monotonic() > deadline:
                    raise meant from error
                time.sleep(0.05)

    def begin(self) -> None:
        """Open a transaction."""
        self._call(self._producer.begin_transaction, "beginning a transaction")
        self._began_s = time.monotonic()

    def produce(self, record: Outgoing) -> None:
        """Write `record`."""
        deadline = time.monotonic() + FINISH_S_MAX
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                )
                return
            except BufferError as error:
                if time.monotonic() > deadline:
                    raise FatalError(f"no room to write for {FINISH_S_MAX:.0f} s") from error
                self._producer.poll(0.05)
            except ck.KafkaException as error:
                raise self._meaning(error, f"writing to {record.topic}") from error

    def send_offsets(
        self, positions: Mapping[TopicPartition, Position], membership: Membership
    ) -> None:
        """Move the group's positions with this transaction."""
        moved = at_positions(positions)
        self._call(
            lambda: self._producer.send_offsets_to_transaction(moved, membership.token, CALL_S_MAX),
            "sending offsets",
        )

    def commit(self) -> None:
        """Make all of it seen."""
        self._call(lambda: self._producer.commit_transaction(CALL_S_MAX), "committing")

    def abort(self) -> None:
        """Make sure nothing of it is ever seen."""
        self._call(lambda: self._producer.abort_transaction(CALL_S_MAX), "aborting")

    def close(self) -> None:
        """Free the connection."""
        # The library's own `close` aborts what is open first, and raises or waits where it cannot.
        self._producer.purge()
        del self._producer

    def _call(self, call: Callable[[], object], what: str) -> None:
        """Make `call`, again while it can be made again. Raises what it means when it fails."""
        deadline = time.monotonic() + FINISH_S_MAX
        while True:
            try:
                call()
                return
            except ck.KafkaException as error:
                meant = self._meaning(error, what)
                if not isinstance(meant, RetriableError):
                    raise meant from error
                if time.monotonic() > deadline:
                    raise FatalError(
                        f"{what}: outcome unknown after {FINISH_S_MAX:.0f} s"
                    ) from error
                time.sleep(0.05)

    def _on_error(self, error: ck.KafkaError) -> None:
        if error.fatal() or error.code() in FENCED:
            self._cause = self._cause or error
        else:
            self._report(error)

    def _ask_for_cause(self) -> None:
        try:
            self._producer.poll(0)  # Tells the callback, or raises what it would have been told.
        except ck.KafkaException as error:
            self._cause = self._cause or error.args[0]

    def _meaning(self, error: ck.KafkaException, what: str) -> BugstreamError:
        """Return what `error` means; that of a producer which failed before is in its cause."""
        found = error.args[0]
        if found.code() == ck.KafkaError._FATAL:  # noqa: SLF001
            self._ask_for_cause()
            found = self._cause or found
        elif found.fatal() or found.code() in FENCED:
            self._cause = self._cause or found
        meant = answer(found, what)
        outlived = time.monotonic() - self._began_s >= TRANSACTION_TIMEOUT_MS / 1000
        if isinstance(meant, FencedError) and self._began_s and outlived:
            # A broker that was away ends a transaction that outlived its time, and says "fenced".
            # If another producer has this id after all, the next `init` finds out and is fenced.
            return FatalError(f"a transaction outlived its time limit: {meant}")
        return meant


def positions(found: Sequence[ck.TopicPartition]) -> dict[TopicPartition, Position]:
    """Return those of `found` that have an offset."""
    return {
        TopicPartition(one.topic, one.partition): Position(one.offset, one.metadata or "")
        for one in found
        if one.offset != _NO_OFFSET and one.offset >= 0
    }


def at_positions(positions: Mapping[TopicPartition, Position]) -> list[ck.TopicPartition]:
    """Return `positions` as the client wants them."""
    return [
        ck.TopicPartition(one.topic, one.partition, at.offset, metadata=at.metadata)
        for one, at in positions.items()
    ]


def parse_membership(token: bytes, group: str) -> Membership:
    """Return the membership written in librdkafka's opaque group metadata.

    The member id must be known: without it the broker accepts a commit of a stale owner.
    """
    if not token.startswith(_METADATA_PREFIX):
        raise FatalError("this librdkafka writes group metadata in an unknown form")
    body = token[len(_METADATA_PREFIX) :]
    (generation,) = struct.unpack("=i", body[:4])
    member = body[4:].split(b"\0")[1]
    return Membership(group, member.decode(), generation, token)


def _bare(partitions: Collection[TopicPartition]) -> list[ck.TopicPartition]:
    return [ck.TopicPartition(one.topic, one.partition) for one in partitions]


def _at(start: Mapping[TopicPartition, int]) -> list[ck.TopicPartition]:
    return [ck.TopicPartition(one.topic, one.partition, at) for one, at in start.items()]


def record_of(message: ck.Message) -> Record:
    """Return `message` as the port knows it."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise FatalError("Kafka delivered a record without its place")
    key, value = message.key(), message.value()
    return Record(
        topic,
        partition,
        offset,
        None if key is None else _bytes(key),
        None if value is None else _bytes(value),
        message.timestamp()[1],
        lambda: tuple(cast("list[tuple[str, bytes | None]]", message.headers() or ())),
    )


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
