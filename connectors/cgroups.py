"""A control group for one sandbox: limits that hold for the whole tree, not for each process."""

from __future__ import annotations

import itertools
import os
import time
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_NAME = "bugstream-sandbox"
_CONTROLLERS_V1 = ("memory", "pids", "cpuacct")
_REMOVE_S = 2.0
_NANOSECONDS, _MICROSECONDS = 1e9, 1e6
_NUMBERS = itertools.count()


class ControlGroup:
    """Limits on memory and processes, and a count of processor time. Made by `make_group`."""

    def __init__(self, folders: tuple[Path, ...], *, unified: bool) -> None:
        """Stand for the group in `folders`: one, or one per controller in version 1."""
        self._folders = folders
        self._unified = unified

    @property
    def joins(self) -> list[str]:
        """Return the files a process writes "0" to, to become a member."""
        return [str(folder / "cgroup.procs") for folder in self._folders]

    def limit(self, *, memory_bytes: int, processes: int) -> None:
        """Set the limits. Raises `OSError`."""
        if self._unified:
            (folder,) = self._folders
            _write(folder / "memory.max", memory_bytes)
            _write(folder / "pids.max", processes)
            with suppress(OSError):  # Only where swap is accounted for.
                _write(folder / "memory.swap.max", 0)
            return
        memory, pids, _ = self._folders
        _write(memory / "memory.limit_in_bytes", memory_bytes)
        with suppress(OSError):
            _write(memory / "memory.memsw.limit_in_bytes", memory_bytes)
        _write(pids / "pids.max", processes)

    def cpu_s(self) -> float:
        """Return the processor seconds its members have used, ended ones included."""
        if self._unified:
            for line in (self._folders[0] / "cpu.stat").read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == "usage_usec":
                    return int(value) / _MICROSECONDS
            return 0.0
        return int((self._folders[2] / "cpuacct.usage").read_text()) / _NANOSECONDS

    def remove(self) -> None:
        """Remove the group; its last member may take a moment to leave. Never raises."""
        until = time.monotonic() + _REMOVE_S
        for folder in self._folders:
            while not _removed(folder) and time.monotonic() < until:
                time.sleep(0.005)


def make_group(root: Path = _ROOT, membership: str | None = None) -> ControlGroup | None:
    """Return a new group; None where this process may not make one, or lacks the controllers."""
    if membership is None:
        membership = Path("/proc/self/cgroup").read_text()
    name = f"{_NAME}-{os.getpid()}-{next(_NUMBERS)}"
    parents = _parents(root, membership)
    if parents is None:
        return None
    made: list[Path] = []
    try:
        for parent in parents:
            _sweep(parent)
            (parent / name).mkdir()
            made.append(parent / name)
    except OSError:
        for folder in made:
            _removed(folder)
        return None
    return ControlGroup(tuple(made), unified=len(made) == 1)


def _parents(root: Path, membership: str) -> tuple[Path, ...] | None:
    own: dict[str, str] = {}
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        own |= {controller: path.lstrip("/") for controller in controllers.split(",")}
    if all(controller in own for controller in _CONTROLLERS_V1):
        return tuple(_existing(root / c, own[c]) for c in _CONTROLLERS_V1)
    # Version 2: a group with members cannot have limited children, so ours are its siblings.
    group = _existing(root, own.get("", ""))
    while group != root:
        group = group.parent
        with suppress(OSError):
            given = (group / "cgroup.subtree_control").read_text().split()
            if {"memory", "pids"} <= set(given):
                return (group,)
    return None


def _existing(mount: Path, path: str) -> Path:
    # In a container the path may be told as the host sees it, and not be there.
    return mount / path if (mount / path).is_dir() else mount


def _sweep(parent: Path) -> None:
    """Remove what a killed process of ours has left behind."""
    for folder in parent.glob(f"{_NAME}-*"):
        pid = folder.name.split("-")[-2]
        if not Path("/proc", pid).exists():
            _removed(folder)


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _write(path: Path, value: int) -> None:
    path.write_text(str(value))
