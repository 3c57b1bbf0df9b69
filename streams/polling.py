"""The worker that asks: mailboxes, and every provider for what was lost while we were down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.inbox import Inbox
from connectors.poll_cursors import PollCursors
from connectors.poller import Batch, Poller
from processors.ports import Blobs
from schemas.errors import BugstreamError, FatalError, LimitedError
from streams.receiving import accept, inbound_of

RETRY_FIRST_S = 1.0
RETRY_S_MAX = 300.0
STOP_S_MAX = 10.0
_LOOK_S = 1.0
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Polling:
    """Runs every poller in a thread of its own: one that hangs keeps no other from its work."""

    pollers: Sequence[Poller]
    inbox: Inbox
    blobs: Blobs
    cursors: PollCursors

    def run(self, stop: threading.Event) -> None:
        """Ask until `stop` is set. Raises `FatalError` when a poller breaks off."""
        threads = [
            threading.Thread(target=self._go_on, args=(poller, stop), name=poller.name, daemon=True)
            for poller in self.pollers
        ]
        for thread in threads:
            thread.start()
        while not stop.wait(_LOOK_S):
            if dead := [thread.name for thread in threads if not thread.is_alive()]:
                stop.set()
                raise FatalError(f"the poller {dead[0]} ended by itself")
        for poller in self.pollers:
            poller.close()
        for thread in threads:
            thread.join(STOP_S_MAX)

    def _go_on(self, poller: Poller, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            began_s = time.monotonic()
            pause_s = self.round(poller, failures)
            if stop.is_set():
                return
            if pause_s is None:
                failures = 0
                poller.wait(stop, max(0.0, poller.every_s - (time.monotonic() - began_s)))
            else:
                failures += 1
                stop.wait(pause_s)

    def round(self, poller: Poller, failures: int = 0) -> float | None:
        """Ask once. Return None when that went well, else the seconds to wait before the next."""
        try:
            batches = poller.poll(self.cursors.load(poller.name))
            asked_at = self.cursors.newest_row()
            while (batch := next(batches, None)) is not None:
                self._keep(poller, batch, asked_at)
                asked_at = self.cursors.newest_row()
            self.cursors.ended(poller.name, datetime.now(UTC))
        except FatalError:
            raise
        except (BugstreamError, OSError) as error:
            pause_s = min(RETRY_S_MAX, RETRY_FIRST_S * float(2 ** min(failures, 10)))
            if isinstance(error, LimitedError):
                pause_s = max(pause_s, error.retry_after_s)
            self._failed(poller, str(error), pause_s)
            return pause_s
        return None

    def _keep(self, poller: Poller, batch: Batch, asked_at: int) -> None:
        new = 0
        for item in batch.items:
            inbound = inbound_of(item, route=poller.route, content_type=batch.content_type)
            # A delivery that came while we asked is newer than what we were told.
            found = replace(inbound, asked_at=asked_at)
            new += accept(self.inbox, self.blobs, found).status == "accepted"
        # The cursor last: what is asked for twice is kept once, what is skipped is lost.
        self.cursors.save(poller.name, batch.cursor, found=new)

    def _failed(self, poller: Poller, error: str, pause_s: float) -> None:
        _LOG.warning(
            "A round of asking failed; `bugstream inbox pollers` says why",
            extra={"poller": poller.name, "error": error[:300], "again_in_s": round(pause_s, 1)},
        )
        try:
            self.cursors.failed(poller.name, error)
        except BugstreamError:
            _LOG.warning("The failure could not be noted", extra={"poller": poller.name})
