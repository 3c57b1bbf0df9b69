"""Traces of Go: the goroutine that panicked, and what it said."""

from __future__ import annotations

import re
from dataclasses import dataclass

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found, inside_out, joined
from schemas.reports import Frame, StackTrace

_START = re.compile(r"\s{0,40}goroutine \d{1,12}(?: gp=\S{1,30} m=\S{1,30}(?: mp=\S{1,30})?)? \[")
_PLACE = re.compile(
    r"\s{0,60}(?P<path>[^\s:][^:]{0,1000}?\.(?:go|s|c|cc|cgo1\.go)):(?P<line>\d{1,9})(?=\s|$)"
)
_WINDOWS = re.compile(
    r"\s{0,60}(?P<path>[A-Za-z]:[^:]{1,1000}?\.(?:go|s)):(?P<line>\d{1,9})(?=\s|$)"
)
_SAID = re.compile(
    r".{0,200}?(?P<type>panic|fatal error|fatal|http: panic serving [^ ]{1,100}|unexpected fault"
    r"|SIG[A-Z]{2,6}): (?P<message>.*)$"
)
_CREATED = re.compile(r"\s{0,40}created by (?P<function>\S{1,300})(?: in goroutine \d{1,12})?$")
_NAME = re.compile(r"[\w./*()\[\]{}-]{1,300}(?:\(.{0,500}\))?$")
_LINES_BACK_MAX = 12
_LISTED_MIN = 2


@dataclass(slots=True)
class _Reading:
    buffer: FrameBuffer
    function: str = ""


def read_goroutine(lines: list[str], index: int, floor: int) -> Found:
    """Read the calls of one goroutine (innermost first) and the panic shortly above it.

    The other goroutines of a dump say what else went on: no exception of theirs, so no trace.
    """
    said = _said(lines, index, floor)
    reading = _Reading(FrameBuffer())
    at = index + 1
    while at < len(lines) and not _START.match(lines[at]) and (width := _step(lines, at, reading)):
        at += width
    frames = inside_out(reading.buffer.all())
    if said is None or not frames:
        return (), at
    kind, message = said
    return (StackTrace(language="go", exception=kind, message=message, frames=frames),), at


def _step(lines: list[str], at: int, reading: _Reading) -> int:
    """Read the line at `at`; return how many lines it took, 0 at the end of the goroutine."""
    line = lines[at]
    if not line.strip():
        # A blank line ends it, unless every line of the paste is followed by one.
        doubled = at + 1 < len(lines) and reading.function and _place(lines[at + 1]) is not None
        opening = not reading.buffer.head and at + 1 < len(lines) and not reading.function
        return 1 if doubled or (opening and "(" in lines[at + 1]) else 0
    place = _place(line)
    if place is not None:
        path, number = place
        reading.buffer.add(Frame(path=path, line=number, function=reading.function))
        reading.function = ""
        return 1
    created = _CREATED.match(line)
    if created is not None:
        reading.function = created["function"]
        return 1
    called, opened, _ = line.strip().rpartition("(")
    if opened and called:
        reading.function = called[:300]
        return 1
    wrapped = joined(lines, at)
    if wrapped is not None and (place := _place(wrapped[0])) is not None:
        reading.buffer.add(Frame(path=place[0], line=place[1], function=reading.function))
        return 2
    return 1 if line.startswith("...") or reading.function else 0


def _place(line: str) -> tuple[str, int] | None:
    match = _PLACE.match(line) or _WINDOWS.match(line)
    return (match["path"], int(match["line"])) if match else None


def _said(lines: list[str], index: int, floor: int) -> tuple[str, str] | None:
    """Return what ended the program: of panics within panics the one that came first."""
    for at in range(index - 1, max(floor, index - _LINES_BACK_MAX) - 1, -1):
        line = lines[at]
        if _START.match(line):
            return None
        match = _SAID.match(line)
        again = _indent(line) > _indent(lines[index])  # A panic while the first one unwound.
        if match is None or again or line.lstrip().startswith("[signal "):
            continue
        kind = "panic" if match["type"].startswith("http: panic") else match["type"]
        return kind, match["message"].partition(" [recovered")[0].strip()
    return None


def read_listed(lines: list[str], index: int, floor: int) -> Found:
    """Read pairs of function and place as pkg/errors and zap log them, innermost first."""
    start, buffer = index, FrameBuffer()
    at = index
    while at < len(lines) and (place := _place(lines[at])) is not None:
        name = lines[at - 1].strip() if at - 1 >= floor else ""
        if _NAME.match(name) is None:
            break
        buffer.add(Frame(path=place[0], line=place[1], function=name.partition("(0x")[0]))
        at += 2
    frames = inside_out(buffer.all())
    if len(frames) < _LISTED_MIN:
        return (), max(at, start + 1)
    above = lines[start - 2].strip() if start - 2 >= floor else ""
    return (StackTrace(language="go", exception="", message=above[:500], frames=frames),), at - 1


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


GO_LISTED = Family(
    "Go, listed",
    re.compile(r"\s{1,60}[^\s:][^:]{0,1000}?\.go:\d{1,9}(?: \+0x[0-9a-f]{1,16})?$"),
    read_listed,
)
GO = Family("Go", _START, read_goroutine)
