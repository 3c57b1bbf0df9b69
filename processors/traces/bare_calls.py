"""Calls without an `at`: `name(path:line)`, `name (path:line:column)`, `path:line:column`."""

from __future__ import annotations

import re

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found, inside_out
from processors.traces.heads import HEAD_LINES_MAX, head_of
from processors.traces.javascript import clean_name
from processors.traces.ruby import read_ruby_frame
from schemas.reports import Frame, StackTrace

_CALL = re.compile(
    r"\s{0,40}(?P<function>[\w$.<>/:+-]{1,500}(?: in [\w?!]{1,100})?) ?"
    r"\((?P<path>\(?[^\s()]{1,500}\)?):(?P<line>\d{1,9})(?P<column>:\d{1,9})?\)$"
)
_PLACE = re.compile(r"\s{0,40}(?P<path>[^\s:]{1,500}):(?P<line>\d{1,9}):\d{1,9}$")
_CALLS_MIN = 2


def read_bare_calls(lines: list[str], index: int, floor: int) -> Found:
    """Read a run of such lines, innermost first. One alone may be prose and is no trace."""
    start, buffer, columns, named = index, FrameBuffer(), 0, 0
    while index < len(lines):
        line = lines[index]
        call, place = _CALL.match(line), _PLACE.match(line)
        if call is not None:
            name = clean_name(call["function"])
            buffer.add(Frame(path=call["path"], line=int(call["line"]), function=name))
            named += 1
            columns += call["column"] is not None
        elif place is not None:
            buffer.add(Frame(path=place["path"], line=int(place["line"])))
        elif named and (frame := read_ruby_frame(line)) is not None:
            buffer.add(frame)  # ExecJS puts the calls of Ruby under those of the script.
        else:
            break
        index += 1
    frames = inside_out(buffer.all())
    if named < _CALLS_MIN:
        return (), max(index, start + 1)
    above = (lines[at] for at in range(start - 1, max(floor, start - HEAD_LINES_MAX) - 1, -1))
    head = next((head for line in above if (head := head_of(line)) and head.sure), None)
    ruby = any(frame.path.endswith(".rb") for frame in frames)
    trace = StackTrace(
        language="javascript" if columns else "ruby" if ruby else "java",
        exception=head.exception if head else "",
        message=head.message if head else "",
        frames=frames,
    )
    return (trace,), index


BARE_CALLS = Family("bare calls", _CALL, read_bare_calls)
