"""Lag and age, on both logs: nothing waiting is zero, and not to know is not zero."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from processors.base import Processor, Task
from schemas.errors import FatalError
from schemas.topics import Topic
from streams import done_set
from streams.clock import SystemClock
from streams.lag import Lag, LagWatch
from streams.log import Log, Position, RetriableError, TopicPartition
from streams.memory_log import MemoryLog
from tests.streams.logs import WAIT_S_MAX, commit_offset, text, topic, write


class LateClock(SystemClock):
    """An hour ahead, so that ages are known to the second."""

    def now(self):  # type: ignore[no-untyped-def]
        return super().now() + timedelta(hours=1)


@pytest.fixture
def source(log: Log, unique: str) -> Topic:
    return topic(log, f"source-{unique}.v1")


def _stage(source: Topic, unique: str) -> Processor:
    return Processor(f"s-{unique}", (source,), handle=lambda event: ())


def _move(log: Log, stage: str, source: Topic, positions: dict[int, Position]) -> None:
    at = {TopicPartition(source.name, number): p for number, p in positions.items()}
    consumer = log.consumer(f"bugstream-{stage}")
    try:
        assert commit_offset(log, f"mover-{stage}", consumer.membership(), at)
    finally:
        consumer.close()


def test_what_waits_is_counted_and_the_oldest_gives_the_age(
    log: Log, source: Topic, unique: str
) -> None:
    stage = _stage(source, unique)
    watch = LagWatch([stage], log, clock=LateClock())
    _until(watch, _is_nothing)

    write(log, text(source, "a"), text(source, "b"), text(source, "c", partition=1))

    lag = _until(watch, lambda lag: lag.records >= 3)
    # The markers of the writing transaction may count, one for each partition.
    assert 3 <= lag.records <= 5
    assert 3600 <= lag.age_s < 3660


def test_all_handled_is_zero_though_transaction_markers_follow(
    log: Log, source: Topic, unique: str
) -> None:
    stage = _stage(source, unique)
    write(log, text(source, "a"), text(source, "b"))
    watch = LagWatch([stage], log, clock=LateClock())
    _until(watch, lambda lag: lag.records >= 2)

    _move(log, stage.name, source, {0: Position(2), 1: Position(0)})

    _until(watch, _is_nothing)
    write(log, text(source, "c"))
    assert _until(watch, lambda lag: lag.records >= 1).age_s >= 3600


def test_a_task_finished_out_of_order_does_not_wait(log: Log, source: Topic, unique: str) -> None:
    stage = Task(f"s-{unique}", (source,), accepts=(), handle=lambda event: ())
    write(log, *(text(source, str(number)) for number in range(4)))
    before = _until(LagWatch([stage], log), lambda lag: lag.records >= 5).records

    _move(log, stage.name, source, {0: Position(1, done_set.encode(1, {2, 3}))})

    _until(LagWatch([stage], log), lambda lag: lag.records == before - 3)


def _until(watch: LagWatch, holds: Callable[[Lag], bool]) -> Lag:
    """Return the one stage's lag once it `holds`: Kafka shows what was committed a little later."""
    give_up = time.monotonic() + WAIT_S_MAX
    while True:
        with suppress(RetriableError):  # As long as it has not taken up the new topics.
            (lag,) = watch.measure().values()
            if holds(lag):
                return lag
        assert time.monotonic() < give_up
        time.sleep(0.05)


def _is_nothing(lag: Lag) -> bool:
    return lag == Lag(0, 0.0)


def _gauge(name: str, stage: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"stage": stage})


def test_gauges_are_set_and_blind_is_not_healthy(unique: str) -> None:
    with MemoryLog() as log:
        source = topic(log, f"source-{unique}.v1")
        stage = _stage(source, unique)
        write(log, text(source, "a"))
        away = _Away()
        watch = LagWatch([stage], away)  # type: ignore[arg-type]

        away.log = log
        watch.export()
        assert _gauge("bugstream_lag_records", stage.name) in (1, 2)

        away.log = None
        watch.export()
        assert math.isnan(_gauge("bugstream_lag_records", stage.name) or 0)
        assert math.isnan(_gauge("bugstream_lag_age_seconds", stage.name) or 0)


def test_an_error_that_nobody_expected_of_kafka_does_not_end_the_measuring(unique: str) -> None:
    with MemoryLog() as log:
        stage = _stage(topic(log, f"source-{unique}.v1"), unique)
        away = _Away(FatalError("an error code of tomorrow"))

        LagWatch([stage], away).export()  # type: ignore[arg-type]

        assert math.isnan(_gauge("bugstream_lag_records", stage.name) or 0)


def test_it_runs_until_told_to_stop(unique: str) -> None:
    with MemoryLog() as log:
        stage = _stage(topic(log, f"source-{unique}.v1"), unique)
        stop = threading.Event()
        thread = threading.Thread(target=LagWatch([stage], log).run, args=(stop, 0.01))
        thread.start()
        try:
            while _gauge("bugstream_lag_records", stage.name) != 0:
                assert thread.is_alive()
        finally:
            stop.set()
            thread.join(10)

        assert not thread.is_alive()


class _Away:
    """A log that is out of reach while it has none behind it."""

    log: MemoryLog | None = None

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error or RetriableError("Kafka is away")

    def __getattr__(self, name: str) -> object:
        if self.log is None:
            raise self._error
        return getattr(self.log, name)
