"""The inbox relay: rows of the inbox into their topics, each exactly once and in order.

It keeps its position as the committed offset of a group of its own, in the transaction of the
records. So either both are there or neither, whenever it is killed.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event as Flag
from uuid import UUID

from confluent_kafka import KafkaException

from connectors.inbox import Inbox, Numbered
from processors.ports import Clock
from schemas import topics
from schemas.codec import decode
from schemas.errors import FatalError, TransientError, UserError
from streams.clock import SystemClock
from streams.kafka_clients import TRANSACTION_TIMEOUT_MS
from streams.log import (
    Consumer,
    FencedError,
    Log,
    Outgoing,
    Position,
    TopicPartition,
    TransactionProducer,
    commit_together,
    outgoing,
)
from streams.metrics import COMMIT_SECONDS, INBOX_WAITING

NAME = "relay"
ROWS_PER_TRANSACTION_MAX = 500
IDLE_S = 0.1
RECONNECT_S = 1.0
RECOMMIT_S = 3600.0
"""Kafka forgets the positions of a group without members some day; a fresh one it keeps."""
_PLACE = TopicPartition(topics.RAW["http"].name, 0)
"""Where the position is stored. Its offset counts inbox rows, not records of this partition."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Connected:
    """What a relay holds while Kafka answers."""

    consumer: Consumer
    producer: TransactionProducer


class Relay:
    """Sends what waits in the inbox. One per deployment: a second one fences the first.

    Not thread-safe. Close it at the end.
    """

    def __init__(self, inbox: Inbox, kafka: Log, *, app: str, clock: Clock | None = None) -> None:
        """Take the inbox and the log; `app` tells two deployments on one Kafka apart."""
        self._inbox = inbox
        self._kafka = kafka
        self._id = f"{app}-{NAME}"
        self._clock = clock or SystemClock()
        self._open: Connected | None = None
        self._next_seq = 1
        self._marked_below = 1
        self._last_event: UUID | None = None
        self._committed_s = 0.0

    def step(self) -> int:
        """Send what waits, at most `ROWS_PER_TRANSACTION_MAX` rows; return how many.

        Raises `TransientError` when Kafka or the inbox cannot be reached, `FatalError` when the
        outcome of a transaction is unknown (after both: call again, it starts anew from the
        position in Kafka), `FencedError` when another relay took over, and `UserError` when inbox
        and Kafka do not belong together. Never sends a row twice or passes one over.
        """
        try:
            return self._step()
        except BaseException:
            # What is known here may be wrong now; what Kafka has committed is not.
            self.close()
            raise

    def run(self, stop: Flag) -> None:
        """Send until `stop` is set. Waits for Kafka and inbox; raises what waiting cannot mend."""
        while not stop.is_set():
            try:
                pause_s = 0.0 if self.step() else IDLE_S
            except FencedError:
                raise
            except (TransientError, FatalError) as error:
                log.warning("The relay waits and starts anew: %s", error)
                pause_s = RECONNECT_S
            stop.wait(pause_s)
        self.close()

    def start_over(self) -> None:
        """Set the position before the first row, so that every row is sent (again).

        For a Kafka that lost its data, or an inbox restored from a backup. What the topics still
        hold appears twice there, under the same event ids. Fences a relay that is running.
        """
        self._open = self._connect()
        self._next_seq, self._last_event = 1, None
        # Position first: were only the marks gone, the old position would still be followed.
        self._commit(self._open, [])
        self._inbox.forget_relayed()
        self.close()

    def close(self) -> None:
        """Let go of Kafka. The next `step` connects again."""
        opened, self._open = self._open, None
        if opened is not None:
            _close(opened.producer)
            _close(opened.consumer)

    def _step(self) -> int:
        if self._open is None:
            self._open = self._connect()
            self._take_position(self._open)
        self._inbox.number(ROWS_PER_TRANSACTION_MAX)
        rows = self._inbox.numbered(self._next_seq, ROWS_PER_TRANSACTION_MAX)
        if rows:
            self._follow_on(rows)
        if rows or self._clock.monotonic_s() - self._committed_s >= RECOMMIT_S:
            records = [_record(row) for row in rows]
            self._next_seq += len(rows)
            self._last_event = rows[-1].event_id if rows else self._last_event
            self._commit(self._open, records)
        if self._marked_below < self._next_seq:
            self._inbox.mark_relayed(self._next_seq, self._clock.now())
            self._marked_below = self._next_seq
        INBOX_WAITING.set(self._inbox.waiting())
        return len(rows)

    def _connect(self) -> Connected:
        producer = self._kafka.producer(self._id)
        consumer = self._kafka.consumer(self._id)
        try:
            # Before the position is read: only now can no other relay move it any more.
            producer.init()
        except BaseException:
            _close(producer)
            _close(consumer)
            raise
        return Connected(consumer, producer)

    def _take_position(self, opened: Connected) -> None:
        position = opened.consumer.committed([_PLACE]).get(_PLACE)
        if position is None:
            if self._inbox.any_relayed():
                raise UserError(
                    "Kafka has lost the relay's position although rows of this inbox were sent."
                    " Connect the Kafka they went to, or send all of them again with"
                    " `bugstream inbox send-again`."
                )
            self._next_seq, self._last_event = 1, None
        else:
            self._next_seq = position.offset
            self._last_event = _check(self._inbox, position)
        self._marked_below = 1
        self._committed_s = self._clock.monotonic_s()

    def _follow_on(self, rows: list[Numbered]) -> None:
        expected = range(self._next_seq, self._next_seq + len(rows))
        if [row.relay_seq for row in rows] != list(expected):
            raise UserError(
                f"The inbox has gaps after row {self._next_seq - 1}: it was damaged or edited."
                " Restore it from a backup, then `bugstream inbox send-again`."
            )

    def _commit(self, opened: Connected, records: list[Outgoing]) -> None:
        owner = f"{self._inbox.database_id} {self._last_event or '-'}"
        began_s = self._clock.monotonic_s()
        try:
            with COMMIT_SECONDS.labels(NAME).time():
                is_committed = commit_together(
                    opened.producer,
                    records,
                    {_PLACE: Position(self._next_seq, owner)},
                    opened.consumer.membership(),
                )
        except FencedError as error:
            # A broker that was away ends a transaction that outlived its time, and says "fenced".
            # If there is another relay after all, it is fenced in turn, at once, and ends.
            if self._clock.monotonic_s() - began_s < TRANSACTION_TIMEOUT_MS / 1000:
                raise
            raise FatalError(f"a transaction outlived its time limit: {error}") from error
        if not is_committed:
            raise FatalError(f"the group {self._id} has a member, and it may have none")
        self._committed_s = self._clock.monotonic_s()


def _close(client: Consumer | TransactionProducer) -> None:
    # A client that was fenced says so once more when it is closed; that was heard already.
    with suppress(KafkaException):
        client.close()


def _check(inbox: Inbox, position: Position) -> UUID | None:
    """Return the event of the last row sent. Raises `UserError` when it is not in this inbox."""
    database_id, _, last_event = position.metadata.partition(" ")
    if database_id != str(inbox.database_id):
        raise UserError(
            f"Kafka holds the position of another inbox ({database_id or 'unknown'}). Use that"
            " inbox, give this deployment an `app` name of its own, or take Kafka over for this"
            " inbox with `bugstream inbox send-again`."
        )
    last_seq = position.offset - 1
    if last_seq == 0:
        return None
    if last_seq > inbox.highest_seq():
        raise UserError(
            f"Kafka has row {last_seq} of this inbox, which ends at {inbox.highest_seq()}: it was"
            " restored from a backup. Bring back the newer one, or send what there is again with"
            " `bugstream inbox send-again`."
        )
    found = inbox.numbered(last_seq, 1)
    if not found or str(found[0].event_id) != last_event:
        raise UserError(
            f"Row {last_seq} of this inbox is not the one Kafka has: the inbox was restored from a"
            " backup and used since. Bring back the newer one, or send everything again with"
            " `bugstream inbox send-again`."
        )
    return found[0].event_id


def _record(row: Numbered) -> Outgoing:
    # The bytes as they were received: an older release's row is not written anew.
    return replace(outgoing(decode(row.event)), value=row.event)
