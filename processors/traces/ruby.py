"""Traces of Ruby and Rails, in either order of printing, and those Oracle hands to its clients."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found, inside_out, next_filled
from processors.traces.heads import HEAD_LINES_MAX, Head, Role, head_of
from schemas.reports import Frame, StackTrace

_LEAD = r"\s{0,60}(?:# )?(?:\d{1,5}: )?(?:from )?"
_IN = re.compile(
    rf"{_LEAD}(?P<path>(?:[A-Za-z]:[/\\]|uri:|<internal:)?[^\s:'\"`][^:'\"`]{{0,500}})"
    r":(?:(?P<line>\d{1,9}):)?in [`'](?P<function>[^'`]{0,300})['`](?:: (?P<said>.*))?$"
)
_FROM = re.compile(
    r"\s{0,60}(?:# |from )?(?P<path>(?:[A-Za-z]:[/\\])?[^\s:'\"`][^:'\"`]{0,500}):(?P<line>\d{1,9})"
    r"(?::in (?P<function>[^\s'`]{1,200}))?$"
)
_START = re.compile(rf"{_LEAD}(?:[A-Za-z]:)?[^:]{{1,520}}:(?:\d{{1,9}}:)?in [`']")
_RAISED = re.compile(r"(?P<message>.*) \((?P<type>(?:[A-Z]\w{0,100}::){0,10}[A-Z]\w{0,100})\)$")
_RAILS = re.compile(
    r"\s{0,40}(?P<type>(?:[A-Z]\w{0,100}::){0,10}[A-Z]\w{0,100}) \((?P<message>.*?)\):?\s*$"
)
_SHOWN_LINES_MAX = 8
_TURNED = re.compile(r"\s{0,60}\d{1,5}: from ")
_CAUSES = re.compile(r"\s{0,20}Caus(?:ed by|es):?$")


def read_ruby_frame(line: str) -> Frame | None:
    """Return the frame of ``path:line:in `name'``; None when the line is none."""
    match = _IN.match(line)
    if match is None:
        return None
    number = int(match["line"]) if match["line"] else None
    return Frame(path=match["path"].strip(), line=number, function=match["function"])


@dataclass(slots=True)
class _Reading:
    buffer: FrameBuffer = field(default_factory=FrameBuffer)
    said: str = ""
    """What stands behind the place of the raise: message and type."""


def read_ruby(lines: list[str], index: int, floor: int) -> Found:
    """Read a run of places, innermost first (Ruby before 2.5, from 3.0 on, Rails, test runners)."""
    start, reading = index, _Reading()
    while index < len(lines):
        line = lines[index]
        match = _IN.match(line)
        frame = read_ruby_frame(line)
        if frame is None and reading.buffer.head:
            frame = _unnamed(line)
        if frame is None or match is None:
            if frame is None and (ahead := _ahead(lines, index, said=bool(reading.said))) is None:
                break
            index = index if frame is not None else (ahead or index) - 1
        elif match["said"]:
            if reading.buffer.head:  # The next trace begins: its own line names its error.
                break
            reading.said = match["said"]
        if frame is not None:
            reading.buffer.add(frame)
        index += 1
    frames = inside_out(reading.buffer.all())
    if not frames:
        return (), max(index, start + 1)
    return (_trace(_head(lines, start, floor, reading.said), frames),), index


def _ahead(lines: list[str], index: int, *, said: bool) -> int | None:
    """Return where the next place is, past a blank line or the code that Ruby 3.4 shows."""
    if said:
        ahead = range(index, min(len(lines), index + _SHOWN_LINES_MAX))
        return next((at for at in ahead if lines[at].lstrip().startswith("from ")), None)
    following = next_filled(lines, index)
    if following == index or following >= len(lines) or not _IN.match(lines[following]):
        return None
    return following


def _unnamed(line: str) -> Frame | None:
    match = _FROM.match(line)
    if match is None:
        return None
    return Frame(path=match["path"], line=int(match["line"]), function=match["function"] or "")


def read_turned(lines: list[str], index: int, floor: int) -> Found:
    """Read what Ruby 2.5 to 2.7 print on a terminal: a header, the calls outermost first."""
    del floor
    buffer, start = FrameBuffer(), index
    while index < len(lines) and _TURNED.match(lines[index]):
        frame = read_ruby_frame(lines[index]) or _unnamed(lines[index].partition(": ")[2])
        if frame is not None:
            buffer.add(frame)
        index += 1
    match = _IN.match(lines[index]) if index < len(lines) else None
    if match is None:
        return (), max(index, start + 1)
    last = read_ruby_frame(lines[index])
    frames = (*buffer.all(), last) if last else buffer.all()
    return (_trace(_said(match["said"] or ""), frames),), index + 1


def _head(lines: list[str], start: int, floor: int, said: str) -> Head:
    if said:
        return _said(said)
    role: Role = "raised"
    head = Head("")
    for at in range(start - 1, max(floor, start - HEAD_LINES_MAX) - 1, -1):
        if _START.match(lines[at]):
            break
        if _CAUSES.match(lines[at]):
            role = "cause"
            break
        if head.exception:
            if lines[at].strip():
                break
            continue
        head = _named(lines[at]) or head
        if head.exception and not head.message and at + 1 < start:
            head = Head(head.exception, lines[at + 1].strip())  # As RSpec prints it.
    return Head(head.exception, head.message, role)


def _said(said: str) -> Head:
    raised = _RAISED.match(said)
    return Head(raised["type"], raised["message"]) if raised else Head("", said)


def _named(line: str) -> Head | None:
    rails = _RAILS.match(line)
    if rails is not None:
        return Head(rails["type"], rails["message"])
    head = head_of(line)
    return head if head is not None and head.sure else None


def _trace(head: Head, frames: Sequence[Frame]) -> StackTrace:
    return StackTrace(
        language="ruby",
        exception=head.exception,
        message=head.message,
        frames=tuple(frames),
        role=head.role,
    )


_ORACLE = re.compile(
    r"\s{0,40}ORA-\d{5}: at (?:\"(?P<name>[^\"]{1,200})\", )?line (?P<line>\d{1,9})$"
)
_ORACLE_ERROR = re.compile(r"\s{0,40}.{0,200}?(?P<type>ORA-\d{5}): (?!at )(?P<message>.*)$")


def read_oracle(lines: list[str], index: int, floor: int) -> Found:
    """Read the calls of PL/SQL, which have names and no files, innermost first."""
    start, buffer = index, FrameBuffer()
    while index < len(lines) and (match := _ORACLE.match(lines[index])):
        buffer.add(Frame(path="", line=int(match["line"]), function=match["name"] or ""))
        index += 1
    while index < len(lines) and (frame := _unnamed(lines[index])) is not None:
        buffer.add(frame)  # The client's own calls, below those of the database.
        index += 1
    head = _ORACLE_ERROR.match(lines[start - 1]) if start > floor else None
    trace = StackTrace(
        language="plsql",
        exception=head["type"] if head else "",
        message=head["message"] if head else "",
        frames=inside_out(buffer.all()),
    )
    return (trace,), index


RUBY_TURNED = Family("Ruby, outermost first", _TURNED, read_turned)
RUBY = Family("Ruby", _START, read_ruby)
ORACLE = Family("PL/SQL", _ORACLE, read_oracle)
