"""What a proof knows of a process it started."""

from __future__ import annotations

import time

import pytest

from schemas.errors import FatalError
from streams.prove_process import ChildProcess

WAIT_S_MAX = 60.0


def test_a_child_that_fails_leaves_its_last_words() -> None:
    child = ChildProcess("streams.prove_children", "receive", "too", "few")
    deadline = time.monotonic() + WAIT_S_MAX
    while child.exit_code is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    words = child.last_words()
    child.stop()

    assert child.exit_code == 1
    assert "TypeError" in words


def test_a_child_that_ends_without_a_number_has_not_started() -> None:
    child = ChildProcess("streams.prove_children", "no such role")

    with pytest.raises(FatalError, match=r"did not start[^$]*KeyError"):
        child.first_number(WAIT_S_MAX)
    child.kill()
