"""Runs a program that is asked to end when its parent dies, and may have to let others go first.

`python -m streams.leash PID NICENESS PROGRAM`.

Without it a supervisor killed with -9 would leave its children running, and the next one would
find their ports taken.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def leash(parent: int, niceness: int, argv: list[str]) -> None:
    """Become `argv`, to be sent SIGTERM at the death of `parent`. Linux only; elsewhere no leash.

    `niceness`, 0 to 19, is added to what it has, and holds for its whole session.

    `parent` must have started this process from a thread that lives as long as it does.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # It died before the leash was on.
            sys.exit(1)
    if niceness:
        now = os.nice(niceness)
        # Linux may weigh sessions against each other and processes only within them.
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(now), encoding="ascii")
    os.execvp(argv[0], argv)  # noqa: S606  # to replace this process is the point


if __name__ == "__main__":
    leash(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
