"""A process of ours that a proof starts, watches and ends; and how such a process behaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import FatalError
from streams.environment import base_env
from streams.signals import stop_on_signals

END_S_MAX = 30.0
LAST_WORDS_BYTES_MAX = 2_000
_POLL_S = 0.02


class ChildProcess:
    """`python -m MODULE ARGUMENTS`. It tells how far it is by printing numbers, one a line."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._name = " ".join((module, *arguments[:1]))
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  # `_end` closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,  # It ends with us: a child reads the end of its input.
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

    def first_number(self, s_max: float) -> int:
        """Wait for a number and return it. Raises `FatalError` when none comes in time."""
        deadline = time.monotonic() + s_max
        while not self.done:
            if self.exit_code is not None or time.monotonic() > deadline:
                raise FatalError(f"{self._name} of the proof did not start: {self.last_words()}")
            time.sleep(_POLL_S)
        return self.done

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


def tell(number: int) -> None:
    """Print `number` for the process that watches us."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
