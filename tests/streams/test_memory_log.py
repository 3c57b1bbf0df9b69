"""What only the in-memory log can do: faults, and a time of its own."""

from __future__ import annotations

import threading
import time

import pytest

from schemas.errors import FatalError
from streams.clock import VirtualClock
from streams.log import Position, RetriableError, TopicPartition
from streams.memory_log import MemoryLog
from tests.streams.logs import Recorder, read_all, text, topic, values, write


def test_records_carry_the_time_of_the_clock() -> None:
    clock = VirtualClock()
    with MemoryLog(clock) as log:
        t = topic(log, "t")
        write(log, text(t, "a"))
        clock.advance(1.5)
        write(log, text(t, "b"))

        first, second = read_all(log, t)
        assert second.timestamp_ms - first.timestamp_ms == 1500


def test_a_fault_strikes_once_before_or_after_its_operation() -> None:
    log = MemoryLog()
    t = topic(log, "t")
    log.fail("commit", FatalError("before"))
    with pytest.raises(FatalError, match="before"):
        write(log, text(t, "a", partition=1))
    log.fail("commit", FatalError("after"), after=True)
    with pytest.raises(FatalError, match="after"):
        write(log, text(t, "b"))
    write(log, text(t, "c"))

    assert values(log.visible(TopicPartition("t", 0), 0)) == ["b", "c"]
    log.fail("commit", FatalError("never"))
    log.heal()
    write(log, text(t, "d"))


def test_using_what_does_not_exist_is_said() -> None:
    log = MemoryLog()
    consumer = log.consumer("g")

    with pytest.raises(FatalError, match="no topic nowhere"):
        consumer.subscribe(["nowhere"], Recorder(consumer))
    with pytest.raises(FatalError, match="no partition nowhere/0"):
        log.end_offsets([TopicPartition("nowhere", 0)])


def test_a_producer_has_one_transaction_at_a_time() -> None:
    log = MemoryLog()
    t = topic(log, "t")
    producer = log.producer("p")
    producer.init()
    with pytest.raises(FatalError, match="no transaction open"):
        producer.produce(text(t, "a"))
    producer.begin()
    with pytest.raises(FatalError, match="open already"):
        producer.begin()


def test_a_poll_wakes_up_when_a_transaction_ends() -> None:
    log = MemoryLog()
    t = topic(log, "t")
    consumer = log.consumer("g")
    consumer.assign({TopicPartition("t", 0): 0})
    threading.Timer(0.1, lambda: write(log, text(t, "a"))).start()

    began = time.monotonic()
    assert values(consumer.poll(10)) == ["a"]
    assert time.monotonic() - began < 5


def test_positions_wait_for_the_transaction_that_may_move_them() -> None:
    log = MemoryLog()
    topic(log, "t")
    place = TopicPartition("t", 0)
    consumer = log.consumer("g")
    producer = log.producer("p")
    producer.init()
    producer.begin()
    producer.send_offsets({place: Position(4)}, consumer.membership())
    with pytest.raises(RetriableError):
        consumer.committed([place], timeout_s=0)
    threading.Timer(0.1, producer.commit).start()

    assert consumer.committed([place], timeout_s=10) == {place: Position(4)}
