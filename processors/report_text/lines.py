"""A report's text as lines, each told apart from code: what a fence holds is never a heading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

TEXT_CHARS_MAX = 1_000_000
LINES_MAX = 10_000
LINE_CHARS_MAX = 2_000

_FENCE = re.compile(
    r"[ \t]{0,12}(?:(?:[-*+]|\d{1,3}[.)])[ \t]{1,4})?(?P<mark>`{3,}|~{3,})(?P<info>[^`]{0,200})$"
)
_JIRA = re.compile(r"[ \t]{0,12}\{(?P<name>code|noformat)(?::[^{}\n]{0,200})?\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. A `fence` is the mark around code, not a part of it."""

    text: str
    kind: Literal["text", "code", "fence"] = "text"


def read_lines(text: str) -> list[Line]:
    """Return the first `LINES_MAX` lines of `text`, each cut to `LINE_CHARS_MAX`. Never raises."""
    found: list[Line] = []
    closer: str | None = None
    text = text[:TEXT_CHARS_MAX].replace("\r\n", "\n")
    for raw in text.split("\n", LINES_MAX)[:LINES_MAX]:
        line = raw[:LINE_CHARS_MAX].rstrip()
        if closer is not None:
            ends = _closes(line, closer)
            found.append(Line(line, "fence" if ends else "code"))
            closer = None if ends else closer
            continue
        opened = _opening(line)
        found.append(Line(line, "text" if opened is None else "fence"))
        closer = opened or None
    return found


def _opening(line: str) -> str | None:
    """Return what closes the block that `line` opens; "" for one that it closes itself."""
    if "`" in line or "~" in line:
        fence = _FENCE.match(line)
        return fence["mark"] if fence else None
    if "{" not in line:
        return None
    jira = _JIRA.match(line)
    if jira is None:
        return None
    mark = "{" + jira["name"].lower() + "}"
    return "" if mark in line[jira.end() :].lower() else mark


def _closes(line: str, closer: str) -> bool:
    if closer.startswith("{"):
        return closer in line.lower()
    bare = line.strip()
    return bare.startswith(closer) and not bare.strip(closer[0])
