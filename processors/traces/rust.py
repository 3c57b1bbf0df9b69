"""Traces of Rust: panics with and without a backtrace, and errors of anyhow and eyre."""

from __future__ import annotations

import re
from dataclasses import dataclass

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found, inside_out, joined, next_filled
from processors.traces.heads import HEAD_LINES_MAX, head_of
from schemas.reports import Frame, StackTrace

_PANIC = re.compile(r".{0,200}?thread '[^']{0,200}' (?:\(\d{1,9}\) )?(?:has )?panicked at ")
_SAID = re.compile(
    r"'(?P<message>.{0,1500})', (?P<path>\S.{0,500}?):(?P<line>\d{1,9})(?::\d{1,9})?$"
)
_SAID_BELOW = re.compile(r"(?P<path>\S.{0,500}?):(?P<line>\d{1,9})(?::\d{1,9})?:$")
_CALL = re.compile(r"\s{0,40}\d{1,6}: {1,8}(?:0x[0-9a-f]{1,16} - )?(?P<symbol>\S.{0,1500})$")
_AT = re.compile(r"\s{1,80}at (?P<path>[^\s()][^()]{0,600}?)(?::(?P<line>\d{1,9})(?::\d{1,9})?)?$")
_BACKTRACE = re.compile(r"\s{0,40}[Ss]tack backtrace:$")
_HASH = re.compile(r"(?:::h[0-9a-f]{16})?(?: ?\(0x[0-9a-f]{1,16}\))?$")
_CAUSES = re.compile(r"\s{0,20}Caused by:$")
_CAUSE = re.compile(r"\s{2,20}(?:\d{1,4}: )?(?P<message>\S.{0,1500})$")
_ERROR = re.compile(r".{0,200}?Error: (?P<message>.*)$")
_CAUSES_MAX = 20
_GAP_LINES_MAX = 12


@dataclass(slots=True)
class _Calls:
    frames: tuple[Frame, ...]
    located: int
    index: int


def read_panic(lines: list[str], index: int, floor: int) -> Found:
    """Read a panic: its message, its place, and the calls of the backtrace if there is one."""
    del floor
    match = _PANIC.match(lines[index])
    if match is None:
        return (), index + 1
    rest = lines[index][match.end() :]
    said = _SAID.match(rest)
    below = _SAID_BELOW.match(rest)
    index += 1
    if said is None and below is None and index < len(lines):
        said = _SAID.match(f"{rest} {lines[index].strip()}")
        index += said is not None
    place = said or below
    if place is None:
        return (), index
    message = said["message"] if said else ""
    if below is not None and index < len(lines):
        message = lines[index].strip()
        index += 1
    calls = _backtrace(lines, index)
    thrown = Frame(path=place["path"], line=int(place["line"]))
    known = any(
        (f.path.removeprefix("./"), f.line) == (thrown.path, thrown.line) for f in calls.frames
    )
    frames = calls.frames if known else (*calls.frames, thrown)
    trace = StackTrace(language="rust", exception="panic", message=message, frames=frames)
    return (trace,), max(index, calls.index)


def _backtrace(lines: list[str], index: int) -> _Calls:
    """Return the calls below the next few lines, if a backtrace is there."""
    for at in range(index, min(len(lines), index + _GAP_LINES_MAX)):
        if _PANIC.match(lines[at]):
            break
        if _BACKTRACE.match(lines[at]):
            return _calls(lines, at + 1)
    return _Calls((), 0, index)


def _calls(lines: list[str], index: int) -> _Calls:
    buffer, located = FrameBuffer(), 0
    while index < len(lines):
        call = _CALL.match(lines[index])
        if call is None:
            following = next_filled(lines, index)
            if following == index or following >= len(lines) or not _CALL.match(lines[following]):
                break
            index = following
            continue
        index += 1
        symbol = _HASH.sub("", call["symbol"], count=1).strip()
        place, width = _place(lines, index)
        index += width
        while place is not None and index < len(lines) and _AT.match(lines[index]):
            index += 1  # Inlined callers of the same symbol.
        located += place is not None
        path, line = place or ("", None)
        buffer.add(Frame(path=path, line=line, function=symbol[:500]))
    return _Calls(inside_out(buffer.all()), located, index)


def _place(lines: list[str], index: int) -> tuple[tuple[str, int | None] | None, int]:
    match = _AT.match(lines[index]) if index < len(lines) else None
    if match is None:
        return None, 0
    if match["line"] is None and (wrapped := joined(lines, index)) is not None:
        both = _AT.match(wrapped[0])
        if both is not None and both["line"] is not None and not _CALL.match(lines[index + 1]):
            return (both["path"], int(both["line"])), 2
    return (match["path"], int(match["line"]) if match["line"] else None), 1


def read_backtrace(lines: list[str], index: int, floor: int) -> Found:
    """Read a backtrace that no panic stands above: of an error, or with its top cut off."""
    calls = _calls(lines, index + bool(_BACKTRACE.match(lines[index])))
    if not calls.located:
        return (), max(index + 1, calls.index)
    above = range(index - 1, max(floor, index - HEAD_LINES_MAX) - 1, -1)
    error = next((m for at in above if (m := _ERROR.match(lines[at]))), None)
    named = next((h for at in above if (h := head_of(lines[at])) and h.sure), None)
    trace = StackTrace(
        language="rust",
        exception=named.exception if named else "",
        message=named.message if named else error["message"] if error else "",
        frames=calls.frames,
    )
    return (trace,), max(index + 1, calls.index)


def read_causes(lines: list[str], index: int, floor: int) -> Found:
    """Read what anyhow and eyre print: the error, its causes by message, and the calls."""
    above = [at for at in range(index - 1, max(floor, index - 4) - 1, -1) if lines[at].strip()]
    error = _ERROR.match(lines[above[0]]) if above else None
    if error is None:
        return (), index + 1
    causes: list[str] = []
    index += 1
    while index < len(lines) and len(causes) < _CAUSES_MAX:
        cause = _CAUSE.match(lines[index])
        if cause is None:
            break
        causes.append(cause["message"].strip())
        index += 1
    calls = _backtrace(lines, index)
    if not causes:
        return (), index
    chain = [error["message"].strip(), *causes]
    traces = [
        StackTrace(
            language="rust",
            exception="Error",
            message=message,
            frames=calls.frames if position == 0 else (),
            role="cause" if position else "raised",
        )
        for position, message in enumerate(chain)
    ]
    return traces, max(index, calls.index)


RUST = Family("Rust", re.compile(_PANIC.pattern), read_panic)
RUST_CAUSES = Family("Rust, causes", _CAUSES, read_causes)
RUST_BACKTRACE = Family(
    "Rust, backtrace",
    re.compile(r"\s{0,40}(?:[Ss]tack backtrace:$|\d{1,6}: {1,8}(?:0x[0-9a-f]{1,16} - )?[\w<_])"),
    read_backtrace,
)
