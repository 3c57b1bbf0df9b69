"""Markdown as lines that know whether they are code, packed into messages of bounded length."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_FENCE = re.compile(r" {0,3}(`{3,20}|~{3,20})[ \t]{0,10}([\w+#.-]{0,20})")
_RULE = re.compile(r"[ \t|:-]{3,500}")
_BAR = re.compile(r"(?<!\\)\|")
_KEPT = "\n\t\u200b\u200c\u200d"
FENCE_CHARS = 4 + 20 + 4
"""What opening and closing a block costs at most, with its line ends and its language."""
CUT_BACK_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A line of Markdown; of prose when `block` is None."""

    text: str
    block: int | None = None
    """Which code block it stands in: two may follow each other."""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or a part of a long one, as it goes out."""

    text: str
    line: Line


def lines_of(markdown: str) -> Iterator[Line]:
    """Yield the lines of `markdown`, fences left out and rows of tables as one line of prose.

    A fence that nothing closes holds until the end, as everywhere.
    """
    fence, language, block = "", "", 0
    rows: list[str] = []
    for line in _visible(markdown).split("\n"):
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not line.strip(" \t`~"):
                fence = ""
            else:
                yield Line(line, block, language)
            continue
        if line.lstrip().startswith("|") and not found:
            rows.append(line)
            continue
        yield from _table(rows)
        rows = []
        if found:
            fence, language, block = found[1], found[2], block + 1
        else:
            yield Line(line)
    yield from _table(rows)


def _visible(text: str) -> str:
    """Return `text` without what a terminal obeys or what turns the reading direction around."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        char for char in text if char in _KEPT or unicodedata.category(char) not in {"Cc", "Cf"}
    )


def _table(rows: Sequence[str]) -> Iterator[Line]:
    """Yield the rows as a list: no chat shows a table, and its head says little without one."""
    has_head = len(rows) > 1 and _RULE.fullmatch(rows[1].strip()) is not None
    for row in rows[2 if has_head else 0 :]:
        cells = [cell.strip().replace("\\|", "|") for cell in _BAR.split(row.strip().strip("|"))]
        if said := " · ".join(cell for cell in cells if cell):
            yield Line(f"- {said}")


def size(text: str) -> int:
    """Return the length as the strictest reader counts it, in units of UTF-16."""
    return len(text) + sum(char > "\uffff" for char in text)


def pieces(lines: Sequence[Line], shown: Callable[[Line], str], *, chars_max: int) -> list[Piece]:
    """Return every line as `shown`, cut where it is too long to stand in one message."""
    room = chars_max - FENCE_CHARS - 1
    return [Piece(part, line) for line in lines for part in _cut(shown(line), room)]


def packed(parts: Sequence[Piece], *, chars_max: int) -> list[str]:
    """Return messages of at most `chars_max`; code goes on in a block of its own in the next."""
    messages: list[str] = []
    held: list[Piece] = []
    used = 0
    for part in parts:
        is_new = not held or held[-1].line.block != part.line.block
        cost = size(part.text) + 1 + (FENCE_CHARS if part.line.block is not None and is_new else 0)
        if held and used + cost > chars_max:
            messages.append(_joined(held))
            held, used = [], 0
            cost = size(part.text) + 1 + (FENCE_CHARS if part.line.block is not None else 0)
        held.append(part)
        used += cost
    messages.append(_joined(held))
    return [message for message in messages if message.strip()]


def _joined(parts: Sequence[Piece]) -> str:
    said: list[str] = []
    block: int | None = None
    for part in parts:
        if part.line.block != block:
            if block is not None:
                said.append("```")
            block = part.line.block
            if block is not None:
                said.append(f"```{part.line.language}")
        said.append(part.text)
    if block is not None:
        said.append("```")
    return "\n".join(said).strip("\n")


def _cut(text: str, chars_max: int) -> Iterator[str]:
    """Yield `text` in parts that fit, never inside an escaped sign or a link of Slack's."""
    while len(text) > chars_max or size(text) > chars_max:
        end = chars_max // 2 if size(text[:chars_max]) > chars_max else chars_max
        blank = text.rfind(" ", end - CUT_BACK_CHARS_MAX, end)
        end = blank + 1 if blank > 0 else end
        for opens, closes in ("<>", "&;"):
            start = text.rfind(opens, max(end - chars_max, 0), end)
            is_open = start > 0 and closes not in text[start:end]
            end = start if is_open and closes in text[end : end + chars_max] else end
        yield text[:end]
        text = text[end:]
    yield text
