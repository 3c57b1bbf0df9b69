"""Where the demo's answers go: each message is kept once, however often it is posted."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from streams.json_server import Answer, serving


@dataclass(frozen=True, slots=True)
class Received:
    """One message, as it was posted."""

    key: str
    origin: str
    text: str


class AnswerBox:
    """Takes what the webhook messenger posts. Serves at `url` while it is open."""

    def __init__(self) -> None:
        self._received: dict[str, Received] = {}
        self._lock = threading.Lock()
        self._open = ExitStack()
        self.url = ""

    def __enter__(self) -> Self:
        self.url = self._open.enter_context(serving(self))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def received(self) -> list[Received]:
        """Return what was posted, in order."""
        with self._lock:
            return list(self._received.values())

    def post(self, message: dict[str, Any]) -> Answer:
        """Keep `message`, and return its key as the receipt."""
        origin = f"{message['channel']}:{message['container']}#{message['item']}"
        kept = Received(str(message["key"]), origin, str(message["text"]))
        with self._lock:
            self._received.setdefault(kept.key, kept)
        return HTTPStatus.CREATED, {"receipt": kept.key}

    def get(self, key: str) -> Answer:
        """Return the receipt of the message with this key."""
        with self._lock:
            if key in self._received:
                return HTTPStatus.OK, {"receipt": key}
        return HTTPStatus.NOT_FOUND, {"error": "no such key"}
