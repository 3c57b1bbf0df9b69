"""Failures of Python as pytest and IPython print them, which is not how Python does."""

from __future__ import annotations

import re

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found
from processors.traces.python import EXCEPTION, HEADER, Reading, python_trace
from schemas.reports import Frame

_PYTEST_FRAME = re.compile(
    r"(?P<path>[^\s:]{1,1000}\.py):(?P<line>\d{1,9}):"
    r"(?: in (?P<function>\S{1,300})| (?P<exception>\w{1,200}))?$"
)
_IPYTHON_FRAME = re.compile(
    r"(?:File )?(?P<path>\S.{0,1000}?)(?::(?P<line>\d{1,9}), in (?P<function>[^(]{1,300})"
    r"|, line (?P<cell_line>\d{1,9})$)"
)
_IPYTHON_CODE = re.compile(r"-{1,9}> ?\d{1,9} (?P<code>.*)$")
_PYTEST_END = re.compile(r"(?:_{3,} \S.{0,300} _{3,}|=====*|-----*)")
_GAP_LINES_MAX = 60
"""Source lines pytest and IPython may show between two places of one failure."""


def read_ipython(lines: list[str], index: int, floor: int) -> Found:
    """Read a trace as IPython and Jupyter print it: the type stands first, the message last."""
    del floor
    name = lines[index].split()[0]
    reading = Reading("")
    index += 1
    after = index
    exception: re.Match[str] | None = None
    while exception is None and index < min(len(lines), after + _GAP_LINES_MAX):
        line = lines[index]
        index += 1
        frame, code = _IPYTHON_FRAME.match(line), _IPYTHON_CODE.match(line)
        if HEADER in line:
            break
        if line.startswith(name):
            exception = EXCEPTION.match(line)
        elif code is not None:
            reading.add_code(code["code"])
        elif frame is not None:
            reading.close_frame()
            reading.path, reading.function = frame["path"], frame["function"] or ""
            reading.line = int(frame["line"] or frame["cell_line"])
        else:
            continue
        after = index
    reading.close_frame()
    if exception is None or not reading.frames.all():
        return (), after
    return (python_trace(exception, reading.frames.all()),), after


def read_pytest(lines: list[str], index: int, floor: int) -> Found:
    """Read one failure as pytest prints it: `path:line: in name` lines, and what `E` lines say."""
    del floor
    buffer = FrameBuffer()
    said = ""
    after = index  # Where to look on: behind the last line that was of this failure.
    while index < min(len(lines), after + _GAP_LINES_MAX):
        line = lines[index]
        index += 1
        if _PYTEST_END.match(line) or HEADER in line:
            break
        frame = _PYTEST_FRAME.match(line)
        if frame is not None:
            function = frame["function"] or ""
            buffer.add(Frame(path=frame["path"], line=int(frame["line"]), function=function))
            after = index
            if frame["exception"]:
                break
        elif line.startswith("E  "):
            said = said or line[1:].strip()
            after = index
    after = max(after, 1)
    if not said or not buffer.all():
        return (), after
    match = EXCEPTION.match(said) or EXCEPTION.match(f"AssertionError: {said}")
    return (python_trace(match, buffer.all()),), after


IPYTHON = Family(
    "IPython",
    re.compile(r"[A-Za-z_][\w.]{0,200}\s{2,200}Traceback \(most recent call last\)$"),
    read_ipython,
)
PYTEST = Family("pytest", re.compile(r"E  |[^\s:]{1,1000}\.py:\d"), read_pytest)
