"""A formatted text as data, between the ways it is written: Markdown, Jira's wiki markup, ADF."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Mark = Literal["strong", "em", "strike", "underline", "sub", "sup", "code"]
PanelKind = Literal["info", "note", "tip", "warning", "error", "success"]
NESTED_MAX = 8
"""Of lists, quotes and panels in each other: what lies deeper is read as plain text."""
MARKUP_CHARS_MAX = 70_000
"""Twice what Jira lets anybody write. What comes after is kept as it stands, unread."""
_BREAK = "\u200b"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINKED = re.compile(r"(?:https?://|mailto:)[^\s<>\"\\\x00-\x20]{1,2000}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Text that looks the same all along. A line feed in it is a line break."""

    text: str
    marks: frozenset[Mark] = frozenset()
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of text."""

    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A title of level 1 to 6."""

    level: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Text in which nothing has a meaning."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody else said."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A box with a colour and perhaps a title."""

    kind: PanelKind
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, numbered from `start` or not at all."""

    items: tuple[tuple[Block, ...], ...]
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table."""

    spans: tuple[Span, ...]
    header: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, which need not be of the same length."""

    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


Block = Paragraph | Heading | Code | Quote | Panel | Listing | Table | Rule


@dataclass(frozen=True, slots=True)
class Delimiter:
    """A sign that begins or ends a mark if it finds its partner, and is text if it does not."""

    text: str
    mark: Mark
    opens: bool
    closes: bool
    partner: str = ""
    """What both have in common. Without it the sign: `__` does not end what `**` began."""


def resolve(pieces: Sequence[Span | Delimiter]) -> tuple[Span, ...]:
    """Return `pieces` with every pair of delimiters turned into marks. Takes linear time."""
    waiting: dict[str, list[int]] = {}
    begins: set[int] = set()
    ends: set[int] = set()
    for index, piece in enumerate(pieces):
        if isinstance(piece, Delimiter):
            opened = waiting.setdefault(piece.partner or piece.text, [])
            if piece.closes and opened:
                begins.add(opened.pop())
                ends.add(index)
            elif piece.opens:
                opened.append(index)
    depth: dict[Mark, int] = {}
    spans: list[Span] = []
    active: frozenset[Mark] = frozenset()
    for index, piece in enumerate(pieces):
        if isinstance(piece, Span):
            spans.append(replace(piece, marks=piece.marks | active) if active else piece)
        elif index in begins or index in ends:
            depth[piece.mark] = depth.get(piece.mark, 0) + (1 if index in begins else -1)
            active = frozenset(mark for mark, times in depth.items() if times > 0)
        else:
            spans.append(Span(piece.text, active))
    return merged(spans)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return `spans` without empty ones, and neighbours that look the same joined."""
    done: list[Span] = []
    parts: list[str] = []
    for span in spans:
        if not span.text:
            continue
        if done and (done[-1].marks, done[-1].href) == (span.marks, span.href):
            parts.append(span.text)
            continue
        if done:
            done[-1] = replace(done[-1], text="".join(parts))
        done.append(span)
        parts = [span.text]
    if done:
        done[-1] = replace(done[-1], text="".join(parts))
    return tuple(done)


def words(spans: Iterable[Span]) -> str:
    """Return what `spans` say, without how they look."""
    return "".join(span.text for span in spans)


def clean(text: str) -> str:
    """Return `text` with plain line ends and without characters that no format can carry."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def link(value: str) -> str | None:
    """Return `value` if it is an address that may be made a link."""
    return value if _LINKED.fullmatch(value) else None


def mention(name: str) -> str:
    """Return how `name` is spoken of without calling them: a mention in a report is only text."""
    return f"@{_BREAK}{name.lstrip('@')}"


def disarmed(text: str, sign: str) -> str:
    """Return `text` in which `sign` means nothing any more and still reads the same."""
    return text.replace(sign, sign[0] + _BREAK + sign[1:])


def split_at_limit(text: str) -> tuple[str, str]:
    """Return the part of `text` whose markup is read, and the rest."""
    if len(text) <= MARKUP_CHARS_MAX:
        return text, ""
    end = text.rfind("\n", 0, MARKUP_CHARS_MAX) + 1 or MARKUP_CHARS_MAX
    return text[:end], text[end:]
