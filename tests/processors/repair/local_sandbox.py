"""The Sandbox port without a sandbox: plain subprocesses, for code that we wrote ourselves."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from processors.ports import SandboxProcess, SandboxResult, SandboxSpec

ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp"}


@dataclass(slots=True)
class LocalProcess:
    """Pipes to a subprocess."""

    process: subprocess.Popen[bytes]
    errors: Path

    def send(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def receive(self, timeout_s: float) -> bytes | None:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], timeout_s)[0]:
            return None
        line = self.process.stdout.readline()
        return line.rstrip(b"\n") if line else None

    def stderr_tail(self) -> bytes:
        return self.errors.read_bytes()[-2000:]

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class LocalSandbox:
    """Runs commands as they are."""

    def check(self) -> str:
        return "no isolation: for tests of our own code only"

    def run(self, spec: SandboxSpec) -> SandboxResult:
        began = time.monotonic()
        done = subprocess.run(
            spec.argv,
            cwd=spec.workdir,
            env=ENV | dict(spec.env),
            input=spec.stdin,
            capture_output=True,
            timeout=spec.limits.wall_s,
            check=False,
        )
        wall_s = time.monotonic() - began
        return SandboxResult(done.returncode, "exited", done.stdout, done.stderr, wall_s, 0.0)

    @contextmanager
    def start(self, spec: SandboxSpec) -> Iterator[SandboxProcess]:
        errors = spec.workdir.parent / f".errors-{spec.workdir.name}"
        with errors.open("wb") as sink:
            process = subprocess.Popen(
                spec.argv,
                cwd=spec.workdir,
                env=ENV | dict(spec.env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                start_new_session=True,
            )
        running = LocalProcess(process, errors)
        try:
            yield running
        finally:
            running.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()
            errors.unlink(missing_ok=True)
