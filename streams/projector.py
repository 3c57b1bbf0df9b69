"""Keep the views at the end of the log, and build them anew beside the live ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Event as StopEvent
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

import projections
from projections import store
from projections.base import Projection, Recorded
from projections.store import Generation
from schemas.codec import decode
from schemas.errors import FatalError, PoisonError, TransientError, UnknownEventError
from schemas.event import BugScoped
from schemas.topics import BUGS_EVENTS
from streams.log import Consumer, Log, Record, RetriableError, TopicPartition, partitions_of
from streams.metrics import HANDLED, LAG_AGE_SECONDS

NAME = "projector"
BATCH_RECORDS = 500
POLL_S = 0.5
FAILURES_MAX = 20
"""In a row, before the process ends and its supervisor decides."""
BACKOFF_S_MAX = 5.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOG = logging.getLogger(__name__)

Offsets = dict[int, int]


Standing = Mapping[Generation, Mapping[int, int]]
Write = Callable[[Engine, Standing, Sequence[Recorded]], dict[Generation, Offsets]]


class Told(Protocol):
    """Told how far a build is."""

    def __call__(self, done: int, total: int) -> None:
        """`done` of about `total` records."""


def _untold(done: int, total: int) -> None:
    del done, total


def recorded(record: Record) -> Recorded | None:
    """Return the fact in `record`; None where no program can ever read it.

    Raises `FatalError` where only a newer program can: going on without it would be wrong.
    """
    try:
        event = decode(record.value)
    except UnknownEventError as error:
        raise FatalError(
            f"{record}: {error}. A newer bugstream wrote it; upgrade this one."
            " The views stay as they were before that record."
        ) from error
    except PoisonError:
        _LOG.warning("A record cannot be read and is in no view", extra={"record": str(record)})
        return None
    if not isinstance(event, BugScoped):
        _LOG.warning("A record is not about a bug", extra={"record": str(record)})
        return None
    when = _EPOCH + timedelta(milliseconds=record.timestamp_ms)
    return Recorded(event, record.partition, record.offset, when)


def readable(records: Iterable[Record]) -> list[Recorded]:
    """Return the facts in `records`, in their order."""
    return [fact for record in records if (fact := recorded(record)) is not None]


def starts(offsets: Iterable[Mapping[int, int]]) -> dict[TopicPartition, int]:
    """Return where to read on for views that stand at `offsets`: where the last of them is."""
    standing = list(offsets)
    return {
        partition: min(each[partition.partition] for each in standing)
        for partition in partitions_of(BUGS_EVENTS)
    }


def together(
    engine: Engine, standing: Standing, batch: Sequence[Recorded]
) -> dict[Generation, Offsets]:
    """Write rows and offsets of every view in one transaction; return where they then stand."""
    if not batch:
        return {generation: dict(at) for generation, at in standing.items()}
    with engine.begin() as connection:
        return {
            generation: store.apply(connection, generation, batch, expected=at)
            for generation, at in standing.items()
        }


def build(
    log: Log,
    engine: Engine,
    wanted: Sequence[Projection] = projections.ALL,
    *,
    batch_records: int = BATCH_RECORDS,
    told: Told = _untold,
    write: Write | None = None,
) -> int:
    """Build `wanted` from the first record on, beside the live rows, then switch to them.

    Goes on where an interrupted build stopped. Returns the number of records read. Raises
    `store.MovedOnError` when another build got in the way; doing it again is safe. Only a proof
    gives another `write` than `together`, to show what comes of it.
    """
    write = write or together
    store.prepare(engine)
    log.ensure_topics([BUGS_EVENTS])
    ends = log.end_offsets(partitions_of(BUGS_EVENTS))
    made = [_begin(engine, projection, ends) for projection in wanted]
    offsets = dict(made)
    start = starts(offsets.values())
    total = sum(max(0, ends[partition] - at) for partition, at in start.items())
    done = 0
    for batch in _batches(log.read(start), batch_records):
        offsets = write(engine, offsets, readable(batch))
        done += len(batch)
        told(done, max(done, total))
    with engine.begin() as connection:
        for generation in offsets:
            store.switch(connection, generation)
    told(done, done)
    return done


class Projector:
    """Folds what the log says into every view, for as long as it is stepped. One thread."""

    def __init__(self, log: Log, engine: Engine, *, batch_records: int = BATCH_RECORDS) -> None:
        self._log = log
        self._engine = engine
        self._batch_records = batch_records
        self._consumer: Consumer | None = None
        self._offsets: dict[Generation, Offsets] = {}

    def step(self, timeout_s: float = POLL_S) -> int:
        """Fold the next records in, and return how many were read.

        Views that are missing, or were made by another fold, are built first. Raises
        `store.MovedOnError` when a rebuild or another projector was quicker: the next step reads
        the offsets again. Raises `FatalError` for what only a newer program can read.
        """
        consumer = self._consumer or self._open()
        records = consumer.poll(timeout_s, self._batch_records)
        try:
            self._offsets = together(self._engine, self._offsets, readable(records))
        except Exception:
            self.close()  # What was polled is not folded in: the next step reads it again.
            raise
        self._measure(records)
        return len(records)

    def run(self, stop: StopEvent) -> None:
        """Step until `stop` is set. Kafka and a busy database are waited for.

        Raises `FatalError` after `FAILURES_MAX` other failures in a row.
        """
        try:
            failures = 0
            while not stop.is_set():
                failures = self._try_step(stop, failures)
        finally:
            self.close()

    def _try_step(self, stop: StopEvent, failures: int) -> int:
        try:
            self.step()
        except (TransientError, OperationalError) as error:
            if failures >= FAILURES_MAX and not isinstance(error, RetriableError):
                raise FatalError(f"the views cannot be written: {error}") from error
            _LOG.warning("The projector tries again", extra={"error": type(error).__name__})
            stop.wait(min(0.1 * 2 ** min(failures, 10), BACKOFF_S_MAX))
            return failures + 1
        return 0

    def close(self) -> None:
        """Stop reading. A later step begins again from the stored offsets."""
        if self._consumer is not None:
            self._consumer.close()
        self._consumer = None

    def _open(self) -> Consumer:
        store.prepare(self._engine)
        with self._engine.begin() as connection:
            found = [store.live(connection, projection) for projection in projections.ALL]
        missing = [
            projection
            for projection, live in zip(projections.ALL, found, strict=True)
            if live is None or not live.is_current
        ]
        if missing:
            build(self._log, self._engine, missing, batch_records=self._batch_records)
        self._offsets = self._standing()
        start = starts(self._offsets.values())
        for partition, end in self._log.end_offsets(start).items():
            if start[partition] > end:
                raise FatalError(
                    f"The views are ahead of the log ({partition}: {start[partition]} > {end}):"
                    " they were made from another Kafka. Point to that one, or run"
                    " `bugstream projections rebuild` to build them from this one."
                )
        self._consumer = self._log.consumer(NAME)
        try:
            self._consumer.assign(start)
        except Exception:
            self.close()
            raise
        return self._consumer

    def _standing(self) -> dict[Generation, Offsets]:
        with self._engine.begin() as connection:
            live = [store.live(connection, projection) for projection in projections.ALL]
            return {each: store.next_offsets(connection, each) for each in live if each}

    def _measure(self, records: Sequence[Record]) -> None:
        age_s = 0.0
        if records:
            oldest = _EPOCH + timedelta(milliseconds=records[0].timestamp_ms)
            age_s = max(0.0, (datetime.now(UTC) - oldest).total_seconds())
            HANDLED.labels(NAME, "ok").inc(len(records))
        LAG_AGE_SECONDS.labels(NAME).set(age_s)


def _begin(
    engine: Engine, projection: Projection, ends: Mapping[TopicPartition, int]
) -> tuple[Generation, Offsets]:
    with engine.begin() as connection:
        generation = store.begin(connection, projection)
        offsets = store.next_offsets(connection, generation)
        if any(offsets[partition.partition] > end for partition, end in ends.items()):
            # An interrupted build from another Kafka.
            store.drop(connection, generation)
            generation = store.begin(connection, projection)
            offsets = store.next_offsets(connection, generation)
        return generation, offsets


def _batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    source = iter(records)
    while batch := list(islice(source, size)):
        yield batch
