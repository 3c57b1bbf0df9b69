"""A program is heard for so long, and so much of it; whatever it does with its pipes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from connectors.pipes import TooMuchError, talk

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as ended:

        def started(code: str) -> subprocess.Popen[bytes]:
            pipe = subprocess.PIPE
            program = [sys.executable, "-c", f"import os, sys, time\n{code}"]
            process = subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe)
            ended.enter_context(process)
            ended.callback(process.kill)
            return process

        yield started


def heard(process: subprocess.Popen[bytes], told: bytes = b"", **limits: float) -> tuple[int, int]:
    out, err = talk(
        process,
        told,
        s_max=limits.get("s_max", 30.0),
        printed_bytes_max=int(limits.get("bytes_max", 10**8)),
    )
    return len(out), len(err)


def test_both_pipes_are_read_while_much_is_told(start: Start) -> None:
    code = "x = sys.stdin.buffer.read(); sys.stderr.buffer.write(x); sys.stdout.buffer.write(x)"
    process = start(code)

    assert heard(process, b"x" * 3_000_000) == (3_000_000, 3_000_000)
    assert process.returncode == 0


def test_who_does_not_listen_is_heard_all_the_same(start: Start) -> None:
    process = start("os.close(0); print('x'); sys.exit(3)")

    assert heard(process, b"x" * 3_000_000) == (2, 0)
    assert process.returncode == 3


@pytest.mark.parametrize("pipe", ["stdout", "stderr"])
def test_who_prints_without_end_is_not_heard_to_the_end(start: Start, pipe: str) -> None:
    process = start(f"while True: sys.{pipe}.write('x' * 1000)")

    with pytest.raises(TooMuchError):
        heard(process, bytes_max=1_000_000)


@pytest.mark.parametrize(
    "code",
    ["time.sleep(60)", "os.close(0); os.close(1); os.close(2); time.sleep(60)"],
    ids=["silent", "closed"],
)
def test_who_does_not_end_is_not_waited_for(start: Start, code: str) -> None:
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        heard(start(code), b"x" * 3_000_000, s_max=0.5)
    assert time.monotonic() - began < 10
