"""Becomes bwrap, after giving up what the sandbox must not have. A program of its own.

Started as `python -I -S sandbox_launcher.py FD`, with a plan as JSON in FD. It is a process of its
own because none of this may happen in ours: a fork of a program with threads must not run Python.
Where it runs as root it first builds, in a private mount namespace, a folder that shows
what the sandbox may see; the unprivileged user could not reach it under a closed home.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from typing import Any, NoReturn

_CLONE_NEWNS = 0x00020000
_MS_NOSUID, _MS_NODEV = 2, 4
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18


def main() -> NoReturn:
    """Carry out the plan. Does not return; exits 1 with the reason on standard error."""
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        plan: dict[str, Any] = json.load(file)
    try:
        for path in plan["cgroups"]:
            with open(path, "w") as procs:  # noqa: PTH123 - pathlib would cost 5 ms of start
                procs.write("0")
        if plan["uid"] is not None:
            _stage(plan["stage"], plan["binds"])
            os.setgroups([])
            os.setresgid(plan["gid"], plan["gid"], plan["gid"])
            os.setresuid(plan["uid"], plan["uid"], plan["uid"])
        for name, value in plan["rlimits"].items():
            _limit(getattr(resource, name), value)
        os.execve(plan["argv"][0], plan["argv"], {})  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"sandbox launcher: {error}\n")
        sys.exit(1)


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _stage(stage: str, binds: list[tuple[str, str]]) -> None:
    """Show each source of `binds` under its name in `stage`, in a mount namespace of our own."""
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS), "unshare: a mount namespace")
    _mount(libc, "none", "/", "", _MS_REC | _MS_PRIVATE, "")
    # Opened before the stage is mounted, which may hide them.
    opened = [(os.open(source, os.O_PATH), name) for source, name in binds]
    _mount(libc, "tmpfs", stage, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=1m")
    for source, name in opened:
        target = f"{stage}/{name}"
        os.mkdir(target)  # noqa: PTH102
        _mount(libc, f"/proc/self/fd/{source}", target, "", _MS_BIND, "")
        os.close(source)


def _mount(libc: Any, source: str, target: str, kind: str, flags: int, data: str) -> None:
    done = libc.mount(
        source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()
    )
    _check(done, f"mount {target}")


def _check(returned: int, what: str) -> None:
    if returned != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main()
