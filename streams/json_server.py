"""A small HTTP server that speaks JSON: the outside world of the demo and of the proofs."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

MESSAGE_BYTES_MAX = 256 * 1024

Answer = tuple[int, dict[str, Any]] | None
"""Status and body; None: the connection ends without a word."""


class Place(Protocol):
    """What answers. Called by many threads at once."""

    def post(self, message: Any) -> Answer:  # whatever JSON says
        """Take a message. Raises `ValueError`, `KeyError` or `TypeError` when it is none."""

    def get(self, key: str) -> Answer:
        """Return what was made of the message with this key."""


@contextmanager
def serving(place: Place) -> Iterator[str]:
    """Answer for `place` on a free port, at the yielded URL."""
    server = _Server(("127.0.0.1", 0), _handler(place))
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


def _handler(place: Place) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(place.get(parse_qs(urlsplit(self.path).query).get("key", [""])[0]))

        def do_POST(self) -> None:
            size = min(int(self.headers.get("Content-Length", 0)), MESSAGE_BYTES_MAX)
            try:
                answer = place.post(json.loads(self.rfile.read(size)))
            except (ValueError, KeyError, TypeError):
                answer = HTTPStatus.BAD_REQUEST, {"error": "not a message"}
            self._answer(answer)

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
