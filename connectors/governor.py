"""One governor for each provider: how fast we write there, whoever wants to.

A token bucket for our own limit, and above it the provider's own word: the wait that a
`LimitedError` names (`Retry-After` and the like). It governs one process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from schemas.errors import LimitedError
from schemas.raw import Origin

BURST_MESSAGES_MAX = 5
QUEUE_S_MAX = 0.05
"""How long a call is held back here, in a thread that others need; else its event waits."""
CLOSED_S_MAX = 3600.0

_T = TypeVar("_T")


class Governor:
    """Lets so many calls through per minute. Thread-safe."""

    def __init__(
        self,
        provider: str,
        per_minute_max: int,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Govern what is written to `provider`, as people know it."""
        self.per_minute_max = per_minute_max
        self._provider = provider
        self._per_s = per_minute_max / 60
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = float(BURST_MESSAGES_MAX)
        self._filled_s = monotonic_s()
        self._closed_until_s = 0.0
        self._free_s = 0.0
        """From when on nobody has been told to come back yet."""
        self._reason = ""

    def writing(self, call: Callable[[], _T]) -> _T:
        """Return what `call` does when its turn comes. Raises `LimitedError` if that is far off."""
        self._wait(self._taken())
        return self.reading(call)

    def looking(self, call: Callable[[], _T]) -> _T:
        """Return what `call` finds, which is asked for only where writing could follow at once."""
        with self._lock:
            self._turn_s()
        return self.reading(call)

    def reading(self, call: Callable[[], _T]) -> _T:
        """Return what `call` finds: not counted, but not while the provider asks us to wait."""
        with self._lock:
            self._refuse_while_closed()
        try:
            return call()
        except LimitedError as error:
            wait_s = min(error.retry_after_s, CLOSED_S_MAX)
            with self._lock:
                self._closed_until_s = max(self._closed_until_s, self._monotonic_s() + wait_s)
                self._reason = error.reason
            raise

    def _taken(self) -> float:
        """Take the next free token, and return how many seconds it is away."""
        with self._lock:
            wait_s = self._turn_s()
            self._tokens -= 1.0
            return wait_s

    def _turn_s(self) -> float:
        """Return how many seconds the next token is away. Raises `LimitedError` if that is far off.

        Each who is sent away is told a time of its own: else a thousand would come back at once,
        again and again, for one token.
        """
        self._refuse_while_closed()
        now_s = self._monotonic_s()
        grown = (now_s - self._filled_s) * self._per_s
        self._tokens = min(float(BURST_MESSAGES_MAX), self._tokens + grown)
        self._filled_s = now_s
        wait_s = max(0.0, (1.0 - self._tokens) / self._per_s)
        if wait_s <= QUEUE_S_MAX:
            return wait_s
        turn_s = max(now_s + wait_s, self._free_s)
        self._free_s = turn_s + 1.0 / self._per_s
        raise LimitedError(
            f"{self._provider}: our own limit of {self._per_s * 60:g} messages a minute",
            retry_after_s=turn_s - now_s,
            reason="messages_per_minute_max",
        )

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _refuse_while_closed(self) -> None:
        left_s = self._closed_until_s - self._monotonic_s()
        if left_s > 0:
            raise LimitedError(
                f"{self._provider} asks to wait {left_s:.0f} s more",
                retry_after_s=left_s,
                reason=self._reason,
            )


class _Messenger(Protocol):
    def find(self, origin: Origin, key: UUID) -> str | None: ...

    def post(self, origin: Origin, text: str, key: UUID) -> str: ...


class _Tracker(Protocol):
    def mark(self, origin: Origin, outcome: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class GovernedMessenger:
    """A `Messenger` that keeps to what the governor lets through."""

    messenger: _Messenger
    governor: Governor

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an earlier message with this key."""
        return self.governor.looking(lambda: self.messenger.find(origin, key))

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text` once and return the receipt."""
        return self.governor.writing(lambda: self.messenger.post(origin, text, key))


@dataclass(frozen=True, slots=True)
class GovernedTracker:
    """A `Tracker` that keeps to what the governor lets through."""

    tracker: _Tracker
    governor: Governor

    def mark(self, origin: Origin, outcome: str) -> str | None:
        """Show `outcome` on the item, and return what is shown there now."""
        return self.governor.writing(lambda: self.tracker.mark(origin, outcome))
