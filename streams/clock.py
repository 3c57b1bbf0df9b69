"""The time, real or virtual: for whatever waits, and is to be tested without waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 1, tzinfo=UTC)


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


class VirtualClock:
    """A time that passes only when told to."""

    def __init__(self) -> None:
        self._passed_s = 0.0

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return _START + timedelta(seconds=self._passed_s)

    def monotonic_s(self) -> float:
        """Return the seconds that have passed."""
        return self._passed_s

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._passed_s += seconds
