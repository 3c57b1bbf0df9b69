"""The two clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from streams.clock import SystemClock, VirtualClock


def test_virtual_time_passes_only_when_told_to() -> None:
    clock = VirtualClock()
    before = clock.now()
    clock.advance(2.5)

    assert clock.now() - before == timedelta(seconds=2.5)
    assert clock.monotonic_s() == 2.5


def test_the_system_clock_is_aware_and_never_goes_back() -> None:
    clock = SystemClock()

    assert clock.monotonic_s() <= clock.monotonic_s()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
