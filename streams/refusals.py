"""What was turned away at a door is noted for the operator, and no flood of it fills the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from connectors.inbox import Inbox
from schemas.errors import TransientError

REFUSALS_NOTED_PER_MINUTE_MAX = 60
"""Each costs a write to the disk, and strangers can cause as many as they like."""


class Refusals:
    """Notes what was turned away, at most so often; the metric counts all of them."""

    def __init__(self, inbox: Inbox, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """Take the inbox that keeps the notes."""
        self._inbox = inbox
        self._monotonic_s = monotonic_s
        self._minute = 0
        self._noted = 0

    def note(self, *, route: str, delivery_id: str, reason: str) -> None:
        """Write it down if there is room; a refusal stands whether or not it could be noted."""
        minute = int(self._monotonic_s() // 60)
        if minute != self._minute:
            self._minute, self._noted = minute, 0
        self._noted += 1
        if self._noted <= REFUSALS_NOTED_PER_MINUTE_MAX:
            with suppress(TransientError):
                self._inbox.refuse(
                    route=route, delivery_id=delivery_id, reason=reason, at=datetime.now(UTC)
                )
