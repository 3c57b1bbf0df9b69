"""Find stack traces in free text: pasted, quoted, indented, fenced, or with log prefixes.

Pure, and linear in the length of the text: each line is looked at a bounded number of times, and
no pattern can backtrack over more than one line. Text is data: nothing found here is believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from processors.foreign_traces import read_goroutine, read_listed_calls
from processors.snippets import find_snippets
from processors.trace_lines import CODE_CHARS_MAX, TRACES_MAX, FrameBuffer, lines_of
from schemas.reports import Frame, StackTrace

__all__ = ["find_snippets", "find_traces"]

_HEADER = "Traceback (most recent call last)"
_GROUP = "Exception Group "
_START = re.compile(
    r"Traceback \(most recent call last\)"
    r'|^\s*File "[^"]{1,1000}", line \d'
    r"|^\s*at \S"
    r"|^goroutine \d"
    r"|^(?:E  |[^\s:]{1,1000}\.py:\d)"
)
_FRAME = re.compile(
    r'File "(?P<path>[^"]{1,1000})", line (?P<line>\d{1,9})(?:, in (?P<function>.{1,300}))?'
)
_REPEATED = re.compile(r"\[Previous line repeated \d{1,9} more times?\]")
_MARKERS = re.compile(r"[\s~^]+$")
_EXCEPTION = re.compile(r"(?P<type>[A-Za-z_][\w.<>]{0,199})(?::(?:\s(?P<message>.*))?)?$")
_SURE_EXCEPTION = re.compile(
    r"(?:\w{1,100}\.){0,20}[A-Z]\w{0,100}(?:Error|Exception|Warning|Group|Exit|Interrupt|Iteration"
    r"|Timeout|Failure|Fault)(?::\s|:?$)"
)
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
_DIGITS = re.compile(r"\d")
_PREFIX_CHARS_MAX = 200
_GAP_LINES_MAX = 60
"""Source lines pytest and IPython may show between two places of one failure."""


def find_traces(text: str) -> tuple[StackTrace, ...]:
    """Return the stack traces in `text`, in printed order, frames outermost call first.

    Of chained Python exceptions each is a trace; the last one is what the program died of. A trace
    whose end was cut off has the exception "". Never raises. Reads `lines_of`'s share of the text.
    """
    lines = lines_of(text)
    found: list[StackTrace] = []
    index = 0
    while index < len(lines) and len(found) < TRACES_MAX:
        if _START.search(lines[index]) is None:
            index += 1
            continue
        trace, index = _read(lines, index)
        if trace is not None:
            found.append(trace)
    return tuple(found)


def _read(lines: list[str], index: int) -> tuple[StackTrace | None, int]:
    """Return the trace that starts at `index`, if one does, and where to look on (further on)."""
    line = lines[index]
    column = line.find(_HEADER)
    stripped = line.lstrip()
    if column >= 0:
        if line[:column].strip() and line.endswith(_HEADER):
            return _read_ipython(lines, index)
        return _read_python(lines, index + 1, line[:column])
    if stripped.startswith('File "'):
        return _read_python(lines, index, line[: max(0, len(line) - len(stripped) - 2)])
    if stripped.startswith("at "):
        return read_listed_calls(lines, index)
    if stripped.startswith("goroutine "):
        return read_goroutine(lines, index)
    return _read_pytest(lines, index)


@dataclass(slots=True)
class _Python:
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
    if prefix.endswith(_GROUP):
        # "  + Exception Group Traceback" goes on with "  |   File ...".
        prefix = prefix.removesuffix(_GROUP).replace("+", "|")
    reading = _Python(prefix[:_PREFIX_CHARS_MAX])
    exception: re.Match[str] | None = None
    while index < len(lines):
        rest = reading.strip(lines[index])
        frame = _FRAME.search(rest)
        if frame is not None:
            reading.open_frame(frame, rest)
        elif not rest.strip():
            if not _goes_on(lines, index + 1, reading):
                break
        elif _is_code(rest, reading):
            reading.add_code(rest)
        else:
            exception = _EXCEPTION.match(rest.strip())
            index += exception is not None
            break
        index += 1
    reading.close_frame()
    frames = reading.frames.all()
    if exception is None and len(frames) < 2:
        return None, index
    return _python_trace(exception, frames), index


def _goes_on(lines: list[str], index: int, reading: _Python) -> bool:
    """Tell whether a traceback goes on after one blank line, as in double-spaced pastes."""
    if index >= len(lines):
        return False
    rest = reading.strip(lines[index])
    if _FRAME.search(rest) is not None or _SURE_EXCEPTION.match(rest) is not None:
        return True
    wanted = not reading.code or _MARKERS.match(rest) is not None
    return bool(reading.path) and wanted and rest[:1].isspace() and bool(rest.strip())


def _is_code(rest: str, reading: _Python) -> bool:
    if _HEADER in rest:
        return False
    if not reading.flat or _MARKERS.match(rest) is not None:
        return rest[:1].isspace() or reading.flat
    return not reading.code and _SURE_EXCEPTION.match(rest) is None


def _python_trace(exception: re.Match[str] | None, frames: tuple[Frame, ...]) -> StackTrace:
    if exception is None:
        return StackTrace(language="python", exception="", frames=frames)
    return StackTrace(
        language="python",
        exception=exception["type"],
        message=(exception["message"] or "").strip(),
        frames=frames,
    )


def _read_ipython(lines: list[str], index: int) -> tuple[StackTrace | None, int]:
    """Read a trace as IPython and Jupyter print it: the type stands first, the message last."""
    name = lines[index].split()[0]
    reading = _Python("")
    index += 1
    after = index
    exception: re.Match[str] | None = None
    while exception is None and index < min(len(lines), after + _GAP_LINES_MAX):
        line = lines[index]
        index += 1
        frame, code = _IPYTHON_FRAME.match(line), _IPYTHON_CODE.match(line)
        if _HEADER in line:
            break
        if line.startswith(name):
            exception = _EXCEPTION.match(line)
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
        return None, after
    return _python_trace(exception, reading.frames.all()), after


def _read_pytest(lines: list[str], index: int) -> tuple[StackTrace | None, int]:
    """Read one failure as pytest prints it: `path:line: in name` lines, and what `E` lines say."""
    buffer = FrameBuffer()
    said = ""
    after = index  # Where to look on: behind the last line that was of this failure.
    while index < min(len(lines), after + _GAP_LINES_MAX):
        line = lines[index]
        index += 1
        if _PYTEST_END.match(line) or _HEADER in line:
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
        return None, after
    match = _EXCEPTION.match(said) or _EXCEPTION.match(f"AssertionError: {said}")
    return _python_trace(match, buffer.all()), after


def _shape(text: str) -> str:
    return _DIGITS.sub("0", text)
