"""The guard removes what a dead owner left; a living one it lets be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def _guard(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "streams.broker_guard", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def test_the_folder_goes_when_the_owner_is_gone_and_not_before(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    with _guard(folder) as guard:
        assert folder.exists()
        assert guard.stdin is not None
        guard.stdin.close()
        assert guard.wait(timeout=20) == 0

    assert not folder.exists()
