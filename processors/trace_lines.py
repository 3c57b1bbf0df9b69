"""What the readers of traces and snippets share: lines without quote marks, and bounded lists."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from schemas.reports import Frame

TEXT_CHARS_MAX = 2_000_000
LINE_CHARS_MAX = 2_000
TRACES_MAX = 50
FRAMES_MAX = 200
"""Of one trace. Of a longer one (endless recursion) the outermost and the innermost half stay."""
CODE_CHARS_MAX = 500

# `>>> ` is a Python prompt, not a quote three levels deep.
_QUOTE = re.compile(r"(?: {0,3}>(?!>> ) ?){1,10}+")


def lines_of(text: str) -> list[str]:
    """Return the lines of the first `TEXT_CHARS_MAX` characters, each cut, quote marks removed."""
    return [unquote(line) if line else line for line in text[:TEXT_CHARS_MAX].split("\n")]


def unquote(line: str) -> str:
    """Return the line, cut and without the marks mail and Markdown put before what they quote."""
    line = line[:LINE_CHARS_MAX].rstrip()
    if line[:4].lstrip(" ")[:1] != ">":
        return line
    quote = _QUOTE.match(line)
    return line[quote.end() :] if quote else line


@dataclass(slots=True)
class FrameBuffer:
    """Frames in the order they are read, the middle of too many left out."""

    head: list[Frame] = field(default_factory=list)
    tail: deque[Frame] = field(default_factory=lambda: deque(maxlen=FRAMES_MAX // 2))

    def add(self, frame: Frame) -> None:
        """Take one more frame."""
        if len(self.head) < FRAMES_MAX // 2:
            self.head.append(frame)
        else:
            self.tail.append(frame)

    def all(self) -> tuple[Frame, ...]:
        """Return what is kept, in the order read."""
        return (*self.head, *self.tail)
