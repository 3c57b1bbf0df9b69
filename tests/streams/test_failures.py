"""Dead letters as records, back-off, and the limit that stops a bad deploy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import FatalError, LimitedError, PoisonError, TransientError
from streams import failures
from streams.failures import (
    DeadLetterLimit,
    Retry,
    RetryPolicy,
    dead_letter,
    failed_again,
    give_up,
)
from streams.log import Record
from tests.streams.stages import request, source_record

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _record(*headers: tuple[str, bytes]) -> Record:
    made = source_record(request(1))
    carried = (*made.headers, *headers)
    return Record(made.topic, 3, 17, made.key, made.value, 0, lambda: carried)


def test_waiting_doubles_up_to_its_limit() -> None:
    policy = RetryPolicy(delay_first_s=0.5, delay_s_max=3.0)

    assert [policy.delay_s(n) for n in (1, 2, 3, 4, 5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_who_is_asked_for_patience_waits_and_counts_no_attempt() -> None:
    policy = RetryPolicy(limited_s_max=3600)
    busy = LimitedError("slow down", retry_after_s=120.0)

    def again(retry: Retry | None, error: Exception, *, after: timedelta) -> Retry:
        return failed_again(
            retry, _record(), error, policy=policy, now=NOW + after, monotonic_s=1000.0
        )

    patient = again(None, busy, after=timedelta(0))
    assert (patient.attempts, patient.not_before_s) == (0, 1120.0)
    assert again(patient, busy, after=timedelta(minutes=59)).attempts == 0
    assert again(patient, busy, after=timedelta(minutes=61)).attempts == 1
    assert again(patient, TransientError("away"), after=timedelta(0)).attempts == 1


def test_a_requeued_record_keeps_its_first_origin() -> None:
    record = _record(
        (failures.TOPIC, b"bugs.events.v1"),
        (failures.PARTITION, b"3"),
        (failures.OFFSET, b"5"),
        (failures.REQUEUES, b"2"),
    )

    headers = dict(dead_letter("fix", record, PoisonError("x"), attempts=1, first_seen=NOW).headers)
    assert (headers[failures.TOPIC], headers[failures.OFFSET]) == (b"bugs.events.v1", b"5")
    assert headers[failures.REQUEUES] == b"2"


def test_each_round_of_a_letter_is_a_fact_of_its_own() -> None:
    ids = set()
    for requeues in (b"0", b"1"):
        _, fact = give_up(
            "fix",
            _record((failures.REQUEUES, requeues)),
            PoisonError("x"),
            attempts=1,
            first_seen=NOW,
        )
        ids.add(dict(fact.headers)["ce_id"])

    assert len(ids) == 2


def test_a_long_error_text_is_cut() -> None:
    letter = dead_letter("fix", _record(), PoisonError("x" * 9999), attempts=1, first_seen=NOW)

    assert len(dict(letter.headers)[failures.ERROR_TEXT]) == failures.ERROR_TEXT_CHARS_MAX


def test_too_many_in_a_row_stop_the_stage() -> None:
    limit = DeadLetterLimit(consecutive_max=3)
    limit.check("fix", [True] * 3)
    limit.count([True] * 3)
    limit.check("fix", [False, True])

    with pytest.raises(FatalError, match="4 in a row"):
        limit.check("fix", [True])


def test_too_large_a_share_stops_the_stage() -> None:
    limit = DeadLetterLimit(share_max=0.25, window_records=8)
    limit.count([True, False] * 3)
    limit.check("fix", [False] * 8)

    with pytest.raises(FatalError, match="3 of its last 8"):
        limit.check("fix", [False, False, True])


def test_a_batch_that_was_not_committed_does_not_count() -> None:
    limit = DeadLetterLimit(consecutive_max=3)
    for _ in range(5):
        limit.check("fix", [True] * 3)
