"""Old versions of events, lifted to the newest on read. Bytes in the log are never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
Upcaster = Callable[[Json], Json]

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""(type, version) -> a pure function to version + 1. Empty until a type gets its second version."""


def upcast(value: Json, *, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS) -> Json:
    """Return `value` at the newest version its upcasters lead to."""
    while step := upcasters.get((str(value.get("type")), int(value.get("version", 1)))):
        before = int(value.get("version", 1))
        value = step(dict(value)) | {"version": before + 1}
    return value
