"""Measure how many stack traces of a folder of samples are found, and found right.

A sample folder holds texts as people paste them, and test files of other projects' parsers, whose
texts stand inside the source as literals. Only texts are taken out of those; nothing is run.
"""

from __future__ import annotations

import codecs
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from processors.traces import find_traces, innermost_in_app
from schemas.reports import StackTrace

EXPECTED = Path(__file__).parent.parent / "tests" / "processors" / "traces_expected.json"
"""Answers written down before the parser: per file a list, one entry for each text in it."""
FILE_CHARS_MAX = 4_000_000

_LITERAL = r"""(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
_JS_STACK = re.compile(
    rf"\b(?:stack|stacktrace|message)\s*:\s*(?P<value>{_LITERAL}(?:\s*\+\s*{_LITERAL})*)"
)
_RUBY_LIST = re.compile(rf"\[\s*(?P<value>{_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*\]")
_RUST_RAW = re.compile(r'r(?P<mark>#{1,4})"(?P<value>.*?)"(?P=mark)', re.DOTALL)
_ONE = re.compile(_LITERAL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a text says, as a person reads it. `language` None: it holds no trace."""

    language: str | None
    exceptions: tuple[str, ...]
    """The types of the whole chain, in printed order."""
    innermost: tuple[str, int | None, str] | None
    """Path, line and function of the innermost in-app frame; None when no frame is the app's."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How one text came out."""

    key: str
    """Path under the folder, and `#` with the position of the text where a file holds several."""
    expected: Answer | None
    """None when nobody has written down an answer for it."""
    got: Answer
    seconds: float

    @property
    def found(self) -> bool:
        """Whether a trace was found exactly where one is (or was found, when nobody says)."""
        wanted = self.expected is None or self.expected.language is not None
        return wanted == (self.got.language is not None)

    @property
    def located(self) -> bool:
        """Whether the innermost in-app frame is the expected one, or none where none is."""
        return self.expected is not None and self.got.innermost == self.expected.innermost

    @property
    def right(self) -> bool:
        """Whether language, exceptions and innermost in-app frame are all as expected."""
        return self.got == self.expected


def measure(folder: Path, expected: Path = EXPECTED) -> tuple[Sample, ...]:
    """Return how each text of `folder` came out, in order of path and position.

    Reads every `*.txt` below `folder`; raises `OSError` when one cannot be read.
    """
    answers = _answers(expected)
    return tuple(
        sample
        for path in sorted(folder.rglob("*.txt"))
        for sample in _measure_file(path, path.relative_to(folder).as_posix(), answers)
    )


def _measure_file(
    path: Path, name: str, answers: Mapping[str, Sequence[Answer]]
) -> Iterator[Sample]:
    known = answers.get(name, ())
    texts = texts_of(name, path.read_text(encoding="utf-8", errors="replace")[:FILE_CHARS_MAX])
    for index, text in enumerate(texts):
        before = time.perf_counter()
        traces = find_traces(text)
        seconds = time.perf_counter() - before
        yield Sample(
            key=f"{name}#{index}" if len(texts) > 1 else name,
            expected=known[index] if index < len(known) else None,
            got=_answer(traces),
            seconds=seconds,
        )


def texts_of(name: str, content: str) -> tuple[str, ...]:
    """Return the texts in a sample file: all of it, or the literals of a parser's test file.

    Literals that are put together when the test runs (Ruby's `#{...}`) are no text and left out.
    """
    if name.endswith(".js.txt"):
        values = ("".join(_strings(m["value"])) for m in _JS_STACK.finditer(content))
        return tuple(value for value in values if "\n" in value)
    if name.endswith(".rb.txt"):
        lists = (m["value"] for m in _RUBY_LIST.finditer(content))
        return tuple("\n".join(_strings(value)) for value in lists if "#{" not in value)
    if name.endswith(".rs.txt"):
        values = (m["value"] for m in _RUST_RAW.finditer(content))
        return tuple(value for value in values if "(?" not in value)  # A regex is no trace.
    return (content,)


def _strings(value: str) -> Iterator[str]:
    for match in _ONE.finditer(value):
        text = match[0][1:-1]
        yield codecs.decode(text, "unicode_escape") if "\\" in text and text.isascii() else text


def _answers(path: Path) -> dict[str, tuple[Answer, ...]]:
    if not path.is_file():
        return {}
    return {
        name: tuple(
            Answer(
                language=entry["language"],
                exceptions=tuple(entry["exceptions"]),
                innermost=_place(entry["innermost"]),
            )
            for entry in entries
        )
        for name, entries in json.loads(path.read_text(encoding="utf-8")).items()
    }


def _place(entry: Mapping[str, str | int | None] | None) -> tuple[str, int | None, str] | None:
    if entry is None:
        return None
    line = entry["line"]
    return str(entry["path"]), None if line is None else int(line), str(entry["function"])


def _answer(traces: Sequence[StackTrace]) -> Answer:
    frame = innermost_in_app(traces)
    return Answer(
        language=traces[0].language if traces else None,
        exceptions=tuple(trace.exception for trace in traces),
        innermost=None if frame is None else (frame.path, frame.line, frame.function),
    )
