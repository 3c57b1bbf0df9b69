"""Write ADF, Atlassian's JSON for formatted text, so that its own schema accepts it.

The schema says what may stand in what. What may not stand somewhere loses its form, not its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, assert_never

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
    clean,
    link,
    merged,
)

Node = dict[str, Any]
_Place = Literal["doc", "quote", "item", "panel"]
_MAY: dict[_Place, tuple[type, ...]] = {
    "doc": (Paragraph, Heading, Code, Quote, Panel, Listing, Table, Rule),
    "quote": (Paragraph, Code, Listing),
    "item": (Paragraph, Code, Listing),
    "panel": (Paragraph, Heading, Code, Listing, Rule),
}
_MARKS: tuple[tuple[Mark, Node], ...] = (
    ("em", {"type": "em"}),
    ("strong", {"type": "strong"}),
    ("strike", {"type": "strike"}),
    ("underline", {"type": "underline"}),
)


def write(blocks: Sequence[Block]) -> Node:
    """Return `blocks` as an ADF document. No node of it mentions or loads anything."""
    return {"version": 1, "type": "doc", "content": list(_nodes(blocks, "doc"))}


def _nodes(blocks: Sequence[Block], place: _Place) -> Iterator[Node]:
    for block in blocks:
        if isinstance(block, _MAY[place]):
            yield from _node(block)
        else:
            yield from _nodes(_formless(block), place)


def _formless(block: Block) -> tuple[Block, ...]:
    """Return what stands for `block` where it may not stand."""
    match block:
        case Heading():
            return (Paragraph(tuple(_strong(span) for span in block.spans)),)
        case Quote():
            return block.blocks
        case Panel():
            return (*_title(block), *block.blocks)
        case Table():
            return tuple(Paragraph(_joined(row)) for row in block.rows)
        case _:
            return ()


def _node(block: Block) -> Iterator[Node]:
    match block:
        case Paragraph():
            yield {"type": "paragraph", "content": _inline(block.spans)}
        case Heading():
            level = min(max(block.level, 1), 6)
            yield {"type": "heading", "attrs": {"level": level}, "content": _inline(block.spans)}
        case Code():
            yield _code(block)
        case Quote():
            yield {"type": "blockquote", "content": _some(_nodes(block.blocks, "quote"))}
        case Panel():
            inner = (*_title(block), *block.blocks)
            yield {
                "type": "panel",
                "attrs": {"panelType": block.kind},
                "content": _some(_nodes(inner, "panel")),
            }
        case Listing():
            yield from _list(block)
        case Table():
            yield from _table(block)
        case Rule():
            yield {"type": "rule"}
        case _:
            assert_never(block)


def _some(nodes: Iterator[Node]) -> list[Node]:
    """Return `nodes`; where there are none, the empty paragraph that has to be there."""
    return list(nodes) or [{"type": "paragraph", "content": []}]


def _code(block: Code) -> Node:
    text = clean(block.text)
    node: Node = {"type": "codeBlock", "content": [{"type": "text", "text": text}] if text else []}
    return {**node, "attrs": {"language": block.language}} if block.language else node


def _list(block: Listing) -> Iterator[Node]:
    items = [{"type": "listItem", "content": _some(_nodes(item, "item"))} for item in block.items]
    if items and block.start is None:
        yield {"type": "bulletList", "content": items}
    elif items:
        yield {"type": "orderedList", "attrs": {"order": block.start}, "content": items}


def _table(block: Table) -> Iterator[Node]:
    rows = [
        {
            "type": "tableRow",
            "content": [
                {
                    "type": "tableHeader" if cell.header else "tableCell",
                    "attrs": {},
                    "content": [{"type": "paragraph", "content": _inline(cell.spans)}],
                }
                for cell in row
            ],
        }
        for row in block.rows
        if row
    ]
    if rows:
        yield {"type": "table", "content": rows}


def _title(block: Panel) -> tuple[Block, ...]:
    title = (Span(block.title, frozenset({"strong"})),)
    return (Paragraph(title),) if block.title else ()


def _strong(span: Span) -> Span:
    return span if "code" in span.marks else replace(span, marks=span.marks | {"strong"})


def _joined(row: Sequence[Cell]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for cell in row:
        spans += [Span(" | "), *cell.spans] if spans else cell.spans
    return tuple(spans)


def _inline(spans: Sequence[Span]) -> list[Node]:
    nodes: list[Node] = []
    for span in merged(spans):
        marks = _marks(span)
        for number, line in enumerate(clean(span.text).split("\n")):
            if number:
                nodes.append({"type": "hardBreak"})
            if line:
                nodes.append({"type": "text", "text": line, **({"marks": marks} if marks else {})})
    return nodes


def _marks(span: Span) -> list[Node]:
    href = link(span.href) if span.href else None
    marks: list[Node] = [{"type": "link", "attrs": {"href": href}}] if href else []
    if "code" in span.marks:  # Nothing but a link goes together with code.
        return [*marks, {"type": "code"}]
    marks += [dict(node) for mark, node in _MARKS if mark in span.marks]
    for kind in ("sub", "sup"):
        if kind in span.marks:
            return [*marks, {"type": "subsup", "attrs": {"type": kind}}]
    return marks
