"""The processes that proofs of the relay and of outages kill: receivers, relays, and a control."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from schemas.errors import TransientError
from schemas.raw import Origin
from streams.exit_codes import FENCED
from streams.kafka_log import KafkaLog
from streams.log import FencedError, Log, Outgoing
from streams.prove_process import stop_with_parent, tell
from streams.receiving import Inbound, accept
from streams.relay import Connected, Relay

APP = "prove"
ITEMS_PER_RECEIVER = 10
ROWS_PER_S_MAX = 400
CONTROL_FLUSH_S = 1.0


class TellingRelay(Relay):
    """The relay as it is. It tells how many rows it has sent."""

    _sent = 0

    def step(self) -> int:
        """Send, and tell."""
        count = super().step()
        if count:
            self._sent += count
            tell(self._sent)
        return count


class PositionBesideRelay(TellingRelay):
    """The negative control: the position lies in a file, written after the transaction.

    Kafka Connect keeps the positions of its sources so, and flushes them once a minute; this one
    does it once a second.
    """

    def __init__(self, inbox: Inbox, kafka: Log, *, app: str, file: Path) -> None:
        """Keep the position in `file`."""
        super().__init__(inbox, kafka, app=app)
        self._file = file
        self._flushed_s = self._clock.monotonic_s()

    def _take_position(self, opened: Connected) -> None:
        del opened
        self._next_seq = int(self._file.read_text()) if self._file.exists() else 1
        self._marked_below = 1
        self._committed_s = self._clock.monotonic_s()

    def _commit(self, opened: Connected, records: list[Outgoing]) -> None:
        opened.producer.begin()
        for record in records:
            opened.producer.produce(record)
        opened.producer.commit()
        if self._clock.monotonic_s() - self._flushed_s > CONTROL_FLUSH_S:
            self._flushed_s = self._clock.monotonic_s()
            temporary = self._file.with_suffix(f".{os.getpid()}")
            temporary.write_text(str(self._next_seq))
            temporary.replace(self._file)


def item_of(name: str, number: int) -> str:
    """Return the item that row `number` of receiver `name` is about."""
    return f"{name}{number % ITEMS_PER_RECEIVER}"


def receive(path: str, run: str, name: str, first: str) -> int:
    """Accept rows from number `first` on until stopped; tell after each that it is on the disk."""
    inbox = Inbox.open(Path(path))
    number = int(first)
    with stop_with_parent() as stop:
        while not stop.wait(1 / ROWS_PER_S_MAX):
            if _receive_one(inbox, run, name, number):
                number += 1
                tell(number)
    inbox.close()
    return 0


def _receive_one(inbox: Inbox, run: str, name: str, number: int) -> bool:
    item = item_of(name, number)
    inbound = Inbound(
        origin=Origin(channel="http", container=run, item=item),
        route=APP,
        delivery_id=f"{name}-{number}",
        body=f"row {number} of {name}".encode(),
        content_type="text/plain",
        sender=f"http:{name}",
        author=f"http:{name}",
        entity=item,
        meaning=str(number),
    )
    try:
        accept(inbox, MemoryBlobs(), inbound)
    except TransientError:
        return False
    return True


def relay(path: str, bootstrap: str, position_file: str = "") -> int:
    """Run the relay, or with `position_file` the negative control, until stopped or fenced."""
    inbox = Inbox.open(Path(path))
    with stop_with_parent() as stop, KafkaLog(bootstrap) as kafka:
        one = (
            PositionBesideRelay(inbox, kafka, app=APP, file=Path(position_file))
            if position_file
            else TellingRelay(inbox, kafka, app=APP)
        )
        try:
            one.run(stop)
        except FencedError:
            return FENCED
        finally:
            one.close()
            inbox.close()
    return 0


def direct(bootstrap: str, write_s: str) -> int:
    """Serve the negative control of the outage."""
    from streams.prove_direct import serve

    with stop_with_parent() as stop:
        serve(bootstrap, float(write_s), stop, tell)
    return 0


_ROLES: dict[str, Callable[..., int]] = {"receive": receive, "relay": relay, "direct": direct}

if __name__ == "__main__":
    sys.exit(_ROLES[sys.argv[1]](*sys.argv[2:]))
