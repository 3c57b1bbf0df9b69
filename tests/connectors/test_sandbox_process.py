"""Pipes and endings, tried on an ordinary process that plays bwrap's part on the status pipe."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.sandbox_process import Contained, LineProcess
from schemas.values import SandboxLimits, SandboxUnavailableError


@contextmanager
def contained(line: str, folder: Path, **limits: float) -> Iterator[Contained]:
    """Run `line` in a shell; file descriptor 9 is the status pipe."""
    status, theirs = os.pipe()
    process = subprocess.Popen(
        ["/bin/bash", "-c", f"exec 9>&{theirs}; {line}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[theirs],
        start_new_session=True,
    )
    os.close(theirs)
    wanted = SandboxLimits(**limits)  # type: ignore[arg-type]
    own = Contained(process, status=status, group=None, limits=wanted, workdir=folder)
    try:
        yield own
    finally:
        own.close()


def test_an_end_without_an_exit_code_means_that_nothing_ran(tmp_path: Path) -> None:
    with (
        contained("echo 'no namespaces here' >&2; exit 1", tmp_path) as process,
        pytest.raises(SandboxUnavailableError, match="no namespaces here"),
    ):
        process.run(b"")


def test_the_exit_code_is_bwraps_word_and_not_its_own(tmp_path: Path) -> None:
    line = """echo '{"child-pid": 999999999}' >&9; echo '{"exit-code": 5}' >&9; exit 5"""
    with contained(line, tmp_path) as process:
        result = process.run(b"")

    assert (result.exit_code, result.ended) == (5, "exited")


def test_the_init_of_the_namespace_is_waited_for(tmp_path: Path) -> None:
    # The "init" outlives bwrap by a moment, as the kernel's clean-up does.
    line = """sleep 0.5 & echo "{\\"child-pid\\": $!}" >&9; echo '{"exit-code": 0}' >&9; exit 0"""
    with contained(line, tmp_path) as process:
        result = process.run(b"")

    assert result.exit_code == 0
    assert result.wall_s < 5


def test_input_nobody_reads_does_not_block(tmp_path: Path) -> None:
    with contained("""echo '{"exit-code": 0}' >&9""", tmp_path) as process:
        assert process.run(b"x" * 1_000_000).exit_code == 0


def test_a_line_that_is_late_is_none_and_comes_later(tmp_path: Path) -> None:
    with contained("read x; sleep 0.4; echo got $x", tmp_path) as process:
        lines = LineProcess(process, SandboxLimits())
        lines.send(b"one")
        early, late = lines.receive(0.05), lines.receive(10)
        lines.stop_watching()

    assert (early, late) == (None, b"got one")
