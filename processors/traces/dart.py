"""Traces of Dart and Flutter: of the VM (`#0 name (uri:line:column)`), and the terse kind."""

from __future__ import annotations

import re

from processors.trace_lines import FrameBuffer
from processors.traces.base import Family, Found, inside_out, joined, next_filled
from processors.traces.heads import Head, head_of
from schemas.reports import Frame, StackTrace

_CALL = re.compile(
    r"\s{0,40}#\d{1,6}\s{1,12}(?P<function>\S.{0,400}?) "
    r"\((?P<path>(?:file|dart|package|http|https|org-dartlang-[a-z]{1,20}|asset):[^\s()]{1,800}?)"
    r"(?::(?P<line>\d{1,9}))?(?::\d{1,9})?\)$"
)
_TERSE = re.compile(
    r"\s{0,40}(?P<path>(?:package|dart|file|test|lib|bin):?[/\w][^\s:]{0,500}(?:\.dart)?)"
    r" (?P<line>\d{1,9}):\d{1,9}\s{1,40}(?P<function>\S.{0,400})$"
)
_GAP = re.compile(r"\s{0,40}(?:<asynchronous suspension>|\.\.\.|={3,} asynchronous gap =)")
_START = re.compile(
    r"\s{0,40}(?:#\d{1,6}\s{1,12}\S.{0,400}? \((?:file|dart|package|https?|org-dartlang-\w{1,20}):"
    r"|(?:package|dart):[^\s:]{1,500} \d{1,9}:\d{1,9}\s)"
)
_FRAMEWORK_HEAD = re.compile(
    r".{0,80}?The following (?P<type>_?[A-Z]\w{0,100}(?:<.{0,100}>)?)?.{0,60}was thrown"
)
_HEAD_LINES_MAX = 30
"""Flutter explains itself at length between the error and the calls."""
_PHRASES = (
    ("Invalid argument", "ArgumentError"),
    ("Bad state: ", "StateError"),
    ("Unsupported operation", "UnsupportedError"),
    ("UnimplementedError", "UnimplementedError"),
    ("Concurrent modification during iteration", "ConcurrentModificationError"),
    ("Assertion failed", "AssertionError"),
    ("Failed assertion", "AssertionError"),
    ("Out of Memory", "OutOfMemoryError"),
    ("Stack Overflow", "StackOverflowError"),
    ("Cannot instantiate abstract class", "AbstractClassInstantiationError"),
    ("'null': Switch case fall-through", "FallThroughError"),
    ("Reading static variable", "CyclicInitializationError"),
    ("Null check operator used on a null value", "TypeError"),
)
"""What these classes print instead of their name."""
_NO_TYPE = re.compile(r"(?:type '.{1,200}' is not a subtype of type|.{1,300}: malformed type:)")
_INSTANCE = re.compile(r"Instance of '(?P<type>[\w<>, ]{1,200})'")
_UNHANDLED = ("Unhandled exception:", "Unhandled Exception: ")


def read_dart(lines: list[str], index: int, floor: int) -> Found:
    """Read the calls, innermost first, and what was said above them."""
    start, buffer = index, FrameBuffer()
    while index < len(lines):
        frame, width = _call(lines, index)
        if frame is not None:
            buffer.add(frame)
        elif not _GAP.match(lines[index]):
            following = next_filled(lines, index)
            if following == index or following >= len(lines) or not _call(lines, following)[0]:
                break
        index += width
    frames = inside_out(buffer.all())
    if not frames:
        return (), max(index, start + 1)
    head = _head(lines, start, floor)
    trace = StackTrace(
        language="dart", exception=head.exception, message=head.message, frames=frames
    )
    return (trace,), index


def _call(lines: list[str], index: int) -> tuple[Frame | None, int]:
    line = lines[index]
    match, width = _CALL.match(line) or _TERSE.match(line), 1
    if match is None and line.lstrip().startswith("#"):
        for text in joined(lines, index) or ():
            match, width = match or _CALL.match(text), 2
    if match is None:
        return None, 1
    number = int(match["line"]) if match["line"] else None
    return Frame(path=match["path"], line=number, function=match["function"].strip()), width


def _head(lines: list[str], start: int, floor: int) -> Head:
    for at in range(start - 1, max(floor, start - _HEAD_LINES_MAX) - 1, -1):
        if _START.match(lines[at]):
            break
        line = lines[at].strip()
        above = lines[at - 1].rstrip() if at > floor else ""
        framework = _FRAMEWORK_HEAD.match(line)
        if framework is not None:
            said = lines[at + 1].strip() if at + 1 < start else ""
            return Head(framework["type"] or _named(said).exception, said.removesuffix(":"))
        for mark in _UNHANDLED:
            before, found, after = line.partition(mark)
            if found and (after.strip() or not before.strip()):
                return _named(after.strip() or (lines[at + 1].strip() if at + 1 < start else ""))
        if above.endswith(_UNHANDLED[0]):
            continue
    line = next(
        (lines[at] for at in range(start - 1, max(floor, start - 3) - 1, -1) if lines[at]), ""
    )
    head = _named(line.strip())
    return head if head.exception else Head("")


def _named(line: str) -> Head:
    """Return type and message of an error as its `toString` prints it."""
    for phrase, name in _PHRASES:
        if line.startswith(phrase) or (phrase == "Failed assertion" and phrase in line):
            return Head(name, line)
    instance = _INSTANCE.match(line)
    if instance is not None:
        return Head(instance["type"], line)
    if _NO_TYPE.match(line):
        return Head("TypeError", line)
    head = head_of(line)
    return head if head is not None and head.sure else Head("", line)


DART = Family("Dart", _START, read_dart)
