"""Read ADF, Atlassian's JSON for formatted text: whatever it holds, known or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from processors.markup.document import (
    Block,
    Cell,
    Code,
    Heading,
    Listing,
    Mark,
    Panel,
    PanelKind,
    Paragraph,
    Quote,
    Rule,
    Span,
    Table,
    clean,
    link,
    mention,
)

NESTED_NODES_MAX = 10
"""Deeper than people go. Each level is written before every line, so it costs."""
_MARKS: dict[str, Mark] = {
    "strong": "strong",
    "em": "em",
    "strike": "strike",
    "underline": "underline",
    "code": "code",
}
_PANELS: dict[str, PanelKind] = {
    "info": "info",
    "note": "note",
    "tip": "tip",
    "warning": "warning",
    "error": "error",
    "success": "success",
}
_INLINE = frozenset(
    {
        "text",
        "hardBreak",
        "mention",
        "emoji",
        "inlineCard",
        "date",
        "status",
        "mediaInline",
        "placeholder",
    }
)
_MEDIA = frozenset({"media", "mediaInline"})
_CARDS = frozenset({"inlineCard", "blockCard", "embedCard"})
_ITEMS = frozenset({"listItem", "taskItem", "decisionItem", "blockTaskItem"})


def read(value: object) -> tuple[Block, ...]:
    """Return the blocks of the document `value`. Never raises: what is unknown gives its text."""
    return tuple(_blocks([value], 0))


def _children(node: object) -> list[Any]:
    content = node.get("content") if isinstance(node, dict) else None
    return content if isinstance(content, list) else []


def _kind(node: object) -> str:
    kind = node.get("type") if isinstance(node, dict) else None
    return kind if isinstance(kind, str) else ""


def _attr(node: object, name: str) -> str:
    attrs = node.get("attrs") if isinstance(node, dict) else None
    value = attrs.get(name) if isinstance(attrs, dict) else None
    return clean(value) if isinstance(value, str) else ""


def _number(node: object, name: str, default: int) -> int:
    attrs = node.get("attrs") if isinstance(node, dict) else None
    value = attrs.get(name) if isinstance(attrs, dict) else None
    is_small = isinstance(value, int | float) and 0 <= value < 1e9
    return int(value) if is_small and value is not None else default


def _blocks(nodes: list[Any], depth: int) -> Iterator[Block]:
    """Yield the blocks in `nodes`; inline ones that stand among them become paragraphs."""
    loose: list[Span] = []
    for node in nodes:
        if _kind(node) in _INLINE:
            loose.extend(_spans([node], depth))
            continue
        if loose:
            yield Paragraph(tuple(loose))
            loose = []
        if isinstance(node, dict):
            yield from _block(node, depth)
    if loose:
        yield Paragraph(tuple(loose))


def _block(node: dict[str, Any], depth: int) -> Iterator[Block]:
    kind, inner = _kind(node), _children(node)
    if depth >= NESTED_NODES_MAX:
        yield Paragraph((Span(text_of(node)),))
        return
    if kind == "paragraph":
        yield Paragraph(tuple(_spans(inner, depth)))
    elif kind == "heading":
        level = min(max(_number(node, "level", 1), 1), 6)
        yield Heading(level, tuple(_spans(inner, depth)))
    elif kind == "codeBlock":
        yield Code(text_of(node), _attr(node, "language"))
    elif kind == "rule":
        yield Rule()
    elif kind == "table":
        yield Table(tuple(_row(row) for row in inner))
    elif kind in _MEDIA or kind in _CARDS:
        yield Paragraph(tuple(_spans([node], depth)))
    else:
        yield from _container(node, depth)


def _container(node: dict[str, Any], depth: int) -> Iterator[Block]:
    kind, inner = _kind(node), _children(node)
    if kind == "blockquote":
        yield Quote(tuple(_blocks(inner, depth + 1)))
    elif kind == "panel":
        panel = _PANELS.get(_attr(node, "panelType"), "info")
        yield Panel(panel, "", tuple(_blocks(inner, depth + 1)))
    elif kind in {"bulletList", "orderedList", "taskList", "decisionList"}:
        yield _list(node, depth)
    else:
        # Layouts, expanders, extensions and what is not invented yet: what they hold counts.
        title = _attr(node, "title")
        if title:
            yield Paragraph((Span(title, frozenset({"strong"})),))
        yield from _blocks(inner, depth + 1)


def _list(node: dict[str, Any], depth: int) -> Listing:
    items: list[tuple[Block, ...]] = []
    for child in _children(node):
        done = _attr(child, "state") if _kind(child) == "taskItem" else ""
        blocks = tuple(_blocks(_children(child) if _kind(child) in _ITEMS else [child], depth + 1))
        if done and blocks and isinstance(blocks[0], Paragraph):
            box = Span("[x] " if done == "DONE" else "[ ] ")
            blocks = (Paragraph((box, *blocks[0].spans)), *blocks[1:])
        items.append(blocks)
    start = _number(node, "order", 1) if _kind(node) == "orderedList" else None
    return Listing(tuple(items), start)


def _row(row: object) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for cell in _children(row):
        spans: list[Span] = []
        for number, child in enumerate(_children(cell)):
            if number:
                spans.append(Span("\n"))
            spans.extend(
                _spans(_children(child), 0)
                if _kind(child) in {"paragraph", "heading"}
                else [Span(text_of(child))]
            )
        cells.append(Cell(tuple(spans), header=_kind(cell) == "tableHeader"))
    return tuple(cells)


def _spans(nodes: list[Any], depth: int) -> Iterator[Span]:
    for node in nodes:
        if not isinstance(node, dict):
            continue
        if _kind(node) == "text":
            yield _text(node)
        elif _kind(node) in _INLINE | _MEDIA | _CARDS:
            yield _atom(node)
        elif depth < NESTED_NODES_MAX:
            yield from _spans(_children(node), depth + 1)
        else:
            yield Span(text_of(node))


def _text(node: dict[str, Any]) -> Span:
    text = node.get("text")
    marks: set[Mark] = set()
    href: str | None = None
    found = node.get("marks")
    for mark in found if isinstance(found, list) else ():
        kind = _kind(mark)
        if kind in _MARKS:
            marks.add(_MARKS[kind])
        elif kind == "subsup":
            marks.add("sub" if _attr(mark, "type") == "sub" else "sup")
        elif kind == "link":
            href = link(_attr(mark, "href"))
    said = clean(text).replace("\n", " ") if isinstance(text, str) else ""  # Breaks are nodes.
    return Span(said, frozenset(marks), href)


def _atom(node: dict[str, Any]) -> Span:
    """Return a node that is one thing as the words that stand for it."""
    kind = _kind(node)
    if kind == "hardBreak":
        return Span("\n")
    if kind == "mention":
        return Span(mention(_attr(node, "text") or _attr(node, "id")))
    if kind == "date":
        return Span(_date(_attr(node, "timestamp")))
    if kind in _CARDS:
        return Span(_attr(node, "url"), href=link(_attr(node, "url")))
    if kind in _MEDIA:
        address = link(_attr(node, "url"))
        name = _attr(node, "alt") or _attr(node, "id") or "file"
        return Span(name if address else f"[attachment {name}]", href=address)
    return Span(_attr(node, "text") or _attr(node, "shortName"))


def _date(milliseconds: str) -> str:
    if not re.fullmatch(r"-?\d{1,14}", milliseconds, re.ASCII):
        return milliseconds
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return milliseconds


def text_of(value: object) -> str:
    """Return all text below `value`, however deep, with a line feed at each break."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            text = node.get("text")
            if isinstance(text, str):
                found.append(clean(text))
            elif _kind(node) in _INLINE | _CARDS | _MEDIA:
                found.append(_atom(node).text)
            waiting.extend(reversed(_children(node)))
    return "".join(found)
