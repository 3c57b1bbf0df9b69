"""A signal sets the event; what was there before comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from streams.signals import stop_on_signals

HELD = """
import os, signal
from streams.signals import stop_on_signals

with stop_on_signals() as stop:
    with stop._cond:
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.wait(10)
print("drained")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_the_old_handler_comes_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    with stop_on_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)

        assert stop.wait(5)

    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_acts_as_it_did_before() -> None:
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)

        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_second_sigterm_does_not_cut_the_drain_short() -> None:
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)

        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_that_meets_the_events_own_lock_does_not_wait_for_ever() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, timeout=20, check=False
    )

    assert (done.stdout, done.stderr) == (b"drained\n", b"")


def test_without_a_signal_the_old_handlers_come_back_and_no_thread_stays() -> None:
    before, threads = signal.getsignal(signal.SIGTERM), threading.active_count()

    with stop_on_signals() as stop:
        assert signal.getsignal(signal.SIGTERM) is not before

    assert not stop.is_set()
    assert signal.getsignal(signal.SIGTERM) is before
    assert threading.active_count() == threads
