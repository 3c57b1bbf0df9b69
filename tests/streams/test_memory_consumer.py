"""The consumer of the in-memory log, where it does more than the suite for both logs asks."""

from __future__ import annotations

from streams.log import TopicPartition
from streams.memory_log import MemoryLog
from tests.streams.logs import Recorder, text, topic, values, write


def test_a_session_that_ended_is_told_as_lost_and_joined_anew() -> None:
    log = MemoryLog()
    t = topic(log, "t")
    consumer = log.consumer("g")
    told = Recorder(consumer)
    consumer.subscribe(["t"], told)
    consumer.poll(0)
    before = consumer.membership()
    log.expire_session(consumer)
    write(log, text(t, "a"))

    assert values(consumer.poll(0)) == ["a"]
    assert len(told.lost) == 1
    assert told.revoked == []
    assert consumer.membership().member_id != before.member_id


def test_no_partition_starves_behind_a_full_one() -> None:
    log = MemoryLog()
    t = topic(log, "t")
    write(log, *(text(t, "busy") for _ in range(10)), text(t, "quiet", partition=1))
    consumer = log.consumer("g")
    consumer.assign({TopicPartition("t", 0): 0, TopicPartition("t", 1): 0})

    assert values(consumer.poll(0, 4)) == ["busy"] * 4
    assert "quiet" in values(consumer.poll(0, 4))


def test_leaving_lets_the_others_go_on() -> None:
    log = MemoryLog()
    topic(log, "t")
    consumers = [log.consumer("g") for _ in range(2)]
    told = [Recorder(consumer) for consumer in consumers]
    for consumer, one in zip(consumers, told, strict=True):
        consumer.subscribe(["t"], one)
    for _ in range(3):
        for consumer in consumers:
            consumer.poll(0)
    assert [len(one.owned) for one in told] == [1, 1]

    consumers[0].close()
    consumers[1].poll(0)
    consumers[1].poll(0)
    assert [len(one.owned) for one in told] == [0, 2]
