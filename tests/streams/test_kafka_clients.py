"""What Kafka's errors mean here, and who a consumer says it is."""

from __future__ import annotations

import struct

import confluent_kafka as ck
import pytest

from schemas.errors import BugstreamError, FatalError
from schemas.topics import Topic
from streams.kafka_clients import KafkaConsumer, Reporter, answer, parse_membership, positions
from streams.kafka_log import KafkaLog
from streams.log import (
    FencedError,
    MustAbortError,
    Outgoing,
    Position,
    RetriableError,
    TopicPartition,
)
from tests.streams.logs import poll_until, text, topic, write

E = ck.KafkaError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (E(E._FENCED), FencedError),
        (E(E.FENCED_INSTANCE_ID), FencedError),
        (E(E.INVALID_PRODUCER_EPOCH), FencedError),
        (E(E._FATAL, E(E.FENCED_INSTANCE_ID).str(), True), FencedError),
        (E(E.UNRELEASED_INSTANCE_ID, "x", True), FatalError),
        (E(E.ILLEGAL_GENERATION, "x", False, False, True), MustAbortError),
        (E(E.UNKNOWN_MEMBER_ID, "x", False, False, True), MustAbortError),
        (E(E._TIMED_OUT), RetriableError),
        (E(E.UNSTABLE_OFFSET_COMMIT), RetriableError),
        (E(E._AUTO_OFFSET_RESET), FatalError),
        (E(E.UNKNOWN), FatalError),
    ],
)
def test_an_error_says_what_to_do(error: ck.KafkaError, kind: type[BugstreamError]) -> None:
    assert type(answer(error, "x")) is kind


def test_only_three_errors_let_a_process_go_on_after_an_abort() -> None:
    def goes_on(code: int) -> bool:
        meant = answer(E(code, "x", False, False, True), "x")
        return isinstance(meant, MustAbortError) and meant.rebalancing

    going_on = {E.ILLEGAL_GENERATION, E.REBALANCE_IN_PROGRESS, E.STALE_MEMBER_EPOCH}
    assert all(goes_on(code) for code in going_on)
    assert not any(goes_on(code) for code in (E.UNKNOWN_MEMBER_ID, E.OFFSET_METADATA_TOO_LARGE))


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


def test_a_broker_that_came_back_in_a_new_epoch_is_asked_again() -> None:
    for code in (ck.KafkaError.FENCED_LEADER_EPOCH, ck.KafkaError.UNKNOWN_LEADER_EPOCH):
        assert isinstance(answer(ck.KafkaError(code), "reading"), RetriableError)


def test_a_dead_broker_is_said_once_and_not_for_every_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reporter = Reporter()
    for _ in range(100):
        reporter(ck.KafkaError(ck.KafkaError._TRANSPORT))

    assert len(caplog.records) == 1


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
