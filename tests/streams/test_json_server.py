"""What the demo and the proofs post to."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import RemoteDisconnected
from typing import Any

import pytest

from streams.json_server import Answer, serving


class Shelf:
    """Keeps one message; forgets to answer when told so."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def post(self, message: dict[str, Any]) -> Answer:
        self.kept = {"key": message["key"]}
        return None if message.get("silent") else (201, self.kept)

    def get(self, key: str) -> Answer:
        return (200, self.kept) if self.kept.get("key") == key else (404, {})


def ask(url: str, body: bytes | None = None) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, data=body, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_what_is_posted_can_be_asked_for() -> None:
    with serving(Shelf()) as url:
        assert ask(f"{url}?key=a") == (404, {})
        assert ask(url, b'{"key": "a"}') == (201, {"key": "a"})
        assert ask(f"{url}?key=a") == (200, {"key": "a"})


@pytest.mark.parametrize("body", [b"no JSON", b"{}", b"[]", b"\xff"])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with serving(Shelf()) as url:
        assert ask(url, body)[0] == 400


def test_a_place_may_take_a_message_and_not_answer() -> None:
    shelf = Shelf()
    with serving(shelf) as url, pytest.raises(RemoteDisconnected):
        ask(url, b'{"key": "a", "silent": true}')

    assert shelf.kept == {"key": "a"}
