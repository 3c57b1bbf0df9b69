"""Stacks of Firefox and Safari (`name@url:line:column`) and of the old Opera."""

from __future__ import annotations

import re

from processors.trace_lines import CODE_CHARS_MAX, FrameBuffer
from processors.traces.base import Family, Found, inside_out, next_filled
from processors.traces.heads import Head, head_of
from processors.traces.javascript import clean_name
from schemas.reports import Frame, StackTrace

# Names may hold an @ in quotes (`obj["@fn"]`), addresses anywhere: the first bare one divides.
_FRAME = re.compile(
    r"\s{0,40}(?P<function>(?:[^@\"\s]|\"[^\"]{0,200}\"|(?<=\S) (?=\S)){0,400})"
    r"@(?P<place>\S.{0,1500})$"
)
_PLACE = re.compile(r"(?P<path>.{1,1500}?):(?P<line>\d{1,9})(?::\d{1,9})?$")
_EVAL = re.compile(r" line (?P<line>\d{1,9}) > (?:eval|Function|scriptElement|injectedScript)")
_ADDRESS = re.compile(r"\s{0,40}[a-z-]{2,30}://\S{1,1500}:\d{1,9}(?::\d{1,9})?$")
_BARE = re.compile(r"\s{0,40}(?:\[native code\]|(?:eval|global|module) code|[\w$.]{1,100})$")
_SCRIPT = re.compile(r"\.(?:[cm]?[jt]sx?|html?|vue|svelte|bundle|php|aspx?)\b")
_ARGUMENTS = re.compile(r"\([^()]{0,300}\)$")
_NAMED_ANONYMOUS = re.compile(r"<anonymous function: (?P<name>[^<>]{1,200})>")
_OPERA = re.compile(
    r"[\s.]{0,40}(?:Line (?P<line>\d{1,9}) of (?:linked script|inline#\d{1,6} script in) "
    r"|(?:Error thrown at|called from) line (?P<thrown>\d{1,9}), column \d{1,9} in )"
)
_IN_FUNCTION = ": In function "
_NATIVE = "[native code]"
_LOCATED_MIN = 2


def read_frames(lines: list[str], index: int, floor: int) -> Found:
    """Read a run of `name@place` lines, innermost first, and the error named above it."""
    buffer, located, start = FrameBuffer(), 0, index
    while index < len(lines):
        frame = _frame(lines, index)
        if frame is None:
            following = next_filled(lines, index)
            if lines[index].strip() or following == index or _frame(lines, following) is None:
                break
            index = following
            continue
        buffer.add(frame)
        located += frame.line is not None
        index += 1
    head = _head_above(lines, start, floor)
    if located < _LOCATED_MIN and not (located and head):
        return (), max(index, start + 1)
    return (_trace(head, buffer),), index


def _frame(lines: list[str], index: int) -> Frame | None:
    if index >= len(lines):
        return None
    line = lines[index]
    match = _FRAME.match(line) if "@" in line else None
    if match is not None:
        return _placed(_name(match["function"]), match["place"])
    if _ADDRESS.match(line):
        return _placed("", line.strip())
    if _BARE.match(line) and index + 1 < len(lines) and "@" in lines[index + 1]:
        return Frame(path="", function=line.strip())
    return Frame(path=_NATIVE) if line.strip() == _NATIVE else None


def _placed(function: str, place: str) -> Frame | None:
    if place == _NATIVE:
        return Frame(path=_NATIVE, function=function)
    inside = _EVAL.search(place)
    if inside is not None:  # Eval'd code is placed where the outermost eval stands in a file.
        return Frame(path=place[: inside.start()], line=int(inside["line"]), function=function)
    found = _PLACE.match(place)
    if found is None or not ("/" in found["path"] or _SCRIPT.search(found["path"])):
        return None
    return Frame(path=found["path"], line=int(found["line"]), function=function)


def _name(printed: str) -> str:
    # Firefox says how an asynchronous call came about: `async*load`, `promise callback*load`.
    printed = printed.removeprefix("Error created at ").rpartition("*")[2]
    named = _NAMED_ANONYMOUS.match(printed)
    if named is not None:
        return named["name"].removesuffix("()")
    if printed.startswith("<anonymous function"):
        return ""
    return clean_name(_ARGUMENTS.sub("", printed))


def _head_above(lines: list[str], index: int, floor: int) -> Head | None:
    """Return the error of the nearest line above; a caption (`Stack trace:`) may stand between."""
    for at in range(index - 1, max(floor, index - 4) - 1, -1):
        head = head_of(lines[at])
        if head is not None and head.sure:
            return head
    return None


def _trace(head: Head | None, buffer: FrameBuffer) -> StackTrace:
    return StackTrace(
        language="javascript",
        exception=head.exception if head else "",
        message=head.message if head else "",
        frames=inside_out(buffer.all()),
    )


def read_opera(lines: list[str], index: int, floor: int) -> Found:
    """Read places that each have a line of code under them, as Opera printed until 2013."""
    buffer, start = FrameBuffer(), index
    while index < len(lines) and (match := _OPERA.match(lines[index])):
        rest = lines[index][match.end() :]
        code = lines[index + 1].strip() if index + 1 < len(lines) else ""
        if _OPERA.match(code):
            code = ""
        buffer.add(_opera_frame(match, rest, code[:CODE_CHARS_MAX]))
        index += 2 if code else 1
    if len(buffer.all()) < _LOCATED_MIN:
        return (), max(index, start + 1)
    return (_trace(_head_above(lines, start, floor), buffer),), index


def _opera_frame(match: re.Match[str], rest: str, code: str) -> Frame:
    if match["line"]:
        path, _, function = rest.partition(_IN_FUNCTION)
        return Frame(path=path, line=int(match["line"]), function=function, code=code)
    # `name(arguments) in address:`, and without a name only the address.
    function, inside, path = rest.rpartition(" in ")
    path = (path if inside else rest).removesuffix(":")
    return Frame(path=path, line=int(match["thrown"]), function=_name(function), code=code)


BROWSER = Family(
    "name@place",
    re.compile(r"(?=[^@]{0,400}@)\s{0,40}\S.{0,1990}(?:\d|\[native code\])$|" + _ADDRESS.pattern),
    read_frames,
)
OPERA = Family("Opera", _OPERA, read_opera)
