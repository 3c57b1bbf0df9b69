"""Keeps child processes running: starts, restarts with a growing pause, drains, and kills last."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from prometheus_client.multiprocess import mark_process_dead

from streams import exit_codes
from streams.environment import base_env

RESTART_FIRST_S = 0.5
RESTART_S_MAX = 30.0
STEADY_S = 60.0
"""A child that ran this long is taken for sound: its next crash counts as the first."""
UNREACHABLE_PAUSE_S = 2.0
_POLL_S = 0.1

What = Literal["started", "ended", "crashed", "waiting", "fenced", "drained", "killed"]


@dataclass(frozen=True, slots=True)
class Child:
    """A program to keep running."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to a base without secrets. What is not here, and not in that base, it does not see."""
    niceness: int = 0
    """How far it stands back, 0 to 19, where the processors are busy."""
    needed_by_others: bool = False
    """It is ended after those who need it, such as Kafka after the stages."""


@dataclass(frozen=True, slots=True)
class ChildEvent:
    """Something that happened to a child."""

    name: str
    what: What
    pid: int
    status: int | None = None
    """Exit status; negative: the signal that ended it."""
    again_in_s: float | None = None
    """When it will be started again; None: not."""


@dataclass(slots=True)
class _Watched:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    due_s: float | None = 0.0
    """When it is to be started; None: never again."""
    crashes: int = 0


class Supervisor:
    """Runs `children` until told to stop. One thread owns it, which holds the data folder."""

    def __init__(
        self,
        children: Sequence[Child],
        data_dir: Path,
        drain_s_max: float,
        on_event: Callable[[ChildEvent], None],
        *,
        inherited: Collection[int] = (),
    ) -> None:
        """Watch over `children`, each of which inherits the descriptors in `inherited`."""
        self._watched = [_Watched(child) for child in children]
        self._data_dir = data_dir.absolute()
        self._metrics_dir = self._data_dir / "metrics"
        self._drain_s_max = drain_s_max
        self._on_event = on_event
        self._inherited = tuple(inherited)

    def run(self, stop: threading.Event) -> int:
        """Keep the children running until `stop` is set or none is left; then drain them.

        Returns 0, or 1 when one had to be killed or was fenced.
        """
        shutil.rmtree(self._metrics_dir, ignore_errors=True)
        self._metrics_dir.mkdir(parents=True)
        fenced = False
        try:
            while not stop.is_set() and any(map(_is_alive, self._watched)):
                for watched in self._watched:
                    fenced = self._look_after(watched) == "fenced" or fenced
                stop.wait(_POLL_S)
        finally:
            clean = self._drain(needed=False) & self._drain(needed=True)
        return exit_codes.OK if clean and not fenced else exit_codes.FAILED

    def _look_after(self, watched: _Watched) -> What | None:
        """Start it when that is due; find out whether it ended. Return what happened."""
        now_s = time.monotonic()
        if watched.process is None:
            if watched.due_s is None or now_s < watched.due_s:
                return None
            self._start(watched, now_s)
            return "started"
        status = watched.process.poll()
        if status is None:
            return None
        what, pause_s = self._judge(watched, status, now_s)
        watched.due_s = None if pause_s is None else now_s + pause_s
        self._gone(watched, what, status, pause_s)
        return what

    def _judge(self, watched: _Watched, status: int, now_s: float) -> tuple[What, float | None]:
        """Return what its end was, and after how many seconds it is started again."""
        if status == exit_codes.FENCED:
            return "fenced", None
        if status == exit_codes.UNREACHABLE:
            return "waiting", UNREACHABLE_PAUSE_S
        if now_s - watched.started_s >= STEADY_S:
            watched.crashes = 0
        watched.crashes += 1
        # An end in good order that nobody asked for is watched like a crash: it must not spin.
        pause_s = min(RESTART_S_MAX, RESTART_FIRST_S * 2 ** min(watched.crashes - 1, 10))
        return ("crashed" if status else "ended"), pause_s

    def _start(self, watched: _Watched, now_s: float) -> None:
        child = watched.child
        leash = [sys.executable, "-P", "-m", "streams.leash", str(os.getpid())]
        leashed = [*leash, str(child.niceness), *child.argv]
        watched.process = subprocess.Popen(
            leashed,
            stdin=subprocess.DEVNULL,
            env={
                **base_env(),
                **child.env,
                "PROMETHEUS_MULTIPROC_DIR": str(self._metrics_dir),
            },
            pass_fds=self._inherited,
            # Ctrl-C is for the supervisor; and what a child starts can be killed with it.
            start_new_session=True,
        )
        watched.started_s = now_s
        self._on_event(ChildEvent(child.name, "started", watched.process.pid))

    def _drain(self, *, needed: bool) -> bool:
        """Ask all to end, and kill what has not in time. Return whether none had to be killed."""
        running = [w for w in self._watched if w.process and w.child.needed_by_others is needed]
        for watched in running:
            _signal(watched, signal.SIGTERM)
        give_up_s = time.monotonic() + self._drain_s_max
        while time.monotonic() < give_up_s and any(map(_is_running, running)):
            time.sleep(_POLL_S / 2)
        late = [watched for watched in running if _is_running(watched)]
        for watched in late:
            _signal(watched, signal.SIGKILL)
        for watched in running:
            assert watched.process is not None  # noqa: S101  # narrows for the type checker
            status = watched.process.wait()
            self._gone(watched, "killed" if watched in late else "drained", status, None)
        return not late

    def _gone(self, watched: _Watched, what: What, status: int, again_in_s: float | None) -> None:
        assert watched.process is not None  # noqa: S101  # narrows for the type checker
        pid = watched.process.pid
        watched.process = None
        # What it started and left behind would get in the way of its successor.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        mark_process_dead(pid, str(self._metrics_dir))  # type: ignore[no-untyped-call]
        self._on_event(ChildEvent(watched.child.name, what, pid, status, again_in_s))


def _is_alive(watched: _Watched) -> bool:
    return watched.process is not None or watched.due_s is not None


def _is_running(watched: _Watched) -> bool:
    return watched.process is not None and watched.process.poll() is None


def _signal(watched: _Watched, number: signal.Signals) -> None:
    if watched.process is not None:
        watched.process.send_signal(number)
