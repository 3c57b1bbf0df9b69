"""SIGTERM and SIGINT as an event that loops can look at."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM or SIGINT sets. Main thread only; old handlers come back after.

    A second SIGINT acts as it did before: whoever presses Ctrl-C twice is not kept waiting. A
    second SIGTERM changes nothing: service managers send it to parent and children alike.
    """
    stop = threading.Event()
    reading, writing = os.pipe()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def on_signal(*_: object) -> None:
        signal.signal(signal.SIGINT, before[signal.SIGINT])
        # It runs between any two steps of the main thread, which may hold the event's own lock: to
        # set the event here could wait for ever. A pipe needs no lock.
        os.write(writing, b"!")

    def wait() -> None:
        if os.read(reading, 1):
            stop.set()

    waiting = threading.Thread(target=wait, name="signals")
    waiting.start()
    for number in before:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writing)
        waiting.join()
        os.close(reading)
