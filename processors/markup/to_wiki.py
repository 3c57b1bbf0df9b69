"""Write Jira's wiki markup, for servers that know no ADF."""

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
    disarmed,
    link,
    merged,
)

_SIGNS: tuple[tuple[Mark, str], ...] = (
    ("sub", "~"),
    ("sup", "^"),
    ("strike", "-"),
    ("underline", "+"),
    ("em", "_"),
    ("strong", "*"),
)
# Some are signs everywhere, the others at the edge of a word only.
_SPECIAL = re.compile(r"([{}\[\]|!*\\]|(?<![^\W_])[_^~+?-](?!\s|$)|(?<=\S)[_^~+?-](?![^\W_]))")
_AS = {"\\": "&#92;"}
_AT_START = re.compile(r"(?m)^(?=[ \t]*(?:h[1-6]\.|bq\.|[#*-]|\|))", re.IGNORECASE)
_PLAIN = "\u200b"


def write(blocks: Sequence[Block]) -> str:
    """Return `blocks` as wiki markup. No text of theirs becomes a macro or a mention."""
    return "\n\n".join(text for block in blocks if (text := _block(block, "")))


def _block(block: Block, signs: str) -> str:
    match block:
        case Paragraph():
            text = _AT_START.sub(_PLAIN, _inline(block.spans)).strip("\n")
        case Heading():
            text = f"h{block.level}. {' '.join(_inline(block.spans).split())}"
        case Code():
            text = _code(block)
        case Quote():
            # A quote does not stand in a quote: the inner one would close the outer one.
            inner = write(_unquoted(block.blocks))
            text = f"{{quote}}\n{inner}\n{{quote}}" if inner else ""
        case Panel():
            title = re.sub(r"[{}|\n]", " ", block.title) or block.kind.capitalize()
            text = f"{{panel:title={title}}}\n{write(_unboxed(block.blocks))}\n{{panel}}"
        case Listing():
            text = _list(block, signs)
        case Table():
            text = "\n".join(_row(row) for row in block.rows)
        case Rule():
            text = "----"
        case _:
            assert_never(block)
    return text


def _unquoted(blocks: Sequence[Block]) -> list[Block]:
    done: list[Block] = []
    for block in blocks:
        done.extend(_unquoted(block.blocks) if isinstance(block, Quote) else [block])
    return done


def _unboxed(blocks: Sequence[Block]) -> list[Block]:
    done: list[Block] = []
    for block in blocks:
        done.extend(_unboxed(block.blocks) if isinstance(block, Panel) else [block])
    return done


def _code(block: Code) -> str:
    if block.language and re.fullmatch(r"[A-Za-z0-9+#.-]{1,30}", block.language):
        return f"{{code:{block.language}}}\n{disarmed(block.text, '{code')}\n{{code}}"
    return f"{{noformat}}\n{disarmed(block.text, '{noformat')}\n{{noformat}}"


def _list(block: Listing, signs: str) -> str:
    signs += "*" if block.start is None else "#"
    lines: list[str] = []
    for item in block.items:
        first, rest = (
            (item[0], item[1:]) if item and isinstance(item[0], Paragraph) else (None, item)
        )
        # A blank line would end the list.
        text = re.sub(r"\n{2,}", "\n", _block(first, signs)) if first else ""
        if text or not any(isinstance(one, Listing) for one in rest):
            lines.append(f"{signs} {text or _PLAIN}")
        for one in rest:
            inner = _block(one, signs)
            is_code = isinstance(one, Code)
            lines.append(inner if is_code else re.sub(r"\n{2,}", "\n", inner))
    return "\n".join(line for line in lines if line)


def _row(row: Sequence[Cell]) -> str:
    if not row:
        return ""
    parts: list[str] = []
    for cell in row:
        text = _inline(cell.spans).replace("\n", " \\\\ ").strip()
        parts.append(f"{'||' if cell.header else '|'}{text or ' '}")
    return "".join(parts) + ("||" if row[-1].header else "|")


def _inline(spans: Sequence[Span]) -> str:
    return "".join(_span(span) for span in merged(spans))


def _span(span: Span) -> str:
    inner = span.text.strip()
    if not inner:
        return span.text
    start = span.text.index(inner[0])
    before, after = span.text[:start], span.text[start + len(inner) :]
    href = link(span.href) if span.href else None
    shown = _escaped(inner)
    if "code" in span.marks and "\n" not in inner:
        shown = "{{" + shown + "}}"
    elif "\n" not in inner and (set(span.marks) - {"code"}):
        for mark, sign in _SIGNS:
            if mark in span.marks:
                # In braces a sign is one inside a word as well.
                shown = f"{{{sign}}}{shown}{{{sign}}}"
    if href:
        address = "".join(f"%{ord(char):02X}" if char in "|[]{}!" else char for char in href)
        label = shown.replace("\n", " ")
        shown = f"[{address}]" if inner == href else f"[{label}|{address}]"
    return f"{before}{shown}{after}"


def _escaped(text: str) -> str:
    # A backslash before a backslash would break the line.
    parts = _SPECIAL.split(text)
    return "".join(
        _AS.get(part, f"\\{part}") if number % 2 else part for number, part in enumerate(parts)
    )
