"""Long tasks: several at once, in order per bug, finished in any order, committed exactly once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest

from schemas import topics
from schemas.bugs import LocateDeclined, LocateRequested, StageFailed
from schemas.errors import BugstreamError, FatalError, LimitedError, PoisonError, TransientError
from schemas.event import Event
from schemas.topics import Topic
from streams.clock import VirtualClock
from streams.failures import RetryPolicy
from streams.kafka_log import KafkaLog
from streams.log import MustAbortError
from streams.long_tasks import LongTaskRunner
from streams.memory_log import MemoryLog, Operation
from tests.streams.logs import write
from tests.streams.stages import (
    answered,
    attempts_of,
    bug,
    committed,
    dead,
    declined,
    garbage,
    request,
    source_record,
    task,
)

GROUP = "bugstream-locate"


@pytest.fixture
def memory() -> MemoryLog:
    made = MemoryLog()
    made.ensure_topics(topics.ALL)
    return made


class Gates:
    """A task whose executions wait until the test lets them go, by attempt."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.running = 0
        self._open: dict[int, threading.Event] = {}
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> Iterable[Event]:
        assert isinstance(event, LocateRequested)
        with self._lock:
            self.started.append(event.attempt)
            self.running += 1
        assert self._gate(event.attempt).wait(10)
        with self._lock:
            self.running -= 1
        return [declined(event)]

    def let_go(self, *attempts: int) -> None:
        for attempt in attempts:
            self._gate(attempt).set()

    def _gate(self, attempt: int) -> threading.Event:
        with self._lock:
            return self._open.setdefault(attempt, threading.Event())


@pytest.fixture
def gates() -> Iterator[Gates]:
    made = Gates()
    yield made
    made.let_go(*range(1000))


def _until(runner: LongTaskRunner, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        runner.step(0.02)


def _put(memory: MemoryLog, *numbers: int, bug: int | None = None, partition: int = 0) -> None:
    write(memory, *(source_record(request(n, bug=bug), partition=partition) for n in numbers))


def _of_bug(memory: MemoryLog, number: int) -> list[int]:
    return [
        event.attempt
        for event in answered(memory)
        if isinstance(event, LocateDeclined) and event.bug_id == bug(number)
    ]


def test_what_finishes_first_is_committed_first_and_never_executed_again(
    memory: MemoryLog, gates: Gates
) -> None:
    _put(memory, 0, 1, 2)
    with LongTaskRunner(task(gates), memory) as runner:
        _until(runner, lambda: len(gates.started) == 3)
        gates.let_go(2)
        _until(runner, lambda: attempts_of(answered(memory)) == [2])
        assert committed(memory, GROUP) == {0: 0}
    with LongTaskRunner(task(gates), memory) as successor:
        gates.let_go(0, 1)
        _until(successor, lambda: attempts_of(answered(memory)) == [0, 1, 2])
    assert Counter(gates.started) == {0: 2, 1: 2, 2: 1}
    assert committed(memory, GROUP) == {0: 3}


def test_tasks_of_one_bug_run_one_after_the_other(memory: MemoryLog, gates: Gates) -> None:
    _put(memory, 0, 1, 2, bug=1)
    _put(memory, 3, bug=2)
    with LongTaskRunner(task(gates), memory) as runner:
        _until(runner, lambda: len(gates.started) == 2)
        assert sorted(gates.started) == [0, 3]
        gates.let_go(3)
        _until(runner, lambda: attempts_of(answered(memory)) == [3])
        assert gates.running == 1
        gates.let_go(0, 1, 2)
        _until(runner, lambda: runner.idle)
    assert _of_bug(memory, 1) == [0, 1, 2]


def test_a_partition_full_of_slow_tasks_starves_no_other(memory: MemoryLog, gates: Gates) -> None:
    _put(memory, *range(20), partition=0)
    _put(memory, 100, 101, partition=1)
    with LongTaskRunner(task(gates, concurrency=4), memory) as runner:
        _until(runner, lambda: len(gates.started) == 4)
        assert sorted(gates.started) == [0, 1, 100, 101]
        gates.let_go(*range(200))
        _until(runner, lambda: runner.idle)


def test_no_more_runs_at_once_than_there_are_threads(memory: MemoryLog, gates: Gates) -> None:
    _put(memory, *range(10))
    with LongTaskRunner(task(gates, concurrency=2), memory) as runner:
        for _ in range(10):
            runner.step(0.01)
        assert len(gates.started) == 2
        gates.let_go(*range(10))
        _until(runner, lambda: runner.idle)
    assert attempts_of(answered(memory)) == list(range(10))


def test_what_the_stage_does_not_accept_is_passed_over(memory: MemoryLog) -> None:
    write(memory, source_record(declined(request(1)), partition=0))
    write(memory, garbage(b'{"type": "bug.invented"}'))
    with LongTaskRunner(task(), memory) as runner:
        assert runner.step() + runner.step() == 2
        assert runner.idle
    assert answered(memory) == []
    assert dead(memory) == []


def test_a_failing_task_blocks_its_bug_and_no_other(memory: MemoryLog) -> None:
    clock, calls = VirtualClock(), Counter[int]()

    def flaky(event: Event) -> Iterable[Event]:
        assert isinstance(event, LocateRequested)
        calls[event.attempt] += 1
        if event.attempt == 0 and calls[0] < 3:
            raise TransientError("not now")
        return [declined(event)]

    _put(memory, 0, 1, bug=1)
    _put(memory, 2, bug=2)
    retry = RetryPolicy(delay_first_s=1.0)
    with LongTaskRunner(task(flaky), memory, clock=clock, retry=retry) as runner:
        _until(runner, lambda: attempts_of(answered(memory)) == [2])
        for _ in range(5):
            runner.step(0.01)
        assert calls == {0: 1, 2: 1}
        clock.advance(1.0)
        _until(runner, lambda: calls[0] == 2)
        clock.advance(2.0)
        _until(runner, lambda: runner.idle)
    assert _of_bug(memory, 1) == [0, 1]


def test_what_was_put_off_comes_after_what_was_never_tried(memory: MemoryLog) -> None:
    clock, tried = VirtualClock(), list[int]()

    def limited(event: Event) -> Iterable[Event]:
        assert isinstance(event, LocateRequested)
        tried.append(event.attempt)
        clock.advance(1.0)
        if event.attempt < 3 and tried.count(event.attempt) == 1:
            raise LimitedError("later", retry_after_s=0.5)
        return [declined(event)]

    _put(memory, 0, 1, 2, 3, 4)
    with LongTaskRunner(task(limited, concurrency=1), memory, clock=clock) as runner:
        _until(runner, lambda: runner.idle and len(answered(memory)) == 5)

    assert tried == [0, 1, 2, 3, 4, 0, 1, 2]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PoisonError("never"), "PoisonError"),
        (TransientError("down"), "TransientError"),
        (ZeroDivisionError("oh"), "PoisonError"),
    ],
)
def test_a_task_given_up_is_a_dead_letter_and_a_fact(
    memory: MemoryLog, error: Exception, kind: str
) -> None:
    def fail(_: Event) -> Iterable[Event]:
        raise error

    _put(memory, 1)
    retry = RetryPolicy(attempts_max=2, delay_first_s=0.01)
    with LongTaskRunner(task(fail), memory, retry=retry) as runner:
        _until(runner, lambda: len(dead(memory)) == 1)
    (failed,) = answered(memory, StageFailed)
    assert isinstance(failed, StageFailed)
    assert failed.error == kind
    assert committed(memory, GROUP) == {0: 1}


def test_garbage_is_a_dead_letter_at_once(memory: MemoryLog) -> None:
    write(memory, garbage())
    with LongTaskRunner(task(), memory) as runner:
        _until(runner, lambda: len(dead(memory)) == 1)


def test_a_fatal_error_in_a_task_ends_the_process(memory: MemoryLog) -> None:
    def fail(_: Event) -> Iterable[Event]:
        raise FatalError("the ledger is another database")

    _put(memory, 1)
    with (
        LongTaskRunner(task(fail), memory) as runner,
        pytest.raises(FatalError, match="another database"),
    ):
        _until(runner, lambda: False)
    assert committed(memory, GROUP) == {}


def test_results_outlive_an_abort_because_the_group_moved_on(memory: MemoryLog) -> None:
    calls = Counter[str]()

    def count(event: Event) -> Iterable[Event]:
        calls[str(event.event_id)] += 1
        assert isinstance(event, LocateRequested)
        return [declined(event)]

    _put(memory, 0, 1)
    memory.fail("commit", MustAbortError("generation is over", rebalancing=True))
    with LongTaskRunner(task(count), memory) as runner:
        _until(runner, lambda: attempts_of(answered(memory)) == [0, 1])
    assert set(calls.values()) == {1}


def test_a_rebalance_commits_what_ends_in_time_and_drops_the_rest(
    memory: MemoryLog, gates: Gates
) -> None:
    _put(memory, 0, 1)
    with (
        LongTaskRunner(task(gates), memory) as runner,
        LongTaskRunner(task(gates), memory, slot=1) as other,
    ):
        _until(runner, lambda: len(gates.started) == 2)
        other.step()
        threading.Timer(0.2, gates.let_go, [1]).start()
        runner.step()  # Told to let go: waits three seconds at most.
        assert attempts_of(answered(memory)) == [1]
        gates.let_go(0)
        deadline = time.monotonic() + 10
        while attempts_of(answered(memory)) != [0, 1]:
            assert time.monotonic() < deadline
            other.step(0.01)
            runner.step(0.01)
    assert Counter(gates.started) == {0: 2, 1: 1}


def test_what_was_lost_is_not_committed(memory: MemoryLog, gates: Gates) -> None:
    _put(memory, 0)
    with LongTaskRunner(task(gates), memory) as runner:
        _until(runner, lambda: len(gates.started) == 1)
        memory.expire_session(runner._seat.consumer)  # type: ignore[arg-type]
        gates.let_go(0)
        _until(runner, lambda: len(gates.started) == 2)
        _until(runner, lambda: runner.idle)
    assert attempts_of(answered(memory)) == [0]


def test_a_drain_commits_what_runs_and_starts_nothing(memory: MemoryLog, gates: Gates) -> None:
    _put(memory, *range(6))
    runner = LongTaskRunner(task(gates, concurrency=2), memory)
    stop = threading.Event()
    thread = threading.Thread(target=runner.run, args=[stop])
    thread.start()
    while len(gates.started) < 2:
        time.sleep(0.01)
    stop.set()
    time.sleep(0.1)
    gates.let_go(*range(6))
    thread.join(10)

    assert not thread.is_alive()
    assert gates.started == [0, 1]
    assert attempts_of(answered(memory)) == [0, 1]
    assert committed(memory, GROUP) == {0: 2}


def test_a_drain_has_an_end(memory: MemoryLog, gates: Gates) -> None:
    _put(memory, 0)
    with LongTaskRunner(task(gates), memory) as runner:
        _until(runner, lambda: len(gates.started) == 1)
        began = time.monotonic()
        assert not runner.drain(0.3)
        assert time.monotonic() - began < 2


_FAULTS: tuple[tuple[Operation, type[BugstreamError]], ...] = (
    ("commit", FatalError),
    ("produce", FatalError),
    ("send_offsets", FatalError),
    ("poll", FatalError),
)


@pytest.mark.parametrize("seed", range(10))
def test_no_fault_loses_or_doubles_anything(memory: MemoryLog, seed: int) -> None:
    chance = random.Random(seed)
    total = 0

    def work(event: Event) -> Iterable[Event]:
        assert isinstance(event, LocateRequested)
        time.sleep(0.001 * (hash(event.event_id) % 7))
        return [declined(event)]

    runners = [LongTaskRunner(task(work), memory, slot=n) for n in range(2)]
    for _ in range(60):
        _put(memory, *range(total, total + 3), partition=chance.randrange(3))
        total += 3
        if chance.random() < 0.2:
            operation, kind = chance.choice(_FAULTS)
            memory.fail(operation, kind("injected"), after=chance.random() < 0.5)
        for slot, runner in enumerate(runners):
            try:
                runner.step(0.005)
            except BugstreamError:
                memory.heal()
                runner.close()
                runners[slot] = LongTaskRunner(task(work), memory, slot=slot)
        memory.heal()
    deadline = time.monotonic() + 20
    while sum(committed(memory, GROUP).values()) < total or not all(r.idle for r in runners):
        assert time.monotonic() < deadline
        for runner in runners:
            runner.step(0.005)
        if attempts_of(answered(memory)) == list(range(total)):
            break

    assert attempts_of(answered(memory)) == list(range(total))
    for runner in runners:
        runner.close()


@pytest.mark.kafka
def test_it_does_the_same_on_kafka(kafka_bootstrap: str, unique: str, gates: Gates) -> None:
    source = Topic(f"{unique}.in", 1)
    made = task(gates, name=unique, source=source)
    with KafkaLog(kafka_bootstrap) as log:
        log.ensure_topics([*topics.ALL, source])
        write(log, *(source_record(request(n), source=source, partition=0) for n in range(3)))
        with LongTaskRunner(made, log, app=unique) as runner:
            _until(runner, lambda: len(gates.started) == 3)
            gates.let_go(2)
            _until(runner, lambda: committed(log, f"{unique}-{unique}", source) == {0: 0})
        gates.let_go(0, 1)
        with LongTaskRunner(made, log, app=unique) as runner:
            _until(runner, lambda: committed(log, f"{unique}-{unique}", source) == {0: 3})
    assert Counter(gates.started) == {0: 2, 1: 2, 2: 1}
