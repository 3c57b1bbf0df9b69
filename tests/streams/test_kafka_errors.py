"""What Kafka's errors mean here."""

from __future__ import annotations

import confluent_kafka as ck
import pytest

from schemas.errors import BugstreamError, FatalError
from streams.kafka_errors import Reporter, answer
from streams.log import (
    FencedError,
    MustAbortError,
    RetriableError,
)

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
