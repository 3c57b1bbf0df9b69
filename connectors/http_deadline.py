"""Ends a call on time, whatever drips: the client itself only minds the silence between two bytes.

Ten bytes a minute, sent as the head of an answer, would keep a worker for weeks.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx2


class Deadline(threading.local):
    """When the call that this thread makes is over, by the monotonic clock."""

    until_s = float("inf")

    def left_s(self) -> float:
        """Return how long is left. Raises `httpx2.ReadTimeout` when nothing is."""
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise httpx2.ReadTimeout("the whole call takes too long")
        return left_s


def network(deadline: Deadline) -> httpx2.HTTPTransport:
    """Return a network without proxies on which every read and write ends by `deadline`."""
    transport = httpx2.HTTPTransport(trust_env=False)
    # The library takes a backend for its pool, and hands none down to it.
    pool: Any = transport._pool  # noqa: SLF001
    pool._network_backend = _Backend(pool._network_backend, deadline)  # noqa: SLF001
    return transport


class _Backend:
    """Connects as another one does."""

    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def connect_tcp(self, *where: Any, timeout: float | None = None, **how: Any) -> _Stream:
        """Connect."""
        left_s = _least(timeout, self._deadline)
        return _Stream(self._inner.connect_tcp(*where, timeout=left_s, **how), self._deadline)

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        self._inner.sleep(seconds)


class _Stream:
    """Reads and writes as another one does."""

    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is."""
        content: bytes = self._inner.read(max_bytes, timeout=_least(timeout, self._deadline))
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._inner.write(buffer, timeout=_least(timeout, self._deadline))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        """Go on in secret."""
        left_s = _least(timeout, self._deadline)
        secret = self._inner.start_tls(ssl_context, server_hostname, timeout=left_s)
        return _Stream(secret, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Say what the pool wants to know."""
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        """Let the connection go."""
        self._inner.close()


def _least(timeout: float | None, deadline: Deadline) -> float:
    left_s = deadline.left_s()
    return left_s if timeout is None else min(timeout, left_s)
