"""The negative controls are logs in all but the one thing they leave out."""

from __future__ import annotations

import pytest

from streams.log import FencedError, Position, TopicPartition, ask_until, commit_together
from streams.prove_control import AtLeastOnceLog, ForgetfulLog
from tests.streams.logs import Recorder, poll_until, read_all, text, topic, values, write

pytestmark = pytest.mark.kafka


def test_without_transactions_an_abort_takes_nothing_back(
    kafka_bootstrap: str, unique: str
) -> None:
    with AtLeastOnceLog(kafka_bootstrap) as log:
        t = topic(log, unique)
        consumer = log.consumer(unique)
        producer = log.producer(unique)
        producer.init()
        producer.begin()
        producer.produce(text(t, "x"))
        producer.abort()
        write(log, text(t, "y"))

        assert sorted(values(read_all(log, t))) == ["x", "y"]
        consumer.close()
        producer.close()


def test_positions_are_committed_some_time_later(kafka_bootstrap: str, unique: str) -> None:
    place = TopicPartition(unique, 0)
    with AtLeastOnceLog(kafka_bootstrap) as log:
        t = topic(log, unique)
        write(log, text(t, "x"))
        consumer = log.consumer(unique)
        consumer.subscribe([unique], Recorder(consumer))
        poll_until(consumer, lambda got: len(got) == 1)
        producer = log.producer(unique)
        assert commit_together(producer, [], {place: Position(1)}, consumer.membership())
        consumer.close()

        assert log.committed(unique, [place]) == {place: Position(1)}
        producer.close()


def test_the_forgetful_log_drops_the_note_and_keeps_the_rest(
    kafka_bootstrap: str, unique: str
) -> None:
    place = TopicPartition(unique, 0)
    with ForgetfulLog(kafka_bootstrap) as log:
        t = topic(log, unique)
        writer = log.consumer(unique)
        first, second = log.producer(unique), log.producer(unique)
        ask_until(first.init, 60)
        at = {place: Position(3, "done")}
        assert commit_together(first, [text(t, "x")], at, writer.membership())
        assert writer.committed([place]) == {place: Position(3)}
        ask_until(second.init, 60)
        with pytest.raises(FencedError):
            commit_together(first, [text(t, "y")], at, writer.membership())

        writer.close()
        first.close()
        second.close()
