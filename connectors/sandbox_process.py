"""A running sandbox as a process of ours: its pipes, its limits, and the end of its whole tree."""

from __future__ import annotations

import json
import os
import select
import selectors
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from connectors.cgroups import ControlGroup
from schemas.values import SandboxLimits, SandboxResult, SandboxUnavailableError

_TICK_S = 0.2
_DRAIN_S = 1.0
_END_S = 10.0
_READ_BYTES = 65_536
_STDERR_TAIL_BYTES = 64_000
_SIGNALLED = 128
_DISK_CHECK_S = 0.5

Ended = Literal["exited", "wall_timeout", "disk_limit", "signal"]


class Contained:
    """bwrap with three pipes. Everything it does is bounded by `limits`, from the start on."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        status: int,
        group: ControlGroup | None,
        limits: SandboxLimits,
        workdir: Path,
    ) -> None:
        """Take over `process`, its control group, and the reading end of bwrap's status pipe."""
        self._process = process
        self._group = group
        self._status = _Status(status)
        self._limits = limits
        self._started = time.monotonic()
        self._disk = _DiskWatch(workdir, limits.disk_mb)
        self._exit = os.pidfd_open(process.pid)
        self._lock = threading.Lock()
        self._killed: Ended | None = None
        self._reaped = False
        self._to_send = bytearray()
        self._last_queued = False
        self.out = bytearray()
        self.err = bytearray()
        self.open_outputs = 2
        self.exited = False
        self._selector = selectors.DefaultSelector()
        self._stdin = _nonblocking(process.stdin)
        for stream, into in ((process.stdout, self.out), (process.stderr, self.err)):
            self._selector.register(_nonblocking(stream), selectors.EVENT_READ, into)
        self._selector.register(self._exit, selectors.EVENT_READ)
        self._selector.register(status, selectors.EVENT_READ)

    @property
    def deadline(self) -> float:
        """Return when its wall time is up, on the monotonic clock."""
        return self._started + self._limits.wall_s

    @property
    def unsent(self) -> bool:
        """Return whether queued bytes are still waiting to be taken."""
        return bool(self._to_send)

    def queue(self, content: bytes, *, last: bool) -> None:
        """Hand over bytes for its standard input; `turn` writes them."""
        idle = not self._to_send
        self._to_send += content
        self._last_queued = last
        if idle and self._to_send:
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
        elif last and not self._to_send:
            self._close_input()

    def turn(self, until: float) -> None:
        """Take in what happens until then, `_TICK_S` at most. Kills what is over its limits."""
        now = time.monotonic()
        if not self.exited:
            if now >= self.deadline:
                self.kill("wall_timeout")
            elif self._disk.over(now):
                self.kill("disk_limit")
        for key, _ in self._selector.select(max(0.0, min(until - now, _TICK_S))):
            if key.fileobj == self._exit:
                self.exited = True
                self._selector.unregister(self._exit)
            elif key.fileobj == self._stdin:
                self._send()
            elif key.fileobj == self._status.pipe:
                if not self._status.read():
                    self._selector.unregister(self._status.pipe)
            else:
                self._take(key)

    def _take(self, key: selectors.SelectorKey) -> None:
        chunk = os.read(key.fd, _READ_BYTES)
        key.data.extend(chunk)
        if not chunk:
            self._selector.unregister(key.fileobj)
            self.open_outputs -= 1

    def _send(self) -> None:
        try:
            sent = os.write(self._stdin, self._to_send[:_READ_BYTES])
            del self._to_send[:sent]
        except BrokenPipeError:
            self._to_send.clear()
            self._last_queued = True
        if not self._to_send:
            self._selector.unregister(self._stdin)
            if self._last_queued:
                self._close_input()

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self, why: Ended = "signal") -> None:
        """End the whole tree and wait until it is gone. Harmless when it has ended.

        Raises `SandboxUnavailableError` if it cannot be ended.
        """
        with self._lock:
            if self._reaped:
                return
            if not _readable(self._exit, 0):
                self._killed = why
            self._status.read()
            # The group, too: before bwrap has made its session, its child is only there.
            os.killpg(self._process.pid, signal.SIGKILL)
            _await(self._exit)
            self._process.wait()
            self._reaped = True
            # bwrap dies at once, the init of its namespace by PR_SET_PDEATHSIG. An init is
            # only seen to have ended when the kernel has ended everything below it.
            if self._status.init is not None:
                _await(self._status.init)

    def run(self, stdin: bytes) -> SandboxResult:
        """Feed `stdin`, wait for the end, and return what came. For a command that ends."""
        self.queue(stdin, last=True)
        limit, truncated = self._limits.output_bytes, False
        while not self.exited:
            self.turn(self.deadline)
            truncated = self._cut(limit) or truncated
        self.kill()  # Has ended: this only reaps, and waits for the rest of the tree.
        # Everything that held the pipes is gone, so what is in them is all there will be.
        until = time.monotonic() + _DRAIN_S
        while self.open_outputs and time.monotonic() < until:
            self.turn(until)
            truncated = self._cut(limit) or truncated
        return self._result(truncated=truncated)

    def _cut(self, limit: int) -> bool:
        over = len(self.out) > limit or len(self.err) > limit
        del self.out[limit:]
        del self.err[limit:]
        return over

    def _result(self, *, truncated: bool) -> SandboxResult:
        code, ended = self._exit_code()
        return SandboxResult(
            exit_code=code,
            ended=ended,
            stdout=bytes(self.out),
            stderr=bytes(self.err),
            wall_s=time.monotonic() - self._started,
            cpu_s=self._cpu_s(),
            truncated=truncated,
        )

    def _cpu_s(self) -> float:
        return self._group.cpu_s() if self._group is not None else self._status.cpu_s

    def _exit_code(self) -> tuple[int | None, Ended]:
        if self._killed is not None:
            return None, self._killed
        code = self._status.exit_code
        if code is None and self._process.returncode >= 0:
            # bwrap itself gave up: nothing of the command has run.
            raise SandboxUnavailableError(
                "bwrap could not set up the sandbox: "
                + (self.err.decode("utf-8", "replace").strip()[-500:] or "it gave no reason")
            )
        if code is None or code > _SIGNALLED:
            return None, "signal"
        return code, "exited"

    def close(self) -> None:
        """Kill what still runs and give back every descriptor."""
        try:
            self.kill()
        finally:
            self._selector.close()
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                if stream is not None:
                    with suppress(BrokenPipeError):
                        stream.close()
            os.close(self._exit)
            self._status.close()
            if self._group is not None:
                self._group.remove()


class LineProcess:
    """A contained command that is talked to line by line: `SandboxProcess`."""

    def __init__(self, contained: Contained, limits: SandboxLimits) -> None:
        """Watch over `contained`, also while nobody calls."""
        self._contained = contained
        self._line_bytes_max = limits.output_bytes
        # PR_SET_PDEATHSIG would miss a caller that lives on and never asks again.
        self._timer = threading.Timer(limits.wall_s, contained.kill, ("wall_timeout",))
        self._timer.daemon = True
        self._timer.start()

    def send(self, line: bytes) -> None:
        """Write one line (a newline is added) to its standard input."""
        self._contained.queue(line + b"\n", last=False)
        while self._contained.unsent and not self._contained.exited:
            self._turn(self._contained.deadline)

    def receive(self, timeout_s: float) -> bytes | None:
        """Return the next line of its standard output; None when it has ended or time is up."""
        until = time.monotonic() + timeout_s
        out = self._contained.out
        while b"\n" not in out:
            over = len(out) > self._line_bytes_max
            if over:
                self._contained.kill()
            ended = self._contained.open_outputs == 0 or over
            if ended or time.monotonic() >= until:
                return None
            self._turn(until)
        line, _, rest = bytes(out).partition(b"\n")
        out[:] = rest
        return line

    def _turn(self, until: float) -> None:
        self._contained.turn(until)
        del self._contained.err[:-_STDERR_TAIL_BYTES]

    def stderr_tail(self) -> bytes:
        """Return the end of what it printed to standard error."""
        self._turn(0.0)
        return bytes(self._contained.err)

    def kill(self) -> None:
        """End the whole process tree. Harmless when it has ended."""
        self._contained.kill()

    def stop_watching(self) -> None:
        """Let the caller be the only one who ends it."""
        self._timer.cancel()
        self._timer.join()


class _Status:
    """What bwrap says of itself: JSON lines, written by bwrap alone."""

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self.pipe = pipe
        self.exit_code: int | None = None
        self.init: int | None = None
        """A descriptor of the first process of its namespace."""
        self.cpu_s = 0.0
        """What that process and all it has reaped have used: a lower bound."""
        self._init_pid = 0
        self._seen = b""
        self._lock = threading.Lock()

    def read(self) -> bool:
        """Take in what there is; return whether more may come."""
        with self._lock:
            return self._read()

    def _read(self) -> bool:
        more = True
        with suppress(BlockingIOError):
            chunk = os.read(self.pipe, _READ_BYTES)
            self._seen += chunk
            more = bool(chunk)
        *lines, self._seen = self._seen.split(b"\n")
        for line in lines:
            said = json.loads(line)
            self.exit_code = said.get("exit-code", self.exit_code)
            # At once: while bwrap lives the number cannot have been given to another.
            if "child-pid" in said:
                self._init_pid = said["child-pid"]
                with suppress(ProcessLookupError):
                    self.init = os.pidfd_open(self._init_pid)
        self._measure()
        return more

    def _measure(self) -> None:
        try:
            stat = Path(f"/proc/{self._init_pid}/stat").read_text(encoding="ascii")
        except OSError:
            return
        ticks = sum(map(int, stat.rpartition(")")[2].split()[11:15]))
        self.cpu_s = max(self.cpu_s, ticks / os.sysconf("SC_CLK_TCK"))

    def close(self) -> None:
        os.close(self.pipe)
        if self.init is not None:
            os.close(self.init)


class _DiskWatch:
    """Notices when a folder grows beyond its allowance.

    Walking it is dear, so it is walked only when its file system has lost as much as that.
    """

    def __init__(self, folder: Path, disk_mb: int) -> None:
        self._folder = folder
        self._allowed = disk_mb * 1024 * 1024
        self._before: int | None = None
        self._free = self._free_bytes()
        self._next = 0.0

    def over(self, now: float) -> bool:
        if now < self._next:
            return False
        self._next = now + _DISK_CHECK_S
        if self._free - self._free_bytes() < self._allowed:
            return False
        return _tree_bytes(self._folder) > self._allowed

    def _free_bytes(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize


def _tree_bytes(folder: Path) -> int:
    total = 0
    for _, _, files, parent in os.fwalk(folder):
        for name in files:
            with suppress(FileNotFoundError):
                total += os.stat(name, dir_fd=parent, follow_symlinks=False).st_blocks * 512
    return total


def _nonblocking(stream: object) -> int:
    descriptor = int(stream.fileno())  # type: ignore[attr-defined]
    os.set_blocking(descriptor, False)
    return descriptor


def _await(process: int) -> None:
    if not _readable(process, _END_S):
        raise SandboxUnavailableError("a sandbox could not be ended by SIGKILL")


def _readable(descriptor: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(int(timeout_s * 1000)))
