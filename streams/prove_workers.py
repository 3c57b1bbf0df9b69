"""Worker processes that a proof starts in order to kill them, each in a slot of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from select import select
from types import TracebackType
from typing import Self

from schemas.errors import FatalError
from schemas.topics import Topic
from streams.environment import base_env
from streams.log import Log, TopicPartition, partitions_of
from streams.long_tasks import LongTaskRunner
from streams.runner import Runner

STOP_S_MAX = 30.0
DEATHS_MAX = 30
"""Of workers that were not killed from here; more means that they cannot work at all."""
WORDS_CHARS_MAX = 600
STALLED_S_MAX = 180.0
"""Without any progress; the proof then ends and says what stands still."""


@dataclass(slots=True)
class _Slot:
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes]
    works: bool = False

    def look(self) -> None:
        """See whether the worker has said that it works."""
        if not self.works and self.process.stdout is not None:
            self.works = bool(select([self.process.stdout], [], [], 0)[0])

    def end(self) -> None:
        """Kill the worker and wait for its end."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """One end of a worker."""

    pid: int
    at_s: float
    """By `time.time`, as the broker's append times are."""
    how: str


@dataclass(slots=True)
class Workers:
    """Runs `python -m MODULE ARGUMENTS` once for each of `work`, and starts anew what ends."""

    module: str
    work: Sequence[tuple[str, ...]]
    chance: Random
    ended: list[Ended] = field(default_factory=list)
    deaths: int = 0
    """Of workers that ended by themselves, as they may when they lose their place."""
    _slots: list[_Slot] = field(default_factory=list)
    _words: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)

    def __enter__(self) -> Self:
        self._slots = [_Slot(one, self._spawn(one)) for one in self.work]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for slot in self._slots:
            slot.end()
        self._words.cleanup()

    @property
    def all_work(self) -> bool:
        """Return whether every worker has joined its group since it was started."""
        for slot in self._slots:
            slot.look()
        return all(slot.works for slot in self._slots)

    def wait_until_all_work(self) -> None:
        """Wait until every worker has joined. Raises `FatalError` when that takes too long."""
        deadline = time.monotonic() + STALLED_S_MAX
        while not self.all_work:
            if time.monotonic() > deadline:
                raise FatalError(f"not all workers work: {self.last_words()}")
            self.tend()
            time.sleep(0.1)

    def kill_one(self, number: signal.Signals = signal.SIGKILL) -> bool:
        """Kill a worker that works, by chance; wait for its end, and start it anew.

        Returns False when none works now: killing what has not begun proves little.
        """
        for slot in self._slots:
            slot.look()
        working = [slot for slot in self._slots if slot.works and slot.process.poll() is None]
        if not working:
            return False
        slot = self.chance.choice(working)
        slot.process.send_signal(number)
        try:
            slot.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            number = signal.SIGKILL
        self._again(slot, number.name)
        return True

    def tend(self) -> None:
        """Start anew what ended by itself. Raises `FatalError` when that happens too often."""
        for slot in self._slots:
            if slot.process.poll() is None:
                continue
            self.deaths += 1
            if self.deaths > DEATHS_MAX:
                raise FatalError(f"workers keep dying: {self.last_words()}")
            self._again(slot, f"exit {slot.process.returncode}")

    def last_words(self) -> str:
        """Return the end of what any worker wrote to standard error."""
        files = sorted(Path(self._words.name).iterdir(), key=lambda f: f.stat().st_mtime)
        texts = [file.read_text(errors="replace").strip() for file in files]
        return next((text[-WORDS_CHARS_MAX:] for text in reversed(texts) if text), "")

    def _again(self, slot: _Slot, how: str) -> None:
        slot.end()
        self.ended.append(Ended(slot.process.pid, time.time(), how))
        slot.process, slot.works = self._spawn(slot.arguments), False

    def _spawn(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        words = Path(self._words.name) / f"{time.monotonic_ns()}"
        with words.open("wb") as stderr:
            # The leash: should this process be killed, its workers go, too.
            return subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "streams.leash", str(os.getpid()), "0"),
                    *(sys.executable, "-m", self.module, *arguments),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=base_env(),
            )


def join(runner: Runner | LongTaskRunner, stop: threading.Event) -> None:
    """Step `runner` until it has joined its group, and tell the proof: it is worth killing now."""
    while not runner.owned and not stop.is_set():
        runner.step(0.1)
    sys.stdout.write("works\n")
    sys.stdout.flush()


def wait_for_group(
    log: Log, group: str, source: Topic, workers: Workers, told: Callable[[str], None]
) -> None:
    """Wait until `group` has committed beyond the last record that is in `source` now.

    Raises `FatalError` when it stands still.
    """
    last: dict[TopicPartition, int] = {}
    for record in log.read(dict.fromkeys(partitions_of(source), 0)):
        last[record.source] = record.offset
    behind, done_before = len(last), -1
    deadline = time.monotonic() + STALLED_S_MAX
    while behind:
        workers.tend()
        at = log.committed(group, list(last))
        done = sum(position.offset for position in at.values())
        behind = sum(one not in at or at[one].offset <= offset for one, offset in last.items())
        if done > done_before:
            done_before, deadline = done, time.monotonic() + STALLED_S_MAX
        if time.monotonic() > deadline:
            raise FatalError(f"{group} has stalled: {behind} partitions are behind")
        told(f"{group}, {behind} partitions to go")
        time.sleep(0.1)
