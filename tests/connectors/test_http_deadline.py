"""A call ends on time, whatever drips."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from connectors.http_caller import Caller
from schemas.errors import TransientError

HEAD = b"HTTP/1.1 200 OK\r\n"
DRIPS_S_MAX = 30.0


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve connections by `answer`, one at a time; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    here, _ = server.accept()
                except OSError:
                    return
                with here:
                    here.recv(65_536)
                    answer(here)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(DRIPS_S_MAX)
    assert not thread.is_alive()


def dripping(start: bytes) -> Callable[[socket.socket], None]:
    def drip(here: socket.socket) -> None:
        until_s = time.monotonic() + DRIPS_S_MAX
        try:
            here.sendall(start)
            while time.monotonic() < until_s:
                here.sendall(b"1")
                time.sleep(0.01)
        except OSError:
            return  # They have hung up, which is what is wanted.

    return drip


@pytest.mark.parametrize("start", [HEAD + b"X: ", HEAD + b"Content-Length: 99999\r\n\r\n"])
def test_what_drips_is_given_up_be_it_head_or_content(start: bytes) -> None:
    with answering(dripping(start)) as url:
        caller, began_s = Caller("Chat", url, answer_s_max=0.2), time.monotonic()

        with pytest.raises(TransientError, match=r"does not answer \(ReadTimeout\)"):
            caller.call("GET", "x")
        assert time.monotonic() - began_s < DRIPS_S_MAX / 2
        caller.close()


def test_each_call_has_its_own_time_on_the_same_connection() -> None:
    def twice(here: socket.socket) -> None:
        for _ in range(2):
            here.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
            here.recv(65_536)

    with answering(twice) as url:
        caller = Caller("Chat", url, answer_s_max=0.5)

        assert caller.call("GET", "x").value == {}
        time.sleep(0.6)  # Longer than one call may take: what is over must not count.
        assert caller.call("GET", "x").value == {}
        caller.close()
