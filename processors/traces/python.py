"""Tracebacks of Python: chained, grouped, without their start or end, however they were pasted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from processors.trace_lines import CODE_CHARS_MAX, FrameBuffer
from processors.traces.base import Family, Found, joined
from processors.traces.heads import Role
from schemas.reports import Frame, StackTrace

HEADER = "Traceback (most recent call last)"
_GROUP = "Exception Group "
_START = re.compile(
    r"[^T]{0,1990}(?:Exception Group )?Traceback \(most recent call last\)"
    r'|\s{0,200}File "[^"]{1,1000}", line \d'
)
_FRAME = re.compile(
    r'File "(?P<path>[^"]{1,1000})", line (?P<line>\d{1,9})(?:, in (?P<function>.{1,300}))?'
)
_REPEATED = re.compile(r"\[Previous line repeated \d{1,9} more times?\]")
_MARKERS = re.compile(r"[\s~^]+$")
EXCEPTION = re.compile(r"(?P<type>[A-Za-z_][\w.<>]{0,199})(?::(?:\s(?P<message>.*))?)?$")
_SURE_EXCEPTION = re.compile(
    r"(?:\w{1,100}\.){0,20}[A-Z]\w{0,100}(?:Error|Exception|Warning|Group|Exit|Interrupt|Iteration"
    r"|Timeout|Failure|Fault)(?::\s|:?$)"
)
_MEMBER = re.compile(r"\s{0,200}\+-[+-]-{4,60} \d{1,6} -{4,60}$")
_LINKS: tuple[tuple[str, Role], ...] = (
    ("The above exception was the direct cause of", "cause"),
    ("During handling of the above exception", "context"),
)
_RUBY = re.compile(r"\s{0,60}\d{1,5}: from ")
_DIGITS = re.compile(r"\d")
_PREFIX_CHARS_MAX = 200


def link_of(line: str) -> Role | None:
    """Return what a line between two tracebacks says the upper one was to the lower one."""
    return next((role for sentence, role in _LINKS if sentence in line[:300]), None)


def read_python(lines: list[str], index: int, floor: int) -> Found:
    """Read one traceback, from its header on or, where that was cut off, from its first frame."""
    del floor
    line = lines[index]
    column = line.find(HEADER)
    if column < 0:
        rest = line.lstrip()
        prefix = line[: max(0, len(line) - len(rest) - 2)]
        trace, index = _read_python(lines, index, prefix)
    elif index + 1 < len(lines) and _RUBY.match(lines[index + 1]):
        return (), index + 1  # Ruby has the same header.
    else:
        trace, index = _read_python(lines, index + 1, line[:column])
    return ((trace,) if trace is not None else ()), index


def read_member(lines: list[str], index: int, floor: int) -> Found:
    """Read a member of a group that was never raised: it has a line of its own, and no frames."""
    del floor
    said = lines[index + 1].strip().removeprefix("|").strip() if index + 1 < len(lines) else ""
    match = _SURE_EXCEPTION.match(said) and EXCEPTION.match(said)
    if not match:
        return (), index + 1
    return (python_trace(match, (), role="member"),), index + 2


@dataclass(slots=True)
class Reading:
    """What has been read of one Python traceback."""

    prefix: str
    """What stands before each of its lines: indentation, or what a logger or a quote put there."""
    frames: FrameBuffer = field(default_factory=FrameBuffer)
    path: str = ""
    line: int = 0
    function: str = ""
    code: str = ""
    flat: bool = False
    """Whether the indentation was lost on the way, so that only the words tell lines apart."""

    def strip(self, line: str) -> str:
        """Return the line without its prefix."""
        width = len(self.prefix)
        if line.startswith(self.prefix):
            return line[width:]
        if len(line) >= width and _shape(line[:width]) == _shape(self.prefix):
            return line[width:]  # A time stamp: the same but for its digits.
        return line if self.prefix.strip() else line.lstrip()

    def open_frame(self, match: re.Match[str], rest: str) -> None:
        self.close_frame()
        before = rest[: match.start()]
        if before.strip():  # A prefix of another width than the header's.
            self.prefix = before[: max(0, len(before) - 2)][:_PREFIX_CHARS_MAX]
        self.flat = not before
        self.path = match["path"]
        self.line = int(match["line"])
        self.function = (match["function"] or "").strip()

    def close_frame(self) -> None:
        if self.path:
            self.frames.add(
                Frame(path=self.path, line=self.line, function=self.function, code=self.code)
            )
        self.path = self.code = ""

    def add_code(self, rest: str) -> None:
        text = rest.strip()
        if not self.code and not _MARKERS.match(text) and not _REPEATED.match(text):
            self.code = text[:CODE_CHARS_MAX]


def _read_python(lines: list[str], index: int, prefix: str) -> tuple[StackTrace | None, int]:
    # A member stands behind the bar of its group; the outermost group itself behind a plus.
    role: Role = "member" if prefix.removesuffix(_GROUP)[-4:].strip() == "|" else "raised"
    if prefix.endswith(_GROUP):
        # "  + Exception Group Traceback" goes on with "  |   File ...".
        prefix = prefix.removesuffix(_GROUP).replace("+", "|")
    reading = Reading(prefix[:_PREFIX_CHARS_MAX])
    exception: re.Match[str] | None = None
    while index < len(lines):
        rest = reading.strip(lines[index])
        frame, width = _frame(lines, index, rest)
        if frame is not None:
            reading.open_frame(frame, frame.string)
            index += width - 1
        elif not rest.strip():
            if not _goes_on(lines, index + 1, reading):
                break
        elif _is_code(rest, reading):
            reading.add_code(rest)
        else:
            exception = EXCEPTION.match(rest.strip())
            index += exception is not None
            break
        index += 1
    reading.close_frame()
    frames = reading.frames.all()
    if exception is None and len(frames) < 2:
        return None, index
    return python_trace(exception, frames, role=role), index


def _frame(lines: list[str], index: int, rest: str) -> tuple[re.Match[str] | None, int]:
    """Return the frame a line names, and how many lines it takes: mail programs break long ones."""
    frame = _FRAME.search(rest)
    if frame is None and rest.lstrip().startswith('File "'):
        for text in joined(lines, index) or ():
            frame = frame or _FRAME.search(rest[: len(rest) - len(rest.lstrip())] + text.lstrip())
        return frame, 2
    return frame, 1


def _goes_on(lines: list[str], index: int, reading: Reading) -> bool:
    """Tell whether a traceback goes on after one blank line, as in double-spaced pastes."""
    if index >= len(lines):
        return False
    rest = reading.strip(lines[index])
    if _FRAME.search(rest) is not None or _SURE_EXCEPTION.match(rest) is not None:
        return True
    wanted = not reading.code or _MARKERS.match(rest) is not None
    return bool(reading.path) and wanted and rest[:1].isspace() and bool(rest.strip())


def _is_code(rest: str, reading: Reading) -> bool:
    if HEADER in rest:
        return False
    if not reading.flat or _MARKERS.match(rest) is not None:
        return rest[:1].isspace() or reading.flat
    return not reading.code and _SURE_EXCEPTION.match(rest) is None


def python_trace(
    exception: re.Match[str] | None, frames: Sequence[Frame], *, role: Role = "raised"
) -> StackTrace:
    """Return the trace; without `exception` its end was cut off."""
    return StackTrace(
        language="python",
        exception=exception["type"] if exception else "",
        message=(exception["message"] or "").strip() if exception else "",
        frames=tuple(frames),
        role=role,
    )


def _shape(text: str) -> str:
    return _DIGITS.sub("0", text)


PYTHON = Family("Python", _START, read_python)
PYTHON_MEMBER = Family("Python, member of a group", _MEMBER, read_member)
