"""What the readers of the languages share: their shape, and the one way to end a reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from schemas.reports import Frame, StackTrace

Found: TypeAlias = tuple[Sequence[StackTrace], int]
"""The traces read, in printed order, and the line to look on at. None read: where to look on."""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of trace: which lines may start it (or its calls), and who reads it from there.

    `read(lines, index, floor)` may look above `index` for the exception, but not above `floor`,
    where the trace before ended. It returns a line after `index`.
    """

    name: str
    start: re.Pattern[str]
    """Matched at the start of a line; must not be able to look at a character often."""
    read: Callable[[list[str], int, int], Found]


def joined(lines: list[str], index: int) -> tuple[str, str] | None:
    """Return a line with the next, without and with a space: a mail program may have broken it."""
    if index + 1 >= len(lines) or not lines[index + 1].strip():
        return None
    line, following = lines[index].rstrip(), lines[index + 1].strip()
    return line + following, f"{line} {following}"


def next_filled(lines: list[str], index: int, blanks_max: int = 1) -> int:
    """Return the index of the first line from `index` on that is not blank, past few blanks."""
    for blanks in range(blanks_max + 1):
        if index + blanks >= len(lines) or lines[index + blanks].strip():
            return index + blanks
    return index + blanks_max


def inside_out(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Return frames printed innermost first in our order, outermost first."""
    return tuple(reversed(frames))
