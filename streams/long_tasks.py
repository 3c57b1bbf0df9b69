"""The long-task consumer: tasks of minutes, several at once, finished out of order, exactly once.

One thread owns consumer and producer; pool threads only execute. What is done beyond the lowest
open offset rides in the committed offset's metadata, in the same transaction as its results.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Self

from processors.base import Task
from processors.ports import Clock
from schemas import topics
from schemas.codec import decode
from schemas.errors import (
    BugstreamError,
    FatalError,
    PoisonError,
    TransientError,
    UnknownEventError,
)
from streams import metrics
from streams.clock import SystemClock
from streams.failures import (
    DeadLetterLimit,
    RetryPolicy,
    failed_again,
    first_seen_of,
    give_up,
    unexpected,
)
from streams.log import Log, Outgoing, Record, TopicPartition, outgoing
from streams.open_work import Item, OpenWork, by_key
from streams.seat import Seat
from streams.worker_threads import WorkerThreads

_LOG = logging.getLogger(__name__)
OPEN_RECORDS_MAX = 256
"""Of one partition, read and not committed; above it the partition is paused."""
REVOKE_S_MAX = 3.0
"""How long a rebalance waits for running tasks; what takes longer is executed again elsewhere."""
RESULT_POLL_S_MAX = 0.05
"""While tasks run, polls are this short: results should not wait for records."""
REBALANCE_PAUSE_S = 0.2


class LongTaskRunner:
    """Runs a `Task`. One thread owns it.

    Every error that leaves it ends the process: its successor finds out what was committed.
    """

    def __init__(
        self,
        task: Task,
        log: Log,
        *,
        app: str = "bugstream",
        slot: int = 0,
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
        limit: DeadLetterLimit | None = None,
    ) -> None:
        self._task = task
        self._log = log
        self._clock = clock or SystemClock()
        self._retry = retry or RetryPolicy()
        self._limit = limit or DeadLetterLimit()
        self._seat = Seat(log, app=app, stage=task.name, slot=slot)
        self._threads: WorkerThreads[Item, list[Outgoing]] = WorkerThreads(
            task.name, task.concurrency, self._execute
        )
        self._works: dict[TopicPartition, OpenWork] = {}
        self._paused: set[TopicPartition] = set()
        self._leaving = False

    @property
    def idle(self) -> bool:
        """Return whether every record read so far was handled."""
        return not any(work.items for work in self._works.values())

    @property
    def owned(self) -> int:
        """Return how many partitions it owns now; none before it has joined its group."""
        return len(self._works)

    def step(self, timeout_s: float = 0.0) -> int:
        """Read, start what can start, commit what has finished. Returns how many were committed.

        Waits at most `timeout_s` when there is nothing to do. Raises `FatalError`, and
        `RetriableError` when the log cannot be reached at the start.
        """
        if not self._seat.is_open:
            self._open()
        wait_s = timeout_s if self.idle else min(timeout_s, RESULT_POLL_S_MAX)
        for record in self._seat.poll(wait_s, OPEN_RECORDS_MAX):
            self._accept(record)
        self._collect(0.0)
        self._dispatch()
        self._balance()
        return self._commit()

    def run(self, stop: threading.Event, *, drain_s_max: float = 20.0) -> None:
        """Step until `stop` is set; then finish what runs, for at most `drain_s_max`."""
        try:
            while not stop.is_set():
                self.step(0.5)
            self.drain(drain_s_max)
        finally:
            self.close()

    def drain(self, s_max: float) -> bool:
        """Start nothing more, and commit what runs as it ends. Returns whether all of it ended."""
        deadline = time.monotonic() + s_max
        self._leaving = True
        while self._running() and time.monotonic() < deadline:
            self._seat.consumer.pause(list(self._works))
            self._seat.poll(0.0, 1)  # Stay a member: without it the commit would be refused.
            self._collect(RESULT_POLL_S_MAX)
            self._commit()
        if self._seat.is_open:
            self._commit()
        return not self._running()

    def close(self) -> None:
        """Give the seat up. What runs is not waited for, and its result is dropped."""
        self._leaving = True
        self._works = {}
        self._threads.stop()
        self._seat.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- told by the consumer ---

    def on_assign(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Take over: positions, and what is done beyond them."""
        start = self._seat.take_over(partitions)
        self._works = {place: OpenWork.at(place, position) for place, position in start.items()}
        self._paused = set()
        _LOG.info("%s owns %d partitions", self._task.name, len(partitions))
        return {place: position.offset for place, position in start.items()}

    def on_revoke(self, partitions: Sequence[TopicPartition]) -> None:
        """Give running tasks a moment, commit what has finished, and let go of all."""
        del partitions  # `range` takes all of them at once.
        deadline = time.monotonic() + REVOKE_S_MAX
        while self._running() and time.monotonic() < deadline:
            self._collect(RESULT_POLL_S_MAX)
        self._commit()
        self._works = {}

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        """Let go at once: the results of another's partitions must not be committed."""
        del partitions
        self._works = {}

    # --- ---

    def _open(self) -> None:
        sources = (*self._task.sources, topics.retries(self._task.name))
        self._log.ensure_topics([*sources, topics.dead_letters(self._task.name)])
        self._seat.open([topic.name for topic in sources], self)

    def _accept(self, record: Record) -> None:
        """Take `record` into the open work, or pass it over when it is done already."""
        work = self._works.get(record.source)
        if work is None:
            return
        item = Item(record, None)
        try:
            event = decode(record.value)
            item.event = event if isinstance(event, self._task.accepts) else None
        except UnknownEventError:
            pass  # Passed over, like what is not accepted.
        except PoisonError as error:
            item.unreadable = error
        work.accept(item)

    def _execute(self, item: Item) -> list[Outgoing]:
        """Execute the task, in a pool thread."""
        if item.event is None:
            raise FatalError(f"there is nothing to execute at {item.record}")
        with metrics.HANDLE_SECONDS.labels(self._task.name).time():
            return [outgoing(fact) for fact in self._task.handle(item.event)]

    def _dispatch(self) -> None:
        """Start what can start: in order per key, partitions with the least running first."""
        if self._leaving:
            return
        running = Counter(
            w.place for w in self._works.values() for i in w.items.values() if i.running
        )
        ready = []
        for work, item in by_key(list(self._works.values())):
            if item.running or self._is_waiting(item) or not work.is_within_window(item):
                continue
            if item.event is not None:
                ready.append((work.place, item))
            elif item.unreadable is not None:
                self._give_up(item, item.unreadable, attempts=1)
            else:
                item.outcome = "skipped"
        while ready and self._threads.free > 0:
            # Not in common: one partition full of slow tasks would starve all others.
            place, item = min(
                ready, key=lambda one: (running[one[0]], one[1].ready_s, one[1].record.offset)
            )
            ready.remove((place, item))
            running[place] += 1
            item.running = True
            self._threads.submit(item)
        metrics.IN_FLIGHT.labels(self._task.name).set(self._threads.busy)

    def _is_waiting(self, item: Item) -> bool:
        return item.retry is not None and item.retry.not_before_s > self._clock.monotonic_s()

    def _collect(self, timeout_s: float) -> None:
        """Take in what the threads have finished."""
        for item, result in self._threads.collect(timeout_s):
            item.running = False
            if isinstance(result, list):
                item.outcome, item.results = "ok", result
            else:
                self._failed(item, result)

    def _failed(self, item: Item, error: BaseException) -> None:
        """Try `item` again later, or give it up. Raises what ends the process."""
        if isinstance(error, FatalError) or not isinstance(error, Exception):
            raise error
        if not isinstance(error, BugstreamError):
            _LOG.error("%s failed unexpectedly at %s", self._task.name, item.record, exc_info=error)
            error = unexpected(error)
        if not isinstance(error, TransientError):
            self._give_up(
                item, error, attempts=1 if item.retry is None else item.retry.attempts + 1
            )
            return
        retry = failed_again(
            item.retry,
            item.record,
            error,
            policy=self._retry,
            now=self._clock.now(),
            monotonic_s=self._clock.monotonic_s(),
        )
        item.retry = retry
        if retry.attempts >= self._retry.attempts_max:
            self._give_up(item, error, attempts=retry.attempts)
        else:
            metrics.HANDLED.labels(self._task.name, "retried").inc()

    def _give_up(self, item: Item, error: Exception, *, attempts: int) -> None:
        retry = item.retry
        item.outcome = "dead_letter"
        item.results = give_up(
            self._task.name,
            item.record,
            error,
            attempts=attempts,
            first_seen=retry.first_seen if retry else first_seen_of(item.record, self._clock.now()),
        )

    def _balance(self) -> None:
        """Pause partitions with too much open work, and resume those that have caught up."""
        full = {p for p, work in self._works.items() if len(work.items) >= OPEN_RECORDS_MAX}
        low = {p for p in self._paused if len(self._works[p].items) < OPEN_RECORDS_MAX // 2}
        if full - self._paused:
            self._seat.consumer.pause(full - self._paused)
        if low:
            self._seat.consumer.resume(low)
        self._paused = (self._paused | full) - low

    def _commit(self) -> int:
        """Commit all that has finished, of all partitions, in one transaction."""
        finished = {p: items for p, work in self._works.items() if (items := work.finished())}
        items = [item for group in finished.values() for item in group]
        if not items:
            return 0
        dead = [item.outcome == "dead_letter" for item in items]
        self._limit.check(self._task.name, dead)
        records = [record for item in items for record in item.results]
        positions = {place: self._works[place].position() for place in finished}
        if not self._seat.commit(records, positions):
            time.sleep(REBALANCE_PAUSE_S)
            return 0  # Results are kept: unless the partition goes, they are committed later.
        self._limit.count(dead)
        for place, group in finished.items():
            self._works[place].settle(group)
        for item in items:
            metrics.HANDLED.labels(self._task.name, item.outcome).inc()
        return len(items)

    def _running(self) -> bool:
        return any(item.running for work in self._works.values() for item in work.items.values())
