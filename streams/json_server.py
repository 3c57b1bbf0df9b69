"""A small HTTP server that speaks JSON: the outside world of the demo and of the proofs."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

MESSAGE_BYTES_MAX = 256 * 1024

Answer = tuple[int, dict[str, Any] | list[Any]] | None
"""Status and body; None: the connection ends without a word."""


class Place(Protocol):
    """What answers. Called by many threads at once."""

    def post(self, message: Any) -> Answer:  # whatever JSON says
        """Take a message. Raises `ValueError`, `KeyError` or `TypeError` when it is none."""

    def get(self, key: str) -> Answer:
        """Return what was made of the message with this key."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `message` is what its body says, as JSON or as a form."""

    method: str
    path: str
    query: Mapping[str, str]
    message: Any = None


def serving(place: Place) -> AbstractContextManager[str]:
    """Answer for `place` on a free port, at the yielded URL."""

    def answer(call: Call) -> Answer:
        return place.post(call.message) if call.method == "POST" else place.get(_key(call))

    return serving_calls(answer)


def _key(call: Call) -> str:
    return call.query.get("key", "")


@contextmanager
def serving_calls(answer: Callable[[Call], Answer]) -> Iterator[str]:
    """Answer every call on a free port below the yielded URL; many threads ask at once.

    `answer` may raise `ValueError`, `KeyError` or `TypeError` for a message that is none.
    """
    server = _Server(("127.0.0.1", 0), _handler(answer))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:  # inherited
        # Clients are killed while they listen: that is what the proofs are for.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(answer: Callable[[Call], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(answer(self._call()))

        def do_POST(self) -> None:
            size = min(int(self.headers.get("Content-Length", 0)), MESSAGE_BYTES_MAX)
            body = self.rfile.read(size)
            try:
                said = answer(self._call(_message(body)))
            except (ValueError, KeyError, TypeError):
                said = HTTPStatus.BAD_REQUEST, {"error": "not a message"}
            self._answer(said)

        do_PUT = do_POST  # noqa: N815  # the server's name

        def _call(self, message: Any = None) -> Call:
            parts = urlsplit(self.path)
            return Call(self.command, parts.path, dict(parse_qsl(parts.query)), message)

        def _answer(self, answer: Answer) -> None:
            if answer is None:
                self.close_connection = True
                return
            status, value = answer
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # inherited
            """Say nothing."""

    return Handler


def _message(body: bytes) -> Any:
    """Return what `body` says: whatever does not begin like JSON is a form."""
    if body.lstrip().startswith((b"{", b"[", b'"')):
        return json.loads(body)
    return dict(parse_qsl(body.decode()))
