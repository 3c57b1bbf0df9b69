"""What the doors share: slow and broken-off bodies, over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request

from schemas.errors import TransientError
from streams import gateway_http
from streams.gateway_http import Door, read_body

LIMIT_BYTES = 1000


@pytest.fixture
def port() -> Iterator[int]:
    routes = APIRouter(route_class=Door)

    @routes.post("/read")
    async def read(request: Request) -> int:
        return len(await read_body(request, LIMIT_BYTES))

    @routes.post("/trouble")
    def trouble() -> None:
        raise TransientError("the cellar is under water")

    app = FastAPI()
    app.include_router(routes)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    listener.close()


def ask(port: int, head: str, *parts: bytes, pause_s: float = 0.0) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(f"POST {head}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        for part in parts:
            line.sendall(part)
            time.sleep(pause_s)
        answer = b""
        while received := line.recv(65536):
            answer += received
        return answer


def test_a_body_is_read_up_to_the_limit(port: int) -> None:
    answer = ask(port, f"/read HTTP/1.1\r\nContent-Length: {LIMIT_BYTES}", b"x" * LIMIT_BYTES)

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(str(LIMIT_BYTES).encode())


def test_a_body_that_lies_about_its_length_is_stopped_at_the_limit(port: int) -> None:
    declared = ask(port, "/read HTTP/1.1\r\nContent-Length: 99999999999999999999999")
    chunked = ask(
        port, "/read HTTP/1.1\r\nTransfer-Encoding: chunked", b"3e9\r\n" + b"x" * 1001 + b"\r\n"
    )

    # A length beyond all reason is refused by the HTTP server itself.
    assert declared.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert chunked.startswith(b"HTTP/1.1 413")


def test_a_slow_sender_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_http, "RECEIVE_S_MAX", 0.2)

    answer = ask(port, "/read HTTP/1.1\r\nContent-Length: 9", b"x", pause_s=0.4)

    assert answer.startswith(b"HTTP/1.1 408")


def test_a_body_that_breaks_off_harms_nobody(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabc")

    answer = ask(port, "/read HTTP/1.1\r\nContent-Length: 3", b"abc")

    assert answer.startswith(b"HTTP/1.1 200")


def test_our_own_trouble_is_503_with_a_time_to_come_back(port: int) -> None:
    answer = ask(port, "/trouble HTTP/1.1\r\nContent-Length: 0")

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 30" in answer.lower()
    assert b"under water" in answer
