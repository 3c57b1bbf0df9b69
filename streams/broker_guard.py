"""Ends a temporary broker whose owner was killed: `python -m streams.broker_guard FOLDER`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def guard(folder: Path) -> None:
    """Wait until standard input ends, which its owner's death brings about, and clean up."""
    sys.stdin.buffer.read()
    from streams.broker import Broker

    Broker(folder / "kafka").kill()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
