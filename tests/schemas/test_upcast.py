from __future__ import annotations

from typing import Any

from schemas.upcast import upcast


def test_an_old_version_is_lifted_step_by_step() -> None:
    def rename(value: dict[str, Any]) -> dict[str, Any]:
        value["title"] = value.pop("name")
        return value

    def add(value: dict[str, Any]) -> dict[str, Any]:
        return value | {"labels": []}

    steps = {("x", 1): rename, ("x", 2): add}

    lifted = upcast({"type": "x", "version": 1, "name": "n"}, upcasters=steps)

    assert lifted == {"type": "x", "version": 3, "title": "n", "labels": []}


def test_the_bytes_as_written_are_not_touched() -> None:
    written = {"type": "x", "name": "n"}

    upcast(written, upcasters={("x", 1): lambda v: v | {"name": "other"}})

    assert written == {"type": "x", "name": "n"}
