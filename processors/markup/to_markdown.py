r"""Write Markdown.

Text is not escaped: it is read by our own stages, which look for traces, paths and names in it, and
`\_\_init\_\_` is none. Whatever of it is shown to people goes through `processors.quoting`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import assert_never

from processors.markup.document import (
    Block,
    Cell,
    Code,
    Heading,
    Listing,
    Mark,
    Panel,
    Paragraph,
    Quote,
    Rule,
    Span,
    Table,
    merged,
)

_SIGNS: tuple[tuple[Mark, str, str], ...] = (
    ("strike", "~~", "~~"),
    ("em", "*", "*"),
    ("strong", "**", "**"),
    ("sub", "<sub>", "</sub>"),
    ("sup", "<sup>", "</sup>"),
    ("underline", "<ins>", "</ins>"),
)
_FENCE = re.compile(r"(?m)^[ \t]*(?=```|~~~)")


def write(blocks: Sequence[Block]) -> str:
    """Return `blocks` as Markdown."""
    return "\n\n".join(text for block in blocks if (text := _block(block)))


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            # A fence that is only text would make code of all that follows.
            text = _FENCE.sub(r"\\", inline(block.spans)).strip("\n")
        case Heading():
            text = f"{'#' * block.level} {' '.join(inline(block.spans).split())}".rstrip()
        case Code():
            text = _code(block)
        case Quote():
            text = _prefixed(write(block.blocks))
        case Panel():
            title = " ".join(block.title.split()) or block.kind.capitalize()
            text = _prefixed(f"**{title}**\n\n{write(block.blocks)}".rstrip())
        case Listing():
            text = _list(block)
        case Table():
            text = _table(block)
        case Rule():
            text = "---"
        case _:
            assert_never(block)
    return text


def _prefixed(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n")) if text else ""


def _code(block: Code) -> str:
    longest = max((len(run) for run in re.findall(r"`+", block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    language = re.sub(r"[^\w+#.-]", "", block.language)[:40]
    return f"{fence}{language}\n{block.text}\n{fence}"


def _list(block: Listing) -> str:
    lines: list[str] = []
    for number, item in enumerate(block.items):
        sign = "- " if block.start is None else f"{block.start + number}. "
        indent = " " * len(sign)
        inner = ""
        for one in item:
            text = _block(one)
            # A list needs no blank line under what it belongs to; everything else does.
            gap = "\n" if isinstance(one, Listing) else "\n\n"
            inner += f"{gap}{text}" if inner and text else text
        first, *rest = inner.split("\n")
        lines.append(f"{sign}{first}".rstrip())
        lines.extend(f"{indent}{line}" if line else "" for line in rest)
    return "\n".join(lines)


def _table(block: Table) -> str:
    if not block.rows:
        return ""
    width = max(len(row) for row in block.rows)
    head, *rest = block.rows
    lines = [_row(head, width), "|" + " --- |" * width]
    lines.extend(_row(row, width) for row in rest)
    return "\n".join(lines)


def _row(row: Sequence[Cell], width: int) -> str:
    cells = [inline(cell.spans).replace("|", "\\|").replace("\n", "<br>") for cell in row]
    return "| " + " | ".join([*cells, *[""] * (width - len(cells))]) + " |"


def inline(spans: Sequence[Span]) -> str:
    """Return `spans` as Markdown, line breaks as line breaks."""
    return "".join(_span(span) for span in merged(spans))


def _span(span: Span) -> str:
    if not span.marks and not span.href:
        return span.text
    # Signs cling to words: with a space between, they are no signs.
    inner = span.text.strip()
    if not inner:
        return span.text
    start = span.text.index(inner[0])
    before, after = span.text[:start], span.text[start + len(inner) :]
    if "code" in span.marks:
        inner = _ticked(inner)
    else:
        for mark, opening, closing in _SIGNS:
            if mark in span.marks:
                inner = f"{opening}{inner}{closing}"
    if span.href:
        href = span.href.replace("(", "%28").replace(")", "%29")
        same = inner == span.href
        label = re.sub(r"[\[\]\\]", r"\\\g<0>", inner.replace("\n", " "))
        inner = f"<{href}>" if same else f"[{label}]({href})"
    return f"{before}{inner}{after}"


def _ticked(inner: str) -> str:
    line = inner.replace("\n", " ")
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"
