"""Write the frames that Sentry sends as the text that the language itself prints.

So one reader of stack traces reads them all, whatever channel they came through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processors.channels.monitoring.reading import child, objects, word

EXCEPTIONS_MAX = 10
FRAMES_MAX = 200
MESSAGE_CHARS_MAX = 2_000
CODE_CHARS_MAX = 300
_CAUSE = "The above exception was the direct cause of the following exception:"


@dataclass(frozen=True, slots=True)
class _Frame:
    path: str
    line: int
    function: str
    module: str
    code: str


@dataclass(frozen=True, slots=True)
class _Error:
    name: str
    module: str
    message: str
    frames: tuple[_Frame, ...]
    """Outermost call first, as Sentry sends them."""

    @property
    def said(self) -> str:
        """Return the line that names the exception."""
        return f"{self.name}: {self.message}" if self.message else self.name


def trace_of(event: Mapping[str, Any]) -> str:
    """Return the stack traces of an event as text; an empty one where it has none."""
    exceptions = objects(child(event, "exception"), "values")
    errors = [_error(one) for one in exceptions[-EXCEPTIONS_MAX:]]
    known = [error for error in errors if error.name or error.frames]
    write = _WRITERS.get(word(event.get("platform")).casefold(), _javascript)
    return write(known) if known else ""


def _error(said: Mapping[str, Any]) -> _Error:
    frames = objects(child(said, "stacktrace"), "frames")[-FRAMES_MAX:]
    return _Error(
        name=_line(said.get("type")) or "Error",
        module=_line(said.get("module")),
        message=word(said.get("value"))[:MESSAGE_CHARS_MAX].strip(),
        frames=tuple(_frame(one) for one in frames),
    )


def _frame(said: Mapping[str, Any]) -> _Frame:
    name, whole = _line(said.get("filename")), _line(said.get("abs_path"))
    # Sentry shortens the paths of libraries too; the whole path tells that one is no own code.
    is_own = said.get("in_app") is True
    line = said.get("lineno")
    return _Frame(
        path=(name or whole) if is_own else (whole or name),
        line=line if isinstance(line, int) and not isinstance(line, bool) else 0,
        function=_line(said.get("function")),
        module=_line(said.get("module")),
        code=_line(said.get("context_line"))[:CODE_CHARS_MAX].strip(),
    )


def _line(value: object) -> str:
    return " ".join(word(value)[:1_000].split())


def _python(errors: Sequence[_Error]) -> str:
    blocks = []
    for error in errors:
        lines = ["Traceback (most recent call last):"]
        for frame in error.frames:
            function = frame.function or "<module>"
            lines.append(f'  File "{frame.path}", line {frame.line}, in {function}')
            lines += [f"    {frame.code}"] if frame.code else []
        blocks.append("\n".join([*lines, error.said]))
    return f"\n\n{_CAUSE}\n\n".join(blocks)


def _javascript(errors: Sequence[_Error]) -> str:
    """Return the last exception, innermost call first, then its causes."""
    blocks = []
    for error in reversed(errors):
        lines = [f"    at {_called(frame)}" for frame in reversed(error.frames)]
        blocks.append("\n".join([error.said, *lines]))
    return "\n\nCaused by: ".join(blocks)


def _called(frame: _Frame) -> str:
    place = f"{frame.path}:{frame.line}:1"
    return f"{frame.function} ({place})" if frame.function else place


def _java(errors: Sequence[_Error]) -> str:
    blocks = []
    for error in reversed(errors):
        name = f"{error.module}.{error.said}" if error.module else error.said
        lines = [
            f"\tat {_dotted(frame)}({frame.path.rpartition('/')[2]}:{frame.line})"
            for frame in reversed(error.frames)
        ]
        blocks.append("\n".join([name, *lines]))
    return "\nCaused by: ".join(blocks)


def _dotted(frame: _Frame) -> str:
    return f"{frame.module}.{frame.function}" if frame.module else frame.function


def _csharp(errors: Sequence[_Error]) -> str:
    blocks = []
    for error in reversed(errors):
        name = f"{error.module}.{error.said}" if error.module else error.said
        lines = [
            f"   at {_dotted(frame).partition('(')[0]}() in {frame.path}:line {frame.line}"
            for frame in reversed(error.frames)
        ]
        blocks.append("\n".join([name, *lines]))
    return "\n ---> ".join(blocks)


def _ruby(errors: Sequence[_Error]) -> str:
    blocks = []
    for error in reversed(errors):
        places = [f"{f.path}:{f.line}:in `{f.function}'" for f in reversed(error.frames)]
        first = f"{places[0]}: " if places else ""
        message = error.message.replace("\n", " ")
        lines = [f"{first}{message} ({error.name})", *(f"\tfrom {place}" for place in places[1:])]
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _php(errors: Sequence[_Error]) -> str:
    blocks = []
    for error in reversed(errors):
        inner = error.frames[-1] if error.frames else _Frame("", 0, "", "", "")
        calls = [
            f"#{number} {frame.path}({frame.line}): {frame.function or '{main}'}()"
            for number, frame in enumerate(reversed(error.frames))
        ]
        head = f"PHP Fatal error:  Uncaught {error.said} in {inner.path}:{inner.line}"
        blocks.append("\n".join([head, "Stack trace:", *calls]))
    return "\n\n".join(blocks)


def _go(errors: Sequence[_Error]) -> str:
    blocks = []
    for error in reversed(errors):
        calls = [
            f"{_dotted(frame)}(...)\n\t{frame.path}:{frame.line}"
            for frame in reversed(error.frames)
        ]
        head = f"panic: {error.said}".replace("\n", " ")
        blocks.append("\n".join([head, "", "goroutine 1 [running]:", *calls]))
    return "\n\n".join(blocks)


_WRITERS: Mapping[str, Callable[[Sequence[_Error]], str]] = {
    "python": _python,
    "java": _java,
    "kotlin": _java,
    "csharp": _csharp,
    "ruby": _ruby,
    "php": _php,
    "go": _go,
}
"""By Sentry's `platform`; the rest is written as JavaScript does, which names file and line."""
