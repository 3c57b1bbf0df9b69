"""Backtraces of C and C++: gdb and lldb, the sanitizers, glibc, failed assertions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found, inside_out
from processors.traces.heads import Head
from schemas.reports import Frame, StackTrace

_ADDRESS = r"(?:0x[0-9a-f]{1,16})"
_NUMBER = re.compile(r"[\s*]{0,40}(?:frame )?#\d{1,6}:? {1,4}")
_FIRST = re.compile(r"[\s*]{0,40}(?:frame )?#0:? ")
_CALL = re.compile(
    rf"[\s*]{{0,40}}(?:frame )?#\d{{1,6}}:? {{1,4}}(?:{_ADDRESS} )?(?:in {{1,3}})?"
    r"(?P<rest>\S.{0,1800})$"
)
_AT = re.compile(
    r" (?:at|from) (?P<path>(?:[A-Za-z]:)?[^\s:][^:]{0,600})(?::(?P<line>\d{1,9}))?(?::\d{1,9})?$"
)
_SANITIZER_PLACE = re.compile(
    r" (?P<path>(?:[A-Za-z]:)?[^\s:()]{1,600}):(?P<line>\d{1,9})(?::\d{1,9})?$"
)
_MODULE = re.compile(
    r" \((?P<path>[^()]{1,600})\+0x[0-9a-f]{1,16}\)(?: \(BuildId: [0-9a-f]{1,80}\))?$"
)
_GLIBC = re.compile(
    r"\s{0,40}(?P<path>[^\s()\[\]]{1,600})\((?P<function>[^()+]{0,400})(?:\+0x[0-9a-f]{1,16})?\)"
    r" ?\[0x[0-9a-f]{1,16}\]$"
)
_SIGNAL = re.compile(
    r".{0,300}?(?:received signal|terminated with signal|stop reason = signal) "
    r"(?P<type>SIG[A-Z]{2,8})(?:[,:] ?(?P<message>.*?))?\.?$"
)
_SANITIZER = re.compile(
    r".{0,100}?(?:ERROR|WARNING): "
    r"(?:Address|Leak|Memory|Thread|HWAddress|UndefinedBehavior)Sanitizer: "
    r"(?P<type>detected memory leaks|data race|[\w-]{1,60})(?P<message>.*)$"
)
_THROWN = re.compile(
    r".{0,200}?terminate called after throwing an instance of '(?P<type>[^']{1,200})'"
)
_WHAT = re.compile(r"\s{0,20}what\(\):\s{1,4}(?P<message>.*)$")
_GLIBC_HEAD = re.compile(
    r"\*\*\* (?:Error in .{0,300}?: )?(?P<message>.{1,300}?)(?:: 0x[0-9a-f]{1,16})? ?\*\*\*"
)
_OTHER = re.compile(
    r"\s{0,20}(?:freed by thread|previously allocated by|allocated by|previously (?:read|write)"
    r"|previous (?:read|write)|Thread T?\d{1,6}.{0,60}created by|Uninitialized value was)",
    re.IGNORECASE,
)
_PLACED = re.compile(
    r"\s{0,20}(?:[^\s:]{1,200}: )?"
    r"(?P<path>[^\s:]{1,600}\.(?:c|cc|cpp|cxx|h|hh|hpp|m|mm)):(?P<line>\d{1,9})(?::\d{1,9})?: "
    r"(?:(?P<ubsan>runtime error: .*)|(?P<function>[^:`](?:[^`]{0,600}[^:`])?): "
    r"Assertion [`'](?P<asserted>.{1,600})' failed)"
)
_START = re.compile(
    rf"[\s*]{{0,40}}(?:frame )?#\d{{1,6}}:? {{1,4}}(?:{_ADDRESS} |[A-Za-z_~<(?])"
    r"|\s{0,40}[^\s()\[\]]{1,600}\([^()]{0,420}\) ?\[0x"
)
_HEAD_LINES_MAX = 20
_FRAMES_MIN = 2
_WRAPPED_MAX = 4


def read_native(lines: list[str], index: int, floor: int) -> Found:
    """Read the numbered calls of a debugger or sanitizer, or glibc's, innermost first."""
    start, buffer = index, FrameBuffer()
    while index < len(lines):
        # gdb lists all threads without a line between them: number 0 begins the next.
        if index > start and _FIRST.match(lines[index]):
            break
        frame, width = _frame(lines, index)
        if frame is None:
            break
        buffer.add(frame)
        index += width
    frames = inside_out(buffer.all())
    head = _head(lines, start, floor)
    placed = sum(frame.line is not None for frame in frames)
    if not frames or not (head.exception or (len(frames) >= _FRAMES_MIN and placed)):
        return (), max(index, start + 1)
    trace = StackTrace(
        language="c",
        exception=head.exception,
        message=head.message,
        frames=frames,
        role=head.role,
    )
    return (trace,), index


def _frame(lines: list[str], index: int) -> tuple[Frame | None, int]:
    line = lines[index]
    glibc = _GLIBC.match(line)
    if glibc is not None:
        return Frame(path=glibc["path"], function=glibc["function"]), 1
    match = _CALL.match(line)
    if match is None:
        return None, 1
    width = 1
    while width < _WRAPPED_MAX and index + width < len(lines):
        # gdb breaks long calls itself: arguments, or `at file.c:12`, on lines further in.
        following = lines[index + width]
        if _NUMBER.match(following) or not following.startswith("    "):
            break
        line = f"{line} {following.strip()}"
        width += 1
    match = _CALL.match(line[:1900])
    return (_call(match["rest"]) if match else None), width


def _call(rest: str) -> Frame:
    module = _MODULE.search(rest, max(0, len(rest) - 720))
    if module is not None:
        rest = rest[: module.start()]
        place = _SANITIZER_PLACE.search(rest, max(0, len(rest) - 640))
        if place is None:
            return Frame(path=module["path"], function=_name(rest))
    else:
        place = _SANITIZER_PLACE.search(rest, max(0, len(rest) - 640))
    at = _AT.match(rest, max(rest.rfind(" at "), rest.rfind(" from "), 0))
    if at is not None:
        number = int(at["line"]) if at["line"] else None
        return Frame(path=at["path"], line=number, function=_name(rest[: at.start()]))
    if place is not None:
        return Frame(
            path=place["path"], line=int(place["line"]), function=_name(rest[: place.start()])
        )
    return Frame(path="", function=_name(rest))


def _name(text: str) -> str:
    """Return the function without its arguments; lldb puts the module before it."""
    text = text.strip().rpartition("`")[2]
    name = text.partition(" (")[0]
    if name == text and text.endswith(")"):
        name = text.partition("(")[0]
    return name.partition(" + ")[0].strip()[:300]


def _head(lines: list[str], start: int, floor: int) -> Head:
    for at in range(start - 1, max(floor, start - _HEAD_LINES_MAX) - 1, -1):
        line = lines[at]
        if _START.match(line):
            break
        if _OTHER.match(line):
            return Head("", line.strip()[:500], "context")
        signal = _SIGNAL.match(line) or _SANITIZER.match(line)
        if signal is not None:
            return Head(signal["type"], (signal["message"] or "").strip())
        thrown = _THROWN.match(line)
        if thrown is not None:
            what = _WHAT.match(lines[at + 1]) if at + 1 < start else None
            return Head(thrown["type"], what["message"] if what else "")
        glibc = _GLIBC_HEAD.match(line)
        if glibc is not None:
            return Head("SIGABRT", glibc["message"])
    return Head("")


def read_placed(lines: list[str], index: int, floor: int) -> Found:
    """Read a failed assertion or an undefined behaviour, which name one place."""
    del floor
    match = _PLACED.match(lines[index])
    if match is None:
        return (), index + 1
    frame = Frame(
        path=match["path"], line=int(match["line"]), function=_name(match["function"] or "")
    )
    said = match["ubsan"] or f"Assertion `{match['asserted']}' failed"
    name = "runtime error" if match["ubsan"] else "Assertion failed"
    following: Sequence[StackTrace] = ()
    after = index + 1
    for at in range(index + 1, min(len(lines), index + 8)):
        if _START.match(lines[at]):
            following, after = read_native(lines, at, index + 1)
            break
    frames = following[0].frames if following else (frame,)
    trace = StackTrace(language="c", exception=name, message=said, frames=frames)
    return (trace,), after if following else index + 1


NATIVE = Family("C and C++", _START, read_native)
NATIVE_PLACED = Family(
    "C and C++, one place",
    re.compile(r"[^:]{0,600}:\d{0,9}.{0,300}?(?:runtime error: |Assertion [`'])"),
    read_placed,
)
