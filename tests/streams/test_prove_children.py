"""The processes that proofs kill."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from connectors.inbox import Inbox
from streams.prove_process import ChildProcess

WAIT_S_MAX = 60.0


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S_MAX
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_receiver_has_on_the_disk_what_it_told_when_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    receiver = ChildProcess("streams.prove_children", "receive", str(path), "run", "a", "0")
    wait_until(lambda: receiver.done >= 5)
    receiver.kill()
    inbox = Inbox.open(path)
    kept = inbox.waiting()
    inbox.close()

    assert receiver.exit_code == -9
    assert receiver.done <= kept <= receiver.done + 1


def test_a_receiver_ends_in_order_when_asked(tmp_path: Path) -> None:
    receiver = ChildProcess(
        "streams.prove_children", "receive", str(tmp_path / "inbox.sqlite"), "run", "a", "7"
    )
    wait_until(lambda: receiver.done > 0)
    receiver.stop()

    assert receiver.exit_code == 0
    assert receiver.done >= 8
