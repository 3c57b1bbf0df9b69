"""Talk to a program through its pipes, for a limited time, and keep a limited amount of it.

`subprocess` has a limit for the time alone: a program that prints without end takes all memory.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable
from typing import IO

_CHUNK_BYTES = 65_536


class TooMuchError(Exception):
    """The program printed more than is kept."""


def talk(
    process: subprocess.Popen[bytes], told: bytes, *, s_max: float, printed_bytes_max: int
) -> tuple[bytes, bytes]:
    """Tell the program `told`, wait for its end, and return what it printed: output and errors.

    Raises `TimeoutError`, and `TooMuchError` for both together. The program may still run then.
    """
    end_s = time.monotonic() + s_max
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:

        def wait_for(pipe: IO[bytes] | None, event: int, go_on: Callable[[int], bool]) -> None:
            assert pipe is not None  # All three are pipes.  # noqa: S101
            os.set_blocking(pipe.fileno(), False)
            waiting.register(pipe, event, go_on)

        wait_for(process.stdin, selectors.EVENT_WRITE, _writing(told))
        for pipe, printed in ((process.stdout, out), (process.stderr, err)):
            wait_for(pipe, selectors.EVENT_READ, _reading(printed))
        while waiting.get_map():
            if time.monotonic() >= end_s:
                raise TimeoutError
            for key, _ in waiting.select(end_s - time.monotonic()):
                if not key.data(key.fd):
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]  # they are pipes
            if len(out) + len(err) > printed_bytes_max:
                raise TooMuchError
    _end(process, end_s)
    return bytes(out), bytes(err)


def _writing(told: bytes) -> Callable[[int], bool]:
    """Return what writes some of `told`, and tells whether there is more."""
    left = memoryview(told)

    def go_on(descriptor: int) -> bool:
        nonlocal left
        try:
            left = left[os.write(descriptor, left[:_CHUNK_BYTES]) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:  # It has read all that it wants.
            return False
        return len(left) > 0

    return go_on


def _reading(printed: bytearray) -> Callable[[int], bool]:
    """Return what reads some into `printed`, and tells whether there may be more."""

    def go_on(descriptor: int) -> bool:
        try:
            chunk = os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return True
        printed.extend(chunk)
        return bool(chunk)

    return go_on


def _end(process: subprocess.Popen[bytes], end_s: float) -> None:
    try:
        process.wait(max(0.0, end_s - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
