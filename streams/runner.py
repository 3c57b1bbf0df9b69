"""The transactional runner: events in; facts, state and positions out, all in one transaction."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, Self

from processors.base import Processor, StatefulProcessor
from processors.ports import Clock
from schemas import topics
from schemas.codec import decode
from schemas.errors import FatalError, PoisonError, TransientError, UnknownEventError
from streams import metrics
from streams.clock import SystemClock
from streams.failures import (
    DeadLetterLimit,
    Retry,
    RetryPolicy,
    failed_again,
    first_seen_of,
    give_up,
)
from streams.log import Log, Outgoing, Record, TopicPartition
from streams.seat import Seat
from streams.stage_state import SpoiledError, StageState

_LOG = logging.getLogger(__name__)
BATCH_RECORDS_MAX = 2_000
"""A transaction takes 5 to 10 ms, however much is in it."""
BATCH_S_MAX = 1.0
"""A batch is committed after this even when more is waiting: others wait for its results."""
REBALANCE_PAUSE_S = 0.2
EARLY_RETRIES_MAX = 4
"""How often an early decision is asked for again: over 7.5 s with the pauses of `RetryPolicy`."""

Outcome = Literal["ok", "skipped", "dead_letter"]


@dataclass(slots=True)
class _Batch:
    """What one transaction will hold. Nothing of it counts before it is committed."""

    records: list[Outgoing] = field(default_factory=list)
    taken: dict[TopicPartition, int] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)


class Runner:
    """Runs a `Processor` or a `StatefulProcessor`. One thread owns it.

    Every error that leaves it ends the process: its successor finds out what was committed.
    """

    def __init__(
        self,
        stage: Processor | StatefulProcessor,
        log: Log,
        *,
        app: str = "bugstream",
        slot: int = 0,
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
        limit: DeadLetterLimit | None = None,
        batch_records_max: int = BATCH_RECORDS_MAX,
    ) -> None:
        self._stage = stage
        self._log = log
        self._clock = clock or SystemClock()
        self._retry = retry or RetryPolicy()
        self._limit = limit or DeadLetterLimit()
        self._batch_records_max = batch_records_max
        self._seat = Seat(log, app=app, stage=stage.name, slot=slot)
        self._sources = (*stage.sources, topics.retries(stage.name))
        self._seconds = metrics.HANDLE_SECONDS.labels(stage.name)
        self._state = StageState(stage, self._sources, log)
        self._positions: dict[TopicPartition, int] = {}
        self._queues: dict[TopicPartition, deque[Record]] = {}
        self._retries: dict[str, Retry] = {}
        self._condemned: dict[str, PoisonError] = {}

    @property
    def idle(self) -> bool:
        """Return whether every record read so far was handled."""
        return not any(self._queues.values())

    @property
    def owned(self) -> int:
        """Return how many partitions it owns now; none before it has joined its group."""
        return len(self._queues)

    def step(self, timeout_s: float = 0.0) -> int:
        """Read, handle and commit one batch. Returns how many records were handled.

        Waits at most `timeout_s` when there is nothing to do. Raises `FatalError`, and
        `RetriableError` when the log cannot be reached at the start.
        """
        if not self._seat.is_open:
            self._open()
        # Hardly any more while a batch is waiting, but always a poll: it keeps the membership.
        room = max(1, self._batch_records_max - sum(map(len, self._queues.values())))
        for record in self._seat.poll(self._patience_s(timeout_s), room):
            queue = self._queues.get(record.source)
            if queue is not None:
                queue.append(record)
        began_s = time.perf_counter()
        batch = self._work()
        if not batch.outcomes:
            return 0
        self._seconds.observe(time.perf_counter() - began_s)
        dead = [outcome == "dead_letter" for outcome in batch.outcomes]
        self._limit.check(self._stage.name, dead)
        moved = self._moved(batch)
        if not self._seat.commit(batch.records, self._state.positions(moved, self._positions)):
            self._state.rollback()
            time.sleep(REBALANCE_PAUSE_S)
            return 0
        self._settle(batch, moved)
        self._limit.count(dead)
        return len(batch.outcomes)

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set, then leave. A batch that has begun is finished."""
        try:
            while not stop.is_set():
                self.step(0.5)
        finally:
            self.close()

    def close(self) -> None:
        """Give the seat up. What was read and not committed is read again by the next owner."""
        self._forget()
        self._seat.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- told by the consumer ---

    def on_assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Take over: positions first, then the state that belongs to them."""
        self._forget()
        start = self._seat.take_over(partitions)
        self._state.load(start)
        self._positions = {place: position.offset for place, position in start.items()}
        self._queues = {place: deque() for place in partitions}
        _LOG.info("%s owns %d partitions", self._stage.name, len(partitions))
        return self._positions

    def on_revoke(self, partitions: Sequence[TopicPartition]) -> None:
        """Let go. Every batch was committed or rolled back before this could be called."""
        del partitions  # `range` takes all of them at once.
        self._forget()

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        """Let go."""
        self.on_revoke(partitions)

    # --- ---

    def _open(self) -> None:
        name = self._stage.name
        wanted = [*self._sources, topics.dead_letters(name), *self._state.topics]
        self._log.ensure_topics(wanted)
        self._seat.open([topic.name for topic in self._sources], self)

    def _forget(self) -> None:
        self._positions = {}
        self._queues = {}
        self._retries = {}
        self._condemned = {}
        self._state.forget()

    def _patience_s(self, timeout_s: float) -> float:
        """Return how long a poll may wait: not at all while there is something to do."""
        for place, queue in self._queues.items():
            if queue:
                timeout_s = min(timeout_s, self._blocked_s(place))
        return timeout_s

    def _blocked_s(self, place: TopicPartition) -> float:
        """Return how long `place` has to wait before its first record is tried again."""
        queue = self._queues[place]
        retry = self._retries.get(str(queue[0])) if queue else None
        return max(0.0, retry.not_before_s - self._clock.monotonic_s()) if retry else 0.0

    def _work(self) -> _Batch:
        """Handle what is waiting, each partition in order, up to one batch."""
        while True:
            batch = _Batch()
            deadline_s = self._clock.monotonic_s() + BATCH_S_MAX
            try:
                for place in self._queues:
                    if not self._blocked_s(place):
                        self._work_on(place, batch, deadline_s)
                return batch
            except SpoiledError:
                self._state.rollback()  # And again: the record is condemned now.

    def _work_on(self, place: TopicPartition, batch: _Batch, deadline_s: float) -> None:
        before = len(batch.outcomes)
        for record in islice(self._queues[place], self._batch_records_max - before):
            if self._clock.monotonic_s() > deadline_s:
                break
            answer = self._answer(record)
            if answer is None:
                # Order within a partition is kept: what follows waits behind it.
                self._seat.consumer.pause([place])
                break
            outcome, records = answer
            batch.outcomes.append(outcome)
            batch.records += records
        if len(batch.outcomes) > before:
            batch.taken[place] = len(batch.outcomes) - before

    def _answer(self, record: Record) -> tuple[Outcome, Sequence[Outgoing]] | None:
        """Return what `record` leads to; None: nothing yet, it is tried again later."""
        retry = self._retries.get(str(record)) if self._retries else None
        try:
            return self._handle(record, is_patient=not retry or retry.attempts < EARLY_RETRIES_MAX)
        except PoisonError as error:
            failure: Exception = error
        except TransientError as error:
            failure = error
            again = failed_again(
                retry,
                record,
                error,
                policy=self._retry,
                now=self._clock.now(),
                monotonic_s=self._clock.monotonic_s(),
            )
            if again.attempts < self._retry.attempts_max:
                self._retries[str(record)] = again
                metrics.HANDLED.labels(self._stage.name, "retried").inc()
                return None
        letters = give_up(
            self._stage.name,
            record,
            failure,
            attempts=retry.attempts + 1 if retry else 1,
            first_seen=retry.first_seen if retry else first_seen_of(record, self._clock.now()),
        )
        return "dead_letter", letters

    def _handle(self, record: Record, *, is_patient: bool) -> tuple[Outcome, Sequence[Outgoing]]:
        """Return what `record` leads to. Raises `TransientError` or `PoisonError`."""
        condemned = self._condemned.get(str(record)) if self._condemned else None
        if condemned is not None:
            raise condemned
        try:
            event = decode(record.value)
        except UnknownEventError as error:
            if self._stage.stops_on_unknown:
                raise FatalError(f"{self._stage.name} stops at {record}: {error}") from error
            return "skipped", ()
        try:
            return "ok", self._state.decide(record.partition, event, is_patient=is_patient)
        except SpoiledError as error:
            self._condemned[str(record)] = error.poison
            raise

    def _moved(self, batch: _Batch) -> dict[TopicPartition, int]:
        """Return the offset after the last record taken of each partition."""
        return {
            place: self._queues[place][count - 1].offset + 1 for place, count in batch.taken.items()
        }

    def _settle(self, batch: _Batch, moved: Mapping[TopicPartition, int]) -> None:
        """Make what was committed the truth here, too."""
        self._state.commit()
        self._positions |= moved
        for place, count in batch.taken.items():
            queue = self._queues.pop(place)
            if self._retries or self._condemned:
                self._settle_failed(place, islice(queue, count))
            for _ in range(count):
                queue.popleft()
            self._queues[place] = queue  # Last in turn now: no partition starves.
        for outcome, count in Counter(batch.outcomes).items():
            metrics.HANDLED.labels(self._stage.name, outcome).inc(count)

    def _settle_failed(self, place: TopicPartition, done: Iterable[Record]) -> None:
        """Forget what was remembered of `done`, and let its partition go on."""
        for record in done:
            self._condemned.pop(str(record), None)
            if self._retries.pop(str(record), None):
                self._seat.consumer.resume([place])
