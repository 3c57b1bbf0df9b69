"""What Kafka's errors mean here, and who a consumer says it is."""

from __future__ import annotations

import struct

import confluent_kafka as ck
import pytest

from schemas.errors import FatalError
from schemas.topics import Topic
from streams.kafka_clients import KafkaConsumer, parse_membership, positions
from streams.kafka_log import KafkaLog
from streams.log import (
    FencedError,
    Outgoing,
    Position,
    TopicPartition,
)
from tests.streams.logs import poll_until, text, topic, write

E = ck.KafkaError


def test_the_member_id_is_read_from_the_opaque_metadata() -> None:
    token = b"CGMDv2:" + struct.pack("=i", 7) + b"group\0member-1\0\1"

    found = parse_membership(token, "group")
    assert (found.member_id, found.generation, found.token) == ("member-1", 7, token)
    with pytest.raises(FatalError, match="unknown form"):
        parse_membership(b"CGMDv9:", "group")


def test_a_partition_without_a_position_is_left_out() -> None:
    found = [ck.TopicPartition("t", 0, ck.OFFSET_INVALID), ck.TopicPartition("t", 1, 0)]

    assert positions(found) == {TopicPartition("t", 1): Position(0)}


@pytest.mark.kafka
def test_a_position_that_is_gone_is_an_error_and_not_a_silence(
    kafka_bootstrap: str, unique: str
) -> None:
    with KafkaLog(kafka_bootstrap) as log:
        t = topic(log, unique)
        write(log, text(t, "a"))
        consumer: KafkaConsumer = log.consumer(unique)
        consumer.assign({TopicPartition(unique, 0): 999})
        with pytest.raises(FatalError):
            poll_until(consumer, lambda _: False)
        consumer.close()


@pytest.mark.kafka
def test_a_fenced_producer_says_so_even_while_writing(kafka_bootstrap: str, unique: str) -> None:
    made = Topic(f"{unique}.fenced.v1", retention_days=1)
    with KafkaLog(kafka_bootstrap) as log:
        log.ensure_topics([made])
        first, second = log.producer(unique), log.producer(unique)
        first.init()
        first.begin()
        first.produce(Outgoing(made.name, 0, b"k", b"v"))
        second.init()
        with pytest.raises(FencedError):
            first.commit()
        with pytest.raises(FencedError):
            first.produce(Outgoing(made.name, 0, b"k", b"v"))
        first.close()
        second.close()
