"""Processes that proofs start in order to kill them: receivers, relays, and what watches them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from schemas.errors import TransientError
from schemas.raw import Origin
from streams.environment import base_env
from streams.exit_codes import FENCED
from streams.kafka_log import KafkaLog
from streams.log import FencedError, Log, Outgoing
from streams.receiving import Inbound, accept
from streams.relay import Connected, Relay
from streams.signals import stop_on_signals

APP = "prove"
ITEMS_PER_RECEIVER = 10
ROWS_PER_S_MAX = 400
CONTROL_FLUSH_S = 0.2
END_S_MAX = 30.0
LAST_WORDS_BYTES_MAX = 2_000


class Child:
    """A process of ours. It tells how far it is by printing numbers, one a line."""

    def __init__(self, role: str, *arguments: str) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  # `_end` closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams.prove_children", role, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Killed and fenced as they are, they have much to say that only matters if they fail.
            stderr=self._words,
            env=base_env(),
        )
        self.done = 0
        """The last number it printed."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """Return how it ended; None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """Return the end of what it wrote about itself. Only before it was ended from here."""
        self._words.seek(0)
        return self._words.read()[-LAST_WORDS_BYTES_MAX:].decode(errors="replace")

    def kill(self) -> None:
        """End it with -9, and wait until its last words are read."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.exit_code is None:
            self._process.send_signal(number)
        try:
            self._process.wait(END_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_S_MAX)
        for pipe in (self._process.stdout, self._process.stdin):
            if pipe is not None:
                pipe.close()
        self._words.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  # narrows for the type checker
        for line in self._process.stdout:
            # The last line of a killed process may be cut off: that number was not told.
            if line.endswith(b"\n"):
                self.done = int(line)


@contextmanager
def stop_with_parent() -> Iterator[threading.Event]:
    """Yield an event that a signal sets, or the death of the process that holds our input."""
    with stop_on_signals() as stop:

        def watch() -> None:
            os.read(sys.stdin.fileno(), 1)
            stop.set()

        threading.Thread(target=watch, daemon=True).start()
        yield stop


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
    does it five times a second.
    """

    def __init__(self, inbox: Inbox, kafka: Log, *, app: str, file: Path) -> None:
        """Keep the position in `file`."""
        super().__init__(inbox, kafka, app=app)
        self._file = file
        self._flushed_s = 0.0

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


def tell(number: int) -> None:
    """Print `number` for the process that watches us."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


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
