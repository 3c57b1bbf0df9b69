"""A program on the leash is itself, until its parent dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

LEASH = [sys.executable, "-m", "streams.leash"]


def test_it_becomes_the_program_with_its_exit_status() -> None:
    done = subprocess.run(
        [
            *LEASH,
            str(os.getpid()),
            "0",
            sys.executable,
            "-c",
            "print('hello'); raise SystemExit(7)",
        ],
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (7, b"hello\n")


def test_it_does_not_start_for_a_parent_that_is_gone() -> None:
    done = subprocess.run([*LEASH, "1", "0", "echo", "hello"], capture_output=True, check=False)

    assert (done.returncode, done.stdout) == (1, b"")


def test_a_program_that_can_wait_stands_back() -> None:
    done = subprocess.run(
        [*LEASH, str(os.getpid()), "3", sys.executable, "-c", "import os; print(os.nice(0))"],
        capture_output=True,
        check=True,
        start_new_session=True,
    )

    assert int(done.stdout) == os.nice(0) + 3


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is a feature of Linux")
def test_it_is_asked_to_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "ended"
    program = (
        "import pathlib, signal, sys, time\n"
        "def end(*_): pathlib.Path(sys.argv[1]).touch(); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys\n"
        "leash = [sys.executable, '-m', 'streams.leash', str(os.getpid()), '0']\n"
        "subprocess.Popen([*leash, sys.executable, '-c', *sys.argv[1:]]).wait()"
    )
    command = [sys.executable, "-c", parent, program, str(mark)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()

    give_up = time.monotonic() + 20
    while not mark.exists() and time.monotonic() < give_up:
        time.sleep(0.02)
    assert mark.exists()
