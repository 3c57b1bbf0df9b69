"""From when on a provider is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.poll_window import BACK_S_MAX, FIRST_BACK_S, end_at, moment, start_of

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_the_first_round_looks_back_a_little_and_a_later_one_to_where_the_last_ended() -> None:
    assert start_of(None, NOW) == NOW - timedelta(seconds=FIRST_BACK_S)
    assert start_of(end_at(NOW - timedelta(days=2)), NOW) == NOW - timedelta(days=2)


def test_neither_a_long_downtime_nor_a_wrong_clock_makes_the_window_absurd() -> None:
    assert start_of(end_at(NOW - timedelta(days=900)), NOW) == NOW - timedelta(seconds=BACK_S_MAX)
    assert start_of(end_at(NOW + timedelta(days=900)), NOW) == NOW
    assert start_of({"until": "yesterday"}, NOW) == start_of(None, NOW)


@pytest.mark.parametrize("value", ["", "now", "2026-01-02T03:04:05", None, 3, "9" * 100])
def test_what_is_no_time_with_a_zone_is_none(value: object) -> None:
    assert moment(value) is None


def test_a_zone_without_a_colon_is_understood() -> None:
    assert moment("2026-01-02T03:04:05.678-0800") == moment("2026-01-02T11:04:05.678Z")
