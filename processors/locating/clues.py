"""What a report says of the place: the names, paths and lines in it, sorted by how sure they are.

Text is data: a path found here is only ever compared with the paths of the repository.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from processors.locating.words import code_lines, number, phrases, spoken, terms, terms_of
from schemas.reports import BugReport

TEXT_CHARS_MAX = 60_000
NAMES_MAX = 400
PATHS_MAX = 100
WORD_COUNT_MAX = 3
"""A word said ten times is not ten times as telling."""
TITLE_WEIGHT = 1.5
"""Of a name or path in the title, beside 1 for one in the text."""
PLAIN_WEIGHT = 0.5
"""Of a word in code that may be one of plain English."""

_FENCE = re.compile(
    r"^ {0,3}(`{3,}+|~{3,}+)[^\n]*+\n(.*?)(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL
)
_TICKED = re.compile(r"`{1,2}([^`\n]{2,200})`{1,2}")
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In \[\d+\]:)\s?(.*)$", re.MULTILINE)
_INDENTED = re.compile(r"^(?: {4}|\t)(.*)$", re.MULTILINE)
_PATH = re.compile(r"(?<![\w/.-])(?:[\w.-]+[/\\]){0,20}[\w-]+\.[A-Za-z]{1,4}\b(?!\()")
_LINKED_LINE = re.compile(r"/(?P<path>[\w./-]{3,200}\.\w{1,4})#L(?P<line>\d{1,6})")
_DOTTED = re.compile(r"\b[A-Za-z_]\w{0,80}(?:\.[A-Za-z_]\w{0,80}){1,8}")
_NAME = re.compile(r"\b[A-Za-z_]\w{1,80}\b")
_LOOKS_LIKE_CODE = re.compile(r"_|[a-z][A-Z]|^[A-Z]+[a-z]+[A-Z]")
_CALLED = re.compile(r"\b([A-Za-z_]\w{1,80})\(")


@dataclass(frozen=True, slots=True)
class Clues:
    """What a report offers. Weights are between 0 and about 2."""

    title: Mapping[str, float]
    """Words of the title."""
    words: Mapping[str, float]
    """Words of the text, without what its stack traces print."""
    spoken: Mapping[str, str]
    """Of each word how it was written."""
    names: Mapping[str, float]
    """Identifiers, each with how surely it is meant as one."""
    dotted: Mapping[str, float]
    """Names with dots in them, such as `Cart.total` or `shop.cart`."""
    paths: Mapping[str, float]
    """Paths and file names."""
    linked: tuple[tuple[str, int], ...]
    """Path and line of links into the code."""
    phrases: frozenset[int]
    lines: frozenset[int]


def clues_of(report: BugReport) -> Clues:
    """Return what `report` offers."""
    title = report.title
    whole = f"{report.description}\n{report.error_log}"[:TEXT_CHARS_MAX]
    body = _untraced(whole, report)
    code = "\n".join(_code(f"{title}\n{body}"))
    both = f"{title}\n{whole}"
    return Clues(
        title=dict.fromkeys(terms(title), 1.0),
        words=_words(body),
        spoken=spoken(f"{title}\n{body}"),
        names=_names(title, body, code),
        dotted=_weighed(_DOTTED, title, body, kept_max=NAMES_MAX),
        paths=_weighed(_PATH, title, body, kept_max=PATHS_MAX),
        linked=tuple((found["path"], int(found["line"])) for found in _LINKED_LINE.finditer(both))[
            :PATHS_MAX
        ],
        phrases=frozenset(number(each) for each in phrases(both)),
        lines=frozenset(number(each) for each in code_lines(_unprompted(body))),
    )


def _words(body: str) -> dict[str, float]:
    counts = Counter(terms(body))
    return {word: 1.0 + 0.5 * (min(n, WORD_COUNT_MAX) - 1) for word, n in counts.items()}


def _untraced(text: str, report: BugReport) -> str:
    """Return the text without the frames of its traces: what they say is read from them."""
    frames = [frame for trace in report.stack_traces for frame in trace.frames]
    printed = {frame.code.strip() for frame in frames if frame.code}
    paths = {frame.path for frame in frames if frame.path and frame.line is not None}
    return "\n".join(
        line
        for line in text.split("\n")
        if line.strip() not in printed
        and not (any(c.isdigit() for c in line) and any(path in line for path in paths))
    )


def _code(text: str) -> Iterator[str]:
    for found in _FENCE.finditer(text):
        yield found[2]
    for pattern in (_TICKED, _PROMPT, _INDENTED):
        for found in pattern.finditer(text):
            yield found[1]


def _unprompted(text: str) -> str:
    return _PROMPT.sub(r"\1", text)


def _names(title: str, body: str, code: str) -> dict[str, float]:
    """Return identifiers: a word of plain English counts only where it stands in code."""
    found: dict[str, float] = {}
    for text, weight in ((title, TITLE_WEIGHT), (body, 1.0)):
        for name in _NAME.findall(text):
            if _LOOKS_LIKE_CODE.search(name):
                found.setdefault(name, weight)
        for name in _CALLED.findall(text):
            found.setdefault(name, weight)
    for name in _NAME.findall(code):
        if len(name) > 2:
            found.setdefault(name, PLAIN_WEIGHT)
    kept = sorted(found.items(), key=lambda pair: -pair[1])[:NAMES_MAX]
    return {name: weight for name, weight in kept if terms_of(name)}


def _weighed(pattern: re.Pattern[str], title: str, body: str, *, kept_max: int) -> dict[str, float]:
    """Return what fits the pattern, that of the title first."""
    found = dict.fromkeys(pattern.findall(title), TITLE_WEIGHT)
    for name in pattern.findall(body):
        found.setdefault(name, 1.0)
    return dict(list(found.items())[:kept_max])
