"""The launcher by itself: what it limits, and how it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import connectors.sandbox_launcher as launcher


def launch(plan: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    descriptor = os.memfd_create("plan")
    try:
        os.write(descriptor, json.dumps(plan).encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        return subprocess.run(
            [sys.executable, "-I", "-S", str(Path(launcher.__file__)), str(descriptor)],
            capture_output=True,
            text=True,
            pass_fds=[descriptor],
            timeout=20,
            check=False,
        )
    finally:
        os.close(descriptor)


def test_limits_hold_for_what_it_becomes_and_no_environment_is_left() -> None:
    argv = ["/bin/sh", "-c", "ulimit -f; ulimit -c; env | grep -v -e PWD -e _="]
    limits = {"RLIMIT_FSIZE": 512 * 10, "RLIMIT_CORE": 0}

    done = launch({"cgroups": [], "uid": None, "rlimits": limits, "argv": argv})

    assert done.stdout.split() == ["10", "0"]


def test_a_step_that_fails_ends_it_before_anything_is_started(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    argv = ["/bin/sh", "-c", f"echo >{marker}"]

    done = launch({"cgroups": ["/nowhere/x"], "uid": None, "rlimits": {}, "argv": argv})

    assert (done.returncode, marker.exists()) == (1, False)
    assert "/nowhere/x" in done.stderr
