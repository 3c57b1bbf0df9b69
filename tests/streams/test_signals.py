"""A signal sets the event; what was there before comes back."""

from __future__ import annotations

import os
import signal

import pytest

from streams.signals import stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_gives_the_second_to_the_old_handler(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)

    with stop_on_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)

        assert stop.wait(5)
        assert signal.getsignal(number) is before

    assert signal.getsignal(number) is before


def test_without_a_signal_the_old_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with stop_on_signals() as stop:
        assert signal.getsignal(signal.SIGTERM) is not before

    assert not stop.is_set()
    assert signal.getsignal(signal.SIGTERM) is before
