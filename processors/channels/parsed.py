"""What a channel's parser understands of one delivery, and how it reads a stranger's JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.errors import PoisonError
from schemas.raw import RawReceived
from schemas.reports import Happened, Severity


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a channel's parser understood, before traces, severity and project are added."""

    title: str
    text: str
    account: str
    association: str = ""
    severity: Severity = Severity.UNKNOWN
    severity_reason: str = ""
    closed: bool = False
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    url: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    steps: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    comment: bool = False
    note: str = ""
    """Of a comment that nobody wrote: what happened, in a sentence of ours."""
    bug: str = ""
    """The bug that a comment belongs to, such as `BUG-2026-7F3K2`, where its item is no report."""
    happened: Happened | None = None
    attachments: tuple[str, ...] = ()
    """Addresses or names of files that came with it. Naming one fetches nothing."""


Parser = Callable[[RawReceived, bytes], Parsed | None]
"""Raw event and its bytes -> what it says; None where it speaks of no bug.

Raises `PoisonError` for bytes that nobody can ever understand.
"""


def json_object(value: object, where: str) -> dict[str, Any]:
    """Return the object in `value`, JSON bytes or read already. Raises `PoisonError`."""
    if isinstance(value, bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise PoisonError(f"{where} is not JSON") from error
    if not isinstance(value, dict):
        raise PoisonError(f"{where} is not a JSON object")
    return value


def text_of(value: object) -> str:
    """Return `value` if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""
