"""How a stranger's JSON is read."""

from __future__ import annotations

import pytest

from processors.channels.parsed import json_object, text_of
from schemas.errors import PoisonError


def test_an_object_is_read_and_anything_else_is_poison() -> None:
    assert json_object(b'{"a": 1}', "the body") == {"a": 1}
    assert json_object({"a": 1}, "it") == {"a": 1}
    for wrong in (b"[1]", b"\xff", b"[" * 100_000, None, "x"):
        with pytest.raises(PoisonError, match="the body"):
            json_object(wrong, "the body")


def test_only_a_text_is_a_text() -> None:
    assert (text_of("a"), text_of(1), text_of(None)) == ("a", "", "")
