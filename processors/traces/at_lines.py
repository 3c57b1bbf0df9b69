"""Traces whose calls are lines with `at`: JavaScript, Java and its kin, C# and its kin."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found, inside_out, joined, next_filled
from processors.traces.dotnet import (
    END_OF_INNER,
    END_OF_PREVIOUS,
    read_placed_call,
    read_placeless_call,
)
from processors.traces.heads import HEAD_LINES_MAX, Head, head_of
from processors.traces.javascript import read_nameless_place, read_v8_call
from processors.traces.jvm import read_jvm_call
from schemas.reports import Frame, StackTrace

_AT = re.compile(r"[\s│|*]{0,60}(?:(?:eval )?at|bei|à|在|場所|в) (?P<call>\S.*)$")
_MORE = re.compile(
    r"\s{0,60}(?:\.\.\. \d{1,6} (?:more|common frames|filtered|similar|lines)|- (?:locked|waiting)"
    r"|\[CIRCULAR|<async|[\w.:/-]{1,80}\]$|From previous event|--- \(|\.{3}$)"
)
_NEXT = re.compile(r"\s{0,60}(?:Caused by|Wrapped by|Suppressed|\[cause\]):? ?\S|\s{0,20}---> ")
_NESTED = "nested exception is:"
_PROPERTY = re.compile(r"\s{1,60}(?:[\w$]{1,60}|\[[\w$]{1,60}\]|'[^']{0,60}'):? |[\s}\]]{1,60},?$")
_PROPERTIES_MAX = 20
_LOCATED_MIN = 2
"""Calls with a place that stand for a trace when no line above them names an exception."""


@dataclass(slots=True)
class _Section:
    """One exception with its calls, or in C# several: an exception and those inside it."""

    heads: list[Head]
    groups: list[FrameBuffer] = field(default_factory=lambda: [FrameBuffer()])
    languages: Counter[str] = field(default_factory=Counter)
    located: int = 0

    def add(self, frame: Frame, language: str) -> None:
        self.groups[-1].add(frame)
        self.located += bool(frame.path) and frame.path != "[native code]"
        if language:
            self.languages[language] += 1


@dataclass(slots=True)
class _Reading:
    sections: list[_Section]
    index: int
    open_properties: int = 0
    wrapped_by: bool = False
    suppressed_indent: int | None = None
    """Where the last suppressed exception stands; a cause that stands as deep is its cause."""


def read_calls(lines: list[str], index: int, floor: int) -> Found:
    """Read a run of `at` lines (innermost first), the exception above it, and its causes."""
    if read_call(lines, index)[0] is None:
        return (), index + 1
    reading = _Reading([_Section(_heads_above(lines, index, floor))], index)
    while reading.index < len(lines) and _step(lines, reading):
        pass
    first = reading.sections[0]
    called = any(section.languages for section in reading.sections)
    if not called and not _stands_alone(lines[index], first, len(reading.sections)):
        return (), max(reading.index, index + 1)
    if not first.heads and first.located < _LOCATED_MIN:
        return (), max(reading.index, index + 1)
    language = _language(reading.sections)
    traces = [trace for section in reading.sections for trace in _traces(section, language)]
    return (_outermost_first(traces) if reading.wrapped_by else traces), reading.index


def _stands_alone(line: str, first: _Section, sections: int) -> bool:
    """Tell whether calls without any place are a trace: indented under an exception, not prose."""
    sure = bool(first.heads) and first.heads[0].sure
    return sure and line[:1].isspace() and (sections > 1 or bool(first.groups[0].head))


def _language(sections: list[_Section]) -> str:
    """Return what most calls say. Java's hidden frames may look like C#'s, never the other way."""
    votes: Counter[str] = Counter()
    for section in sections:
        votes.update(section.languages)
    if not votes:  # Only names. Nobody else writes "Caused by" between them.
        return (
            "java" if len(sections) > 1 or "." in sections[0].heads[0].exception else "javascript"
        )
    return votes.most_common(1)[0][0]


def _step(lines: list[str], reading: _Reading) -> bool:
    """Read the line (or two) at hand; return whether it was of the trace."""
    line = lines[reading.index]
    section = reading.sections[-1]
    call, width = read_call(lines, reading.index)
    if call is not None:
        section.add(*call)
        if line.endswith("{"):
            reading.open_properties = _PROPERTIES_MAX
        reading.index += width
        return True
    if END_OF_INNER.match(line):
        section.groups.append(FrameBuffer())
    elif _NEXT.match(line):
        return _open_next(lines, reading)
    elif not line.strip():
        following = next_filled(lines, reading.index)
        if following >= len(lines) or not _continues(lines, following):
            return False
    elif _is_property(line, reading):
        reading.open_properties -= 1
    elif not (_MORE.match(line) or END_OF_PREVIOUS.match(line)):
        return False
    reading.index += 1
    return True


def _is_property(line: str, reading: _Reading) -> bool:
    """Node prints what an error carries in braces behind its calls, its cause among it."""
    return reading.open_properties > 0 and _PROPERTY.match(line) is not None


def _continues(lines: list[str], index: int) -> bool:
    return bool(_NEXT.match(lines[index])) or read_call(lines, index)[0] is not None


def _open_next(lines: list[str], reading: _Reading) -> bool:
    line = lines[reading.index]
    heads = _heads_in(line)
    if not heads:
        return False
    reading.wrapped_by |= line.lstrip().startswith("Wrapped by")
    indent = len(line) - len(line.lstrip())
    if heads[0].role == "suppressed":
        reading.suppressed_indent = indent
    elif reading.suppressed_indent is not None and indent >= max(1, reading.suppressed_indent):
        heads = [replace(head, role="suppressed") for head in heads]
    reading.sections.append(_Section(heads))
    reading.index += 1
    # Its message may go on over some lines, up to its calls; it may also have no calls of its own.
    for ahead in range(reading.index, min(len(lines), reading.index + HEAD_LINES_MAX)):
        if _continues(lines, ahead) or _MORE.match(lines[ahead]):
            reading.index = ahead
            break
        filled = next_filled(lines, ahead)
        if filled != ahead and (filled >= len(lines) or not _continues(lines, filled)):
            break
    return True


def read_call(lines: list[str], index: int) -> tuple[tuple[Frame, str] | None, int]:
    """Return the call at `index` with its language, and how many lines it takes."""
    match = _AT.match(lines[index])
    if match is None:
        return None, 1
    found = _located(match["call"])
    if found is not None:
        return found, 1
    both = joined(lines, index) if index + 1 < len(lines) and not _new(lines[index + 1]) else None
    for text in both or ():
        wrapped = _AT.match(text)
        found = _located(wrapped["call"]) if wrapped else None
        if found is not None:
            return found, 2
    frame = read_placeless_call(match["call"])
    if frame is not None:
        return (frame, "csharp"), 1
    frame = read_nameless_place(match["call"])
    return ((frame, ""), 1) if frame is not None else (None, 1)


def _new(line: str) -> bool:
    """Tell whether a line is surely not the rest of the call above it."""
    return bool(_AT.match(line) or _NEXT.match(line) or _MORE.match(line))


def _located(call: str) -> tuple[Frame, str] | None:
    frame = read_placed_call(call) or (read_placeless_call(call) if " in <" in call else None)
    if frame is not None:
        return frame, "csharp"
    frame = read_jvm_call(call)
    if frame is not None:
        return frame, "java"
    frame = read_v8_call(call)
    return (frame, "javascript") if frame is not None else None


def _heads_above(lines: list[str], index: int, floor: int) -> list[Head]:
    """Return the exception named above the first call, outermost first where it has others in it.

    The nearest line that surely names one counts, a line that only may only when it is the nearest
    of all; of mail's "nested exception is:" pairs the upper one.
    """
    inner: list[Head] = []
    nearest = True
    for at in range(index - 1, max(floor, index - HEAD_LINES_MAX) - 1, -1):
        line = lines[at].strip()
        if not line:
            continue
        if _AT.match(lines[at]) and read_call(lines, at)[0] is not None:
            break
        heads = _heads_in(line)
        if (
            heads
            and (heads[0].sure or at == index - 1 or (nearest and "." in heads[0].exception))
            and not _is_nested(lines, at, floor)
        ):
            inner = heads + inner
            if not line.startswith("--->"):
                break
        nearest = False
    return inner


def _is_nested(lines: list[str], at: int, floor: int) -> bool:
    return at > floor and lines[at - 1].rstrip().endswith(_NESTED)


def _heads_in(line: str) -> list[Head]:
    parts = line.strip().split(" ---> ")
    heads = [head for part in parts[:20] if (head := head_of(part)) is not None]
    return heads if head_of(parts[0]) is not None else []


def _traces(section: _Section, language: str) -> list[StackTrace]:
    heads = section.heads or [Head("")]
    buffers = section.groups
    # The first calls are those of the innermost exception, which is named last.
    calls: list[tuple[Frame, ...]] = [()] * len(heads)
    for position, buffer in enumerate(buffers):
        slot = max(0, len(heads) - 1 - position)
        calls[slot] = (*inside_out(buffer.all()), *calls[slot])
    return [
        StackTrace(
            language=language,
            exception=head.exception,
            message=head.message,
            frames=frames,
            role=head.role if position == 0 else "cause",
        )
        for position, (head, frames) in enumerate(zip(heads, calls, strict=True))
    ]


def _outermost_first(traces: list[StackTrace]) -> list[StackTrace]:
    """Turn a chain that a logger printed root cause first."""
    turned = traces[::-1]
    roles = ["raised", *["cause"] * (len(turned) - 1)]
    return [
        trace.model_copy(update={"role": role}) for trace, role in zip(turned, roles, strict=True)
    ]


AT_LINES = Family("calls with at", _AT, read_calls)
