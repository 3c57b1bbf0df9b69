"""Simple stack traces of other languages: JavaScript and Java (`at` lines), Go (goroutines)."""

from __future__ import annotations

import re

from processors.trace_lines import FrameBuffer
from schemas.reports import Frame, StackTrace

_AT = re.compile(r"\s*at (?P<call>\S.*)$")
_JAVA_CALL = re.compile(r"(?P<function>[^\s()]{1,500})\((?P<place>[^()]{0,300})\)$")
_PLACE = re.compile(r"(?P<path>.{1,1000}?):(?P<line>\d{1,9})(?::\d{1,9})?$")
_JS_CALL = re.compile(r"(?P<function>[^()]{1,300}) \((?P<place>[^()]{1,1200})\)$")
_TYPE = re.compile(r"(?:[A-Za-z_$][\w$]{0,100}\.){0,20}[A-Z][\w$]{0,100}$")
_GO_PLACE = re.compile(r"\s+(?P<path>\S[^:]{0,1000}\.go):(?P<line>\d{1,9})")
_PANIC = re.compile(r"(?:panic|fatal error): (?P<message>.*)$")
_LINES_BACK_MAX = 4


def read_listed_calls(lines: list[str], index: int) -> tuple[StackTrace | None, int]:
    """Read a run of `at` lines (innermost first) and the line above it that names the error."""
    head = _head(lines[index - 1]) if index else None
    buffer = FrameBuffer()
    java = False
    while index < len(lines):
        match = _AT.match(lines[index])
        if match is None:
            break
        frame, is_java = _call(match["call"])
        java = java or is_java
        if frame is not None:
            buffer.add(frame)
        index += 1
    frames = buffer.all()[::-1]
    if head is None or not frames:
        return None, index
    return (
        StackTrace(
            language="java" if java else "javascript",
            exception=head[0],
            message=head[1],
            frames=frames,
        ),
        index,
    )


def _head(line: str) -> tuple[str, str] | None:
    """Return type and message of the line above the calls; None when it names no error."""
    text = line.strip().removeprefix("Caused by: ")
    before, _, message = text.partition(": ")
    words = before.removesuffix(":").split()
    if not words or _TYPE.match(words[-1]) is None:
        return None
    return words[-1], message.strip()


def _call(call: str) -> tuple[Frame | None, bool]:
    if call.endswith("]"):  # Log4j says which jar: `at a.B.c(B.java:3) ~[app.jar:1.0]`.
        call = call.rpartition("[")[0].rstrip("~ ")
    java = _JAVA_CALL.match(call)
    if java is not None:
        place = _PLACE.match(java["place"])
        path = place["path"] if place else java["place"]
        line = int(place["line"]) if place else None
        return Frame(path=path, line=line, function=java["function"]), True
    js = _JS_CALL.match(call)
    place = _PLACE.match(js["place"] if js else call)
    if place is None:
        return None, False
    function = js["function"] if js else ""
    return Frame(path=place["path"], line=int(place["line"]), function=function), False


def read_goroutine(lines: list[str], index: int) -> tuple[StackTrace | None, int]:
    """Read the calls of one goroutine (innermost first) and the panic message shortly above it."""
    above = lines[max(0, index - _LINES_BACK_MAX) : index]
    panic = next((m for line in reversed(above) if (m := _PANIC.match(line.strip()))), None)
    buffer = FrameBuffer()
    function = ""
    index += 1
    while index < len(lines) and lines[index].strip():
        place = _GO_PLACE.match(lines[index])
        called, opened, _ = lines[index].rpartition("(")
        if place is not None:
            buffer.add(Frame(path=place["path"], line=int(place["line"]), function=function))
        elif opened:
            function = called[:300]
        index += 1
    frames = buffer.all()[::-1]
    if panic is None or not frames:
        return None, index
    message = panic["message"].strip()
    return StackTrace(language="go", exception="panic", message=message, frames=frames), index
