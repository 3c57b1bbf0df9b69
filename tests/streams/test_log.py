"""What every log must do. Each test runs on the in-memory log and on a real Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest

from schemas.errors import FatalError, UserError
from schemas.topics import Topic
from streams.log import (
    METADATA_CHARS_MAX,
    Consumer,
    FencedError,
    Log,
    MustAbortError,
    Position,
    Record,
    RetriableError,
    TopicPartition,
    commit_together,
)
from tests.streams.logs import (
    Recorder,
    commit_offset,
    poll_until,
    read_all,
    text,
    topic,
    values,
    write,
)


def test_a_record_comes_back_as_it_was_written(log: Log, unique: str) -> None:
    t = topic(log, unique)

    before_ms = time.time() * 1000
    write(log, text(t, "one", partition=1))
    (record,) = read_all(log, t)

    assert (record.topic, record.partition, record.key, record.value) == (unique, 1, b"k", b"one")
    assert record.headers == (("h", b"1"),)
    assert before_ms - 1000 < record.timestamp_ms < time.time() * 1000 + 1000


def test_creating_topics_again_changes_nothing(log: Log, unique: str) -> None:
    wanted = Topic(unique, retention_days=None, compacted=True, partitions=3)

    assert log.ensure_topics([wanted]) == (unique,)
    assert log.ensure_topics([wanted]) == ()


def test_a_topic_with_other_partitions_is_refused_with_a_way_out(log: Log, unique: str) -> None:
    topic(log, unique, partitions=2)

    with pytest.raises(UserError, match="has 2 partitions and needs 3"):
        topic(log, unique, partitions=3)


def test_what_is_not_committed_is_not_seen(log: Log, unique: str) -> None:
    t = topic(log, unique)
    write(log, text(t, "seen"))
    producer = log.producer(f"{unique}-tx")
    producer.init()
    producer.begin()
    producer.produce(text(t, "open"))
    consumer = log.consumer(unique)
    consumer.assign({TopicPartition(unique, 0): 0})

    assert values(poll_until(consumer, lambda got: len(got) == 1)) == ["seen"]
    assert consumer.poll(0.3) == []
    producer.abort()
    write(log, text(t, "later"))
    assert values(poll_until(consumer, lambda got: len(got) == 1)) == ["later"]
    consumer.close()
    producer.close()


def test_ends_differ_by_open_transactions_and_markers_take_an_offset(log: Log, unique: str) -> None:
    t = topic(log, unique, partitions=1)
    place = TopicPartition(unique, 0)
    write(log, text(t, "a"))
    producer = log.producer(f"{unique}-tx")
    producer.init()
    producer.begin()
    producer.produce(text(t, "b"))
    _wait(lambda: log.end_offsets([place], include_open=True)[place] == 3)

    assert log.begin_offsets([place]) == {place: 0}
    assert log.end_offsets([place]) == {place: 2}  # The record and the marker of its transaction.
    producer.commit()
    _wait(lambda: log.end_offsets([place])[place] == 4)
    producer.close()


def test_reading_waits_for_transactions_that_were_open_when_it_began(log: Log, unique: str) -> None:
    t = topic(log, unique, partitions=1)
    place = TopicPartition(unique, 0)
    write(log, text(t, "a"))
    producer = log.producer(f"{unique}-tx")
    producer.init()
    producer.begin()
    producer.produce(text(t, "b"))
    _wait(lambda: log.end_offsets([place], include_open=True)[place] == 3)

    with pytest.raises(RetriableError, match="no progress"):
        list(log.read({place: 0}, timeout_s=0.5))
    producer.commit()
    assert values(list(log.read({place: 0}))) == ["a", "b"]
    assert values(list(log.read({place: 1}))) == ["b"]
    assert list(log.read({place: 4})) == []
    producer.close()


def test_a_second_producer_with_the_same_id_fences_the_first(log: Log, unique: str) -> None:
    t = topic(log, unique)
    first, second = log.producer(f"{unique}-tx"), log.producer(f"{unique}-tx")
    first.init()
    first.begin()
    first.produce(text(t, "of the dead"))
    second.init()
    second.begin()
    second.produce(text(t, "of the living"))
    second.commit()

    with pytest.raises(FencedError):
        first.commit()
    assert values(read_all(log, t)) == ["of the living"]
    first.close()
    second.close()


def test_records_and_positions_are_committed_together(log: Log, unique: str) -> None:
    t = topic(log, unique)
    place = TopicPartition(unique, 0)
    writer = log.consumer(unique)  # Never subscribes: a writer that owns its group alone.
    producer = log.producer(f"{unique}-tx")
    producer.init()
    note = "n" * METADATA_CHARS_MAX

    assert commit_together(
        producer, [text(t, "x")], {place: Position(7, note)}, writer.membership()
    )
    assert writer.committed([place, TopicPartition(unique, 1)]) == {place: Position(7, note)}
    assert log.committed(unique, [place]) == {place: Position(7, note)}
    assert values(read_all(log, t)) == ["x"]
    writer.close()
    producer.close()


def test_an_abort_takes_positions_back_too(log: Log, unique: str) -> None:
    topic(log, unique)
    place = TopicPartition(unique, 0)
    writer = log.consumer(unique)
    producer = log.producer(f"{unique}-tx")
    producer.init()
    producer.begin()
    producer.send_offsets({place: Position(7)}, writer.membership())

    with pytest.raises(RetriableError):
        writer.committed([place], timeout_s=0.3)  # It may still be committed.
    producer.abort()
    assert writer.committed([place]) == {}
    writer.close()
    producer.close()


def test_metadata_over_the_limit_must_abort(log: Log, unique: str) -> None:
    topic(log, unique)
    place = TopicPartition(unique, 0)
    writer = log.consumer(unique)
    producer = log.producer(f"{unique}-tx")
    producer.init()
    producer.begin()

    note = "n" * (METADATA_CHARS_MAX + 1)
    with pytest.raises(MustAbortError) as raised:
        producer.send_offsets({place: Position(7, note)}, writer.membership())
    assert not raised.value.rebalancing
    producer.abort()
    writer.close()
    producer.close()


def test_a_member_starts_where_it_says_and_shows_who_it_is(log: Log, unique: str) -> None:
    t = topic(log, unique)
    write(log, *(text(t, str(n)) for n in range(3)))
    consumer = log.consumer(unique, instance=f"{unique}-0")
    assert consumer.membership().member_id == ""
    commit_offset(
        log, f"{unique}-tx", consumer.membership(), {TopicPartition(unique, 0): Position(1)}
    )
    recorder = Recorder(consumer)
    consumer.subscribe([unique], recorder)

    assert values(poll_until(consumer, lambda got: len(got) == 2)) == ["1", "2"]
    assert recorder.owned == {TopicPartition(unique, 0), TopicPartition(unique, 1)}
    member = consumer.membership()
    assert member.group == unique
    assert member.member_id
    assert member.generation >= 1
    consumer.close()


def test_a_poll_returns_at_most_what_was_asked_for(log: Log, unique: str) -> None:
    t = topic(log, unique)
    write(log, *(text(t, str(n)) for n in range(10)))
    consumer = log.consumer(unique)
    consumer.assign({TopicPartition(unique, 0): 0})
    got: list[Record] = []
    while len(got) < 10:
        batch = consumer.poll(1.0, 3)
        assert 0 < len(batch) <= 3 or not got
        got += batch

    assert values(got) == [str(n) for n in range(10)]
    consumer.close()


def test_a_paused_partition_is_silent_until_it_is_resumed(log: Log, unique: str) -> None:
    t = topic(log, unique)
    consumer = log.consumer(unique)
    places = [TopicPartition(unique, 0), TopicPartition(unique, 1)]
    consumer.assign(dict.fromkeys(places, 0))
    consumer.pause(places[:1])
    write(log, text(t, "quiet", partition=0), text(t, "loud", partition=1))

    assert values(poll_until(consumer, lambda got: len(got) == 1)) == ["loud"]
    assert consumer.poll(0.3) == []
    consumer.resume(places[:1])
    assert values(poll_until(consumer, lambda got: len(got) == 1)) == ["quiet"]
    consumer.seek(places[1], 0)
    assert values(poll_until(consumer, lambda got: len(got) == 1)) == ["loud"]
    consumer.close()


def test_a_pause_does_not_outlive_a_rebalance(log: Log, unique: str) -> None:
    t = topic(log, unique, partitions=1)
    write(log, text(t, "a"))
    first = log.consumer(unique)
    one = Recorder(first)
    first.subscribe([unique], one)
    poll_until(first, lambda got: len(got) == 1)
    first.pause(one.owned)
    second = log.consumer(unique)
    two = Recorder(second)
    second.subscribe([unique], two)
    _settle([first, second], lambda: len(one.assigned) > 1 and len(two.assigned) > 0)
    second.close()
    write(log, text(t, "b"))

    got = poll_until(first, lambda got: "b" in values(got))
    assert values(got)[-1] == "b"
    first.close()


def test_two_members_share_the_partitions_of_all_topics_alike(log: Log, unique: str) -> None:
    topic(log, f"{unique}-a", partitions=4)
    topic(log, f"{unique}-b", partitions=4)
    consumers = [log.consumer(unique, instance=f"{unique}-{n}") for n in range(2)]
    recorders = [Recorder(consumer) for consumer in consumers]
    for consumer, recorder in zip(consumers, recorders, strict=True):
        consumer.subscribe([f"{unique}-a", f"{unique}-b"], recorder)
    _settle(consumers, lambda: [len(r.owned) for r in recorders] == [4, 4])

    for recorder in recorders:
        numbers = {
            name: {p.partition for p in recorder.owned if p.topic == name}
            for name in (f"{unique}-a", f"{unique}-b")
        }
        assert numbers[f"{unique}-a"] == numbers[f"{unique}-b"]
    for consumer in consumers:
        consumer.close()


def test_a_commit_of_the_last_generation_is_refused_and_may_go_on(log: Log, unique: str) -> None:
    topic(log, unique)
    first = log.consumer(unique)
    one = Recorder(first)
    first.subscribe([unique], one)
    _settle([first], lambda: len(one.owned) == 2)
    stale = first.membership()
    second = log.consumer(unique)
    two = Recorder(second)
    second.subscribe([unique], two)
    _settle([first, second], lambda: len(one.owned) == len(two.owned) == 1)

    assert not commit_offset(log, f"{unique}-tx", stale, {TopicPartition(unique, 0): Position(1)})
    assert commit_offset(
        log, f"{unique}-tx", first.membership(), {TopicPartition(unique, 0): Position(1)}
    )
    first.close()
    second.close()


def test_a_static_member_that_comes_again_fences_the_one_before_it(log: Log, unique: str) -> None:
    topic(log, unique)
    first = log.consumer(unique, instance=f"{unique}-0")
    one = Recorder(first)
    first.subscribe([unique], one)
    _settle([first], lambda: len(one.owned) == 2)
    second = log.consumer(unique, instance=f"{unique}-0")
    two = Recorder(second)
    second.subscribe([unique], two)

    _settle([second], lambda: len(two.owned) == 2)
    with pytest.raises(FencedError):
        _settle([first], lambda: False)
    with pytest.raises(FatalError):
        commit_offset(
            log, f"{unique}-tx", first.membership(), {TopicPartition(unique, 0): Position(1)}
        )
    first.close()
    second.close()


def test_what_a_rebalance_callback_raises_comes_out_of_poll(log: Log, unique: str) -> None:
    topic(log, unique)
    consumer = log.consumer(unique)

    class Broken(Recorder):
        def on_assign(self, partitions: object) -> dict[TopicPartition, int]:
            raise FatalError("the state is incomplete")

    consumer.subscribe([unique], Broken(consumer))
    with pytest.raises(FatalError, match="the state is incomplete"):
        poll_until(consumer, lambda got: False)
    consumer.close()


def _settle(consumers: Sequence[Consumer], done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        for consumer in consumers:
            consumer.poll(0.05)


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)
