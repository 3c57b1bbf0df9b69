"""Where the demo's answers go: a small HTTP server that keeps each message once."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

MESSAGE_BYTES_MAX = 256 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """One message, as it was posted."""

    key: str
    origin: str
    text: str


class AnswerBox:
    """Takes what the webhook messenger posts. Serves while it is open, on a free port."""

    def __init__(self) -> None:
        self._received: dict[str, Received] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, name="answers")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Return where to post."""
        return f"http://127.0.0.1:{self._server.server_port}/answers"

    @property
    def received(self) -> list[Received]:
        """Return what was posted, in order."""
        with self._lock:
            return list(self._received.values())

    def _keep(self, message: dict[str, Any]) -> Received:
        origin = f"{message['channel']}:{message['container']}#{message['item']}"
        kept = Received(str(message["key"]), origin, str(message["text"]))
        with self._lock:
            return self._received.setdefault(kept.key, kept)

    def _find(self, key: str) -> Received | None:
        with self._lock:
            return self._received.get(key)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = parse_qs(urlsplit(self.path).query).get("key", [""])[0]
                found = box._find(key)
                if found is None:
                    self._answer(HTTPStatus.NOT_FOUND, {"error": "no such key"})
                else:
                    self._answer(HTTPStatus.OK, {"receipt": found.key})

            def do_POST(self) -> None:
                size = min(int(self.headers.get("Content-Length", 0)), MESSAGE_BYTES_MAX)
                try:
                    kept = box._keep(json.loads(self.rfile.read(size)))
                except (ValueError, KeyError, TypeError):
                    self._answer(HTTPStatus.BAD_REQUEST, {"error": "not a message"})
                    return
                self._answer(HTTPStatus.CREATED, {"receipt": kept.key})

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # inherited
                del format, args

            def _answer(self, status: HTTPStatus, value: dict[str, str]) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
