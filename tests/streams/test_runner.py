"""The transactional runner: once each, in order, or a dead letter that says why."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable

import pytest

from processors.base import Processor, StatefulProcessor
from schemas import topics
from schemas.bugs import LocateDeclined, LocateRequested, StageFailed
from schemas.errors import BugstreamError, FatalError, PoisonError, TransientError
from schemas.event import Event
from streams.clock import VirtualClock
from streams.failures import RetryPolicy
from streams.log import FencedError, Log, MustAbortError, Outgoing
from streams.memory_log import MemoryLog, Operation
from streams.runner import Runner
from tests.streams.logs import read_all, values, write
from tests.streams.stages import (
    STAGE,
    TOO_LARGE,
    answered,
    answers,
    attempts_of,
    bug,
    committed,
    counting,
    dead,
    declined,
    garbage,
    request,
    source_record,
    stage,
)

NO_LIMIT = {"consecutive_max": 10_000, "share_max": 1.0}


@pytest.fixture
def memory() -> MemoryLog:
    made = MemoryLog()
    made.ensure_topics(topics.ALL)
    return made


def _run(
    log: Log, made: Processor | StatefulProcessor, *, steps: int = 4, **options: object
) -> int:
    with Runner(made, log, **options) as runner:  # type: ignore[arg-type]
        return sum(runner.step() for _ in range(steps))


def test_each_event_is_answered_once_and_the_position_moves_with_it(memory: MemoryLog) -> None:
    write(memory, *(source_record(request(n), partition=n % 3) for n in range(9)))

    assert _run(memory, stage()) == 9
    assert _run(memory, stage()) == 0
    assert attempts_of(answered(memory)) == list(range(9))
    assert committed(memory, "bugstream-locate") == {0: 3, 1: 3, 2: 3}


def test_order_within_a_partition_is_kept(memory: MemoryLog) -> None:
    write(memory, *(source_record(request(n, bug=1)) for n in range(50)))

    _run(memory, stage(), batch_records_max=7, steps=9)
    seen = [e.attempt for e in answered(memory) if isinstance(e, LocateDeclined)]
    assert seen == list(range(50))


def test_what_cannot_be_decoded_is_kept_whole_with_the_reason(memory: MemoryLog) -> None:
    write(memory, garbage(b"\xff{", partition=5), source_record(request(1), partition=5))

    assert _run(memory, stage()) == 2
    (letter,) = dead(memory)
    headers = dict(letter.headers)
    assert (letter.key, letter.value, letter.partition) == (b"k", b"\xff{", 5)
    assert headers["h"] == b"1"
    assert headers["dlq-original-topic"] == b"bugs.commands.v1"
    assert headers["dlq-original-partition"] == b"5"
    assert headers["dlq-original-offset"] == b"0"
    assert headers["dlq-error-class"] == b"PoisonError"
    assert b"not JSON" in headers["dlq-error-text"]
    assert headers["dlq-attempts"] == b"1"
    assert headers["dlq-first-seen"].startswith(b"20")
    assert attempts_of(answered(memory)) == [1]


def test_no_bug_stops_in_silence(memory: MemoryLog) -> None:
    def refuse(_: Event) -> Iterable[Event]:
        raise PoisonError("its text quotes a report")

    write(memory, source_record(request(3), partition=2))

    _run(memory, stage(refuse))
    (failed,) = answered(memory, StageFailed)
    assert isinstance(failed, StageFailed)
    assert (failed.bug_id, failed.stage, failed.error) == (bug(3), STAGE, "PoisonError")
    assert failed.dead_letter == "bugs.commands.v1/2/0"
    assert failed.causation_id == request(3).event_id
    assert "quotes" not in failed.model_dump_json()


def test_an_error_nobody_raised_on_purpose_stops_one_record_only(memory: MemoryLog) -> None:
    def stumble(event: Event) -> Iterable[Event]:
        if isinstance(event, LocateRequested) and event.attempt == 1:
            raise KeyError("missing")
        return answers(event)

    write(memory, *(source_record(request(n), partition=0) for n in range(3)))

    assert _run(memory, stage(stumble)) == 3
    assert attempts_of(answered(memory)) == [0, 2]
    assert dict(dead(memory)[0].headers)["dlq-error-text"] == b"unexpected KeyError: 'missing'"


def test_an_unknown_event_is_skipped_or_stops_the_stage_as_it_says(memory: MemoryLog) -> None:
    write(memory, garbage(b'{"type": "bug.invented"}'))

    with pytest.raises(FatalError, match=r"stops at bugs.commands.v1/0/0.*bug.invented"):
        _run(memory, stage(stops_on_unknown=True))
    assert _run(memory, stage()) == 1
    assert dead(memory) == []


def test_a_transient_failure_holds_its_partition_up_and_no_other(memory: MemoryLog) -> None:
    clock, calls = VirtualClock(), Counter[int]()

    def flaky(event: Event) -> Iterable[Event]:
        assert isinstance(event, LocateRequested)
        calls[event.attempt] += 1
        if event.attempt == 1 and calls[1] < 3:
            raise TransientError("not now")
        return [declined(event)]

    write(memory, *(source_record(request(n), partition=0) for n in range(3)))
    write(memory, source_record(request(9), partition=1))
    retry = RetryPolicy(delay_first_s=1.0)
    with Runner(stage(flaky), memory, clock=clock, retry=retry) as runner:
        assert sum(runner.step() for _ in range(5)) == 2
        assert attempts_of(answered(memory)) == [0, 9]
        assert calls[1] == 1
        assert not runner.idle
        clock.advance(1.0)
        assert sum(runner.step() for _ in range(5)) == 0
        clock.advance(1.9)
        assert sum(runner.step() for _ in range(5)) == 0
        clock.advance(0.1)
        assert sum(runner.step() for _ in range(5)) == 2
        write(memory, source_record(request(4), partition=0))
        assert runner.step() == 1
    assert calls == {0: 1, 1: 3, 2: 1, 4: 1, 9: 1}
    assert dead(memory) == []


def test_a_failure_that_does_not_pass_ends_as_a_dead_letter(memory: MemoryLog) -> None:
    clock = VirtualClock()

    def never(_: Event) -> Iterable[Event]:
        raise TransientError("never")

    write(memory, source_record(request(1)))
    retry = RetryPolicy(attempts_max=3, delay_first_s=1.0)
    with Runner(stage(never), memory, clock=clock, retry=retry) as runner:
        for _ in range(10):
            runner.step()
            clock.advance(2.0)
    (letter,) = dead(memory)
    headers = dict(letter.headers)
    assert (headers["dlq-attempts"], headers["dlq-error-class"]) == (b"3", b"TransientError")
    assert headers["dlq-first-seen"] == b"2026-01-01T00:00:00+00:00"
    assert len(answered(memory, StageFailed)) == 1


def test_a_stage_that_fails_at_everything_stops_before_it_empties_its_source(
    memory: MemoryLog,
) -> None:
    def broken(_: Event) -> Iterable[Event]:
        raise PoisonError("a bad deploy")

    write(memory, *(source_record(request(n)) for n in range(30)))

    with pytest.raises(FatalError, match=r"dead-letters list --stage locate"):
        _run(memory, stage(broken))
    assert dead(memory) == []
    assert committed(memory, "bugstream-locate") == {}


def test_no_partition_starves_behind_a_slow_one(memory: MemoryLog) -> None:
    clock = VirtualClock()

    def slow(event: Event) -> Iterable[Event]:
        clock.advance(0.6)
        return answers(event)

    write(memory, *(source_record(request(n), partition=0) for n in range(20)))
    write(memory, *(source_record(request(n), partition=1) for n in range(100, 102)))
    with Runner(stage(slow), memory, clock=clock, batch_records_max=50) as runner:
        for _ in range(4):
            runner.step()

        assert {100, 101} <= set(attempts_of(answered(memory)))
        assert sum(map(len, runner._queues.values())) < 50


def test_what_is_requeued_is_handled_by_its_stage_alone(memory: MemoryLog) -> None:
    made = source_record(request(1))
    write(memory, Outgoing("locate.retry", made.partition, made.key, made.value, made.headers))
    write(memory, Outgoing("fix.retry", made.partition, made.key, made.value, made.headers))

    assert _run(memory, stage()) == 1


def test_an_abort_because_the_group_moved_on_is_followed_by_the_same_again(
    memory: MemoryLog,
) -> None:
    write(memory, *(source_record(request(n)) for n in range(3)))
    memory.fail("commit", MustAbortError("generation is over", rebalancing=True))

    assert _run(memory, stage()) == 3
    assert attempts_of(answered(memory)) == [0, 1, 2]


@pytest.mark.parametrize("after", [False, True])
def test_after_an_unknown_outcome_the_successor_finds_out(memory: MemoryLog, after: bool) -> None:
    write(memory, *(source_record(request(n)) for n in range(3)))
    memory.fail("commit", FatalError("unknown outcome"), after=after)

    with pytest.raises(FatalError, match="unknown outcome"):
        _run(memory, stage())
    assert _run(memory, stage()) == (0 if after else 3)
    assert attempts_of(answered(memory)) == [0, 1, 2]


def test_a_member_that_lost_its_identity_commits_nothing(memory: MemoryLog) -> None:
    """Kafka checks nothing of a commit without an identity, so the runner has to."""
    with Runner(stage(), memory) as runner:
        runner.step()
        member = runner._seat.consumer.member  # type: ignore[attr-defined]
        write(memory, source_record(request(1)))
        member.id = ""
        memory.group("bugstream-locate").members[""] = member
        with pytest.raises(FatalError, match="lost its place"):
            runner.step()
    assert answered(memory) == []


def test_the_same_slot_again_fences_the_first(memory: MemoryLog) -> None:
    with Runner(stage(), memory) as first, Runner(stage(), memory) as second:
        first.step()
        second.step()
        write(memory, source_record(request(1)))

        assert second.step() == 1
        with pytest.raises(FencedError):
            first.step()


def test_two_slots_share_the_work(memory: MemoryLog) -> None:
    with Runner(stage(), memory, slot=0) as a, Runner(stage(), memory, slot=1) as b:
        for _ in range(6):
            a.step()
            b.step()
        write(memory, *(source_record(request(n), partition=n % 12) for n in range(24)))

        assert [a.step(), b.step()] == [12, 12]
    assert attempts_of(answered(memory)) == list(range(24))


def test_state_comes_back_with_the_partition(memory: MemoryLog) -> None:
    write(memory, *(source_record(request(n, bug=1)) for n in range(2)))
    _run(memory, counting(), batch_records_max=1)
    write(memory, source_record(request(2, bug=1)))
    _run(memory, counting())

    assert [e.reason for e in answered(memory) if isinstance(e, LocateDeclined)] == ["1", "2", "3"]


def test_incomplete_state_ends_the_process(memory: MemoryLog) -> None:
    write(memory, source_record(request(1)))
    _run(memory, counting())
    key = str(bug(9)).encode()
    partition = source_record(request(1)).partition
    write(memory, Outgoing(topics.BUGS_STATE.name, partition, key, b"1"))

    with pytest.raises(FatalError, match=r"holds keys=2, but its positions say keys=1"):
        _run(memory, counting())


def test_state_without_positions_ends_the_process(memory: MemoryLog) -> None:
    """The group's offsets expired: starting over would count everything twice."""
    write(memory, source_record(request(1)))
    _run(memory, counting())
    memory.group("bugstream-locate").positions.clear()

    with pytest.raises(FatalError, match="say nothing"):
        _run(memory, counting())


def test_a_bad_answer_leaves_no_trace_in_the_state(memory: MemoryLog) -> None:
    write(memory, *(source_record(request(n, bug=1)) for n in (0, TOO_LARGE, 2)))

    assert _run(memory, counting()) == 3
    assert [e.reason for e in answered(memory) if isinstance(e, LocateDeclined)] == ["1", "2"]
    assert len(dead(memory)) == 1
    assert values(read_all(memory, topics.BUGS_STATE)) == ["1", "2"]


def test_running_ends_when_told_to(memory: MemoryLog) -> None:
    write(memory, source_record(request(1)))
    stop = threading.Event()
    runner = Runner(stage(), memory)
    thread = threading.Thread(target=runner.run, args=[stop])
    thread.start()
    deadline = time.monotonic() + 5
    while not answered(memory) and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    thread.join(5)

    assert not thread.is_alive()
    assert attempts_of(answered(memory)) == [1]


_FAULTS: tuple[tuple[Operation, type[BugstreamError]], ...] = (
    ("commit", FatalError),
    ("produce", FatalError),
    ("send_offsets", FatalError),
    ("poll", FatalError),
    ("begin", FatalError),
)


@pytest.mark.parametrize("seed", range(12))
def test_no_fault_loses_or_doubles_anything(memory: MemoryLog, seed: int) -> None:
    """Random faults, restarts and rebalances; the counts of a state show every slip."""
    chance = random.Random(seed)
    total = 0
    runners = [Runner(counting(), memory, slot=n, batch_records_max=5) for n in range(2)]
    for _ in range(60):
        for _ in range(chance.randrange(4)):
            write(memory, source_record(request(total, bug=total % 7)))
            total += 1
        if chance.random() < 0.3:
            operation, kind = chance.choice(_FAULTS)
            memory.fail(operation, kind("injected"), after=chance.random() < 0.5)
        elif chance.random() < 0.05:
            memory.fail("commit", MustAbortError("injected", rebalancing=True))
        for slot, runner in enumerate(runners):
            try:
                runner.step()
            except BugstreamError:
                memory.heal()
                runner.close()
                runners[slot] = Runner(counting(), memory, slot=slot, batch_records_max=5)
        memory.heal()
    for _ in range(total):
        for runner in runners:
            runner.step()

    expected = sorted((str(bug(n % 7)), str(n // 7 + 1)) for n in range(total))
    got = [(str(e.bug_id), e.reason) for e in answered(memory) if isinstance(e, LocateDeclined)]
    assert sorted(got) == expected


@pytest.mark.kafka
def test_it_does_the_same_on_kafka(kafka_bootstrap: str, unique: str) -> None:
    from schemas.topics import Topic
    from streams.kafka_log import KafkaLog

    source = Topic(f"{unique}.in", 1)
    state = Topic(f"{unique}.state", None, compacted=True)
    with KafkaLog(kafka_bootstrap) as log:
        log.ensure_topics([*topics.ALL, source])
        made = counting(name=unique, source=source, state=state)
        for _ in range(2):
            write(log, *(source_record(request(n, bug=n % 3), source=source) for n in range(6)))
            with Runner(made, log, app=unique) as runner:
                deadline, done = time.monotonic() + 30, 0
                while done < 6:
                    assert time.monotonic() < deadline
                    done += runner.step(0.2)
                assert runner.step(0.2) == 0

        counts = Counter(values(read_all(log, state)))
        assert counts == {str(n): 3 for n in range(1, 5)}
