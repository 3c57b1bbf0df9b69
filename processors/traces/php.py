"""Traces of PHP: uncaught exceptions with their chain, Laravel's log, Xdebug's tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found, inside_out, joined
from processors.traces.heads import Role
from schemas.reports import Frame, StackTrace

_NAME = r"\\?(?:[A-Za-z_]\w{0,100}\\){0,20}[A-Za-z_]\w{0,100}"
_CALL = re.compile(
    r"\s{0,40}#\d{1,6} "
    r"(?:(?P<path>(?:[A-Za-z]:|phar://)?[^:()]{1,600})\((?P<line>\d{1,9})\)(?:: |$)"
    r"|(?P<internal>\[internal function\]: )|(?P<main>\{main\}))(?P<call>.{0,1000})$"
)
_OLD_HEAD = re.compile(
    rf".{{0,300}}?exception '(?P<type>{_NAME})' with message '(?P<message>.{{0,1500}})'"
)
_HEAD = re.compile(
    rf"(?:.{{0,300}}?Uncaught (?:exception )?|(?P<next>Next )|.{{0,1000}}?\[object\] \()"
    rf"(?P<type>{_NAME})(?:\(code: [^()]{{1,40}}\))?: (?P<message>.*)$"
)
_LINE = re.compile(r"(?::| on line )(?P<line>\d{1,9})[)\"]{0,2}$")
_LINE_CHARS_MAX = 30
_PLAIN = re.compile(
    r"(?:PHP )?(?P<type>(?:Fatal|Parse|Recoverable fatal) error|Warning|Notice|Deprecated):\s{1,4}"
    r"(?P<message>.{1,1500}) in (?P<path>/\S{1,600}|[A-Za-z]:\\.{1,600}) on line (?P<line>\d{1,9})$"
)
_XDEBUG = re.compile(
    r"(?:PHP)?\s{1,10}\d{1,5}\. (?P<call>\S.{0,600}) (?P<path>\S{1,600}):(?P<line>\d{1,9})$"
)
_START = re.compile(
    r"\s{0,40}#\d{1,6} (?:[^:()]{1,600}|[A-Za-z]:[^:()]{1,600})\(\d{1,9}\)(?:: |$)"
    r"|\s{0,40}#\d{1,6} (?:\[internal function\]: |\{main\})"
)
_LINES_BACK_MAX = 8
_CALLS_MAX = 100


@dataclass(slots=True)
class _Thrown:
    """What the lines above the calls say: the exception, and where it was thrown."""

    exception: str = ""
    message: str = ""
    path: str = ""
    line: int = 0
    role: Role = "raised"


@dataclass(slots=True)
class _Reading:
    """Places wait for the next line, which names the function that they are in."""

    buffer: FrameBuffer = field(default_factory=FrameBuffer)
    path: str = ""
    line: int | None = None

    def move(self, path: str, line: int | None, called: str) -> None:
        """Take the place of a call; `called` is the function the place before it is in."""
        if self.path or self.line is not None:
            self.buffer.add(Frame(path=self.path, line=self.line, function=called))
        self.path, self.line = path, line


def read_php(lines: list[str], index: int, floor: int) -> Found:
    """Read the `#0 file(line): call()` lines, innermost first, and the exception above them.

    PHP names the callee behind the place of the call; the frame at that place is in the function
    that the next line names.
    """
    thrown = _thrown(lines, index, floor)
    reading, start, ended = _Reading(path=thrown.path, line=thrown.line or None), index, False
    while index < len(lines) and not ended:
        match = _CALL.match(lines[index])
        width = 1
        wrapped = joined(lines, index) if match is None and "#" in lines[index][:40] else None
        if wrapped is not None:
            match, width = _CALL.match(wrapped[1]) or _CALL.match(wrapped[0]), 2
        if match is None:
            break
        ended = bool(match["main"])
        number = int(match["line"]) if match["line"] else None
        reading.move(match["path"] or "", number, _called(match["call"]))
        index += width
    reading.move("", None, "")
    frames = inside_out(reading.buffer.all())
    if any((frame.path, frame.line) == (thrown.path, thrown.line) for frame in frames[:-1]):
        # An error handler threw in place of the code: its own calls are the innermost.
        frames = frames[:-1]
    if not frames or not (thrown.exception or ended or len(frames) > 1):
        return (), max(index, start + 1)
    trace = StackTrace(
        language="php",
        exception=thrown.exception,
        message=thrown.message,
        frames=frames,
        # The chain is printed root first; what wraps an exception begins with "Next".
        role="cause" if _goes_on(lines, index) else thrown.role,
    )
    return (trace,), index


def _called(call: str) -> str:
    return call.partition("(")[0].strip()[:300]


def _goes_on(lines: list[str], index: int) -> bool:
    for at in range(index, min(len(lines), index + 3)):
        if lines[at].startswith("Next ") and _HEAD.match(lines[at]):
            return True
    return False


def _thrown(lines: list[str], index: int, floor: int) -> _Thrown:
    thrown = _Thrown()
    for at in range(index - 1, max(floor, index - _LINES_BACK_MAX) - 1, -1):
        line = lines[at]
        if _CALL.match(line):
            break
        _, path, number = _place(line)
        if not thrown.path:
            thrown.path, thrown.line = path, number
        head = _OLD_HEAD.match(line) or _HEAD.match(line)
        if head is not None:
            thrown.exception = head["type"].removeprefix("\\")
            thrown.message = _place(head["message"])[0]
            break
    return thrown


def _place(text: str) -> tuple[str, str, int]:
    """Return what stands before `in path:line` or `at path:line`, the path, and the line."""
    end = _LINE.search(text, max(0, len(text) - _LINE_CHARS_MAX))
    mark = max((" in ", " at "), key=text.rfind) if end else " in "
    before, found, path = text[: end.start() if end else 0].rpartition(mark)
    return (before, path, int(end["line"])) if end and found else (text, "", 0)


def read_plain(lines: list[str], index: int, floor: int) -> Found:
    """Read an error PHP reports with one place, and the table of calls Xdebug puts under it."""
    del floor
    match = _PLAIN.match(lines[index])
    if match is None or "Uncaught" in lines[index]:
        return (), index + 1
    index += 1
    if index < len(lines) and "Stack trace" in lines[index]:
        index += 1
    calls: list[re.Match[str]] = []
    while index < len(lines) and len(calls) < _CALLS_MAX:
        call = _XDEBUG.match(lines[index])
        if call is None:
            break
        calls.append(call)
        index += 1
    callers = zip([""] + [_called(c["call"]) for c in calls], calls, strict=False)
    frames = [Frame(path=c["path"], line=int(c["line"]), function=f) for f, c in callers]
    last = _called(calls[-1]["call"]) if calls else ""
    frames.append(Frame(path=match["path"], line=int(match["line"]), function=last))
    trace = StackTrace(
        language="php", exception=match["type"], message=match["message"], frames=tuple(frames)
    )
    return (trace,), index


PHP = Family("PHP", _START, read_php)
PHP_PLAIN = Family(
    "PHP, one place", re.compile(r"(?:PHP )?[A-Z][a-z]{4,12}(?: fatal)?(?: error)?:\s"), read_plain
)
