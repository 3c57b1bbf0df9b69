"""Our answers as mail: HTML of our own making, and the plain text beside it.

Every character of the text is escaped; there is no image, no style that loads, and a link leads
where it says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import assert_never

from processors.markup import document, from_markdown
from processors.markup.document import Block, Mark, Span

TEXT_CHARS_MAX = 100_000
_TAGS: tuple[tuple[Mark, str], ...] = (
    ("code", "code"),
    ("sub", "small"),
    ("sup", "sup"),
    ("underline", "u"),
    ("strike", "s"),
    ("em", "em"),
    ("strong", "strong"),
)
_CELL = "border:1px solid #ccc;padding:2px 8px;text-align:left"
_HTML_TAG = re.compile(r"</?(?:sub|sup|ins|u)>|<br ?/?>")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def to_html(text: str) -> str:
    """Return Markdown as the HTML of a mail. Never raises."""
    blocks = from_markdown.read(text[:TEXT_CHARS_MAX])
    return f'<html><head><meta charset="utf-8"></head><body>\n{_blocks(blocks)}\n</body></html>\n'


def to_plain(text: str) -> str:
    """Return Markdown as people write it in mail: the signs stay, what only machines see goes."""
    lines = _HTML_TAG.sub("", text[:TEXT_CHARS_MAX]).replace("\u200b", "").split("\n")
    fenced = False
    shown = []
    for line in lines:
        fenced ^= line.lstrip().startswith("```")
        shown.append(line if fenced else _ESCAPED.sub(r"\1", line).replace("**", ""))
    return "\n".join(shown).strip() + "\n"


def _blocks(blocks: Sequence[Block]) -> str:
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    match block:
        case document.Paragraph():
            html = f"<p>{_spans(block.spans)}</p>"
        case document.Heading():
            level = min(6, max(1, block.level))
            html = f"<h{level}>{_spans(block.spans)}</h{level}>"
        case document.Code():
            html = f"<pre>{escape(block.text)}</pre>"
        case document.Quote():
            html = f"<blockquote>{_blocks(block.blocks)}</blockquote>"
        case document.Panel():
            title = f"<p><strong>{escape(block.title)}</strong></p>" if block.title else ""
            html = f"<blockquote>{title}{_blocks(block.blocks)}</blockquote>"
        case document.Listing():
            html = _list(block)
        case document.Table():
            html = _table(block)
        case document.Rule():
            html = "<hr>"
        case _:
            assert_never(block)
    return html


def _list(block: document.Listing) -> str:
    items = "".join(f"<li>{_blocks(item)}</li>" for item in block.items)
    if block.start is None:
        return f"<ul>{items}</ul>"
    return f'<ol start="{int(block.start)}">{items}</ol>'


def _table(block: document.Table) -> str:
    rows = []
    for row in block.rows:
        cells = "".join(
            f'<{"th" if cell.header else "td"} style="{_CELL}">{_spans(cell.spans)}'
            f"</{'th' if cell.header else 'td'}>"
            for cell in row
        )
        rows.append(f"<tr>{cells}</tr>")
    return f'<table style="border-collapse:collapse">{"".join(rows)}</table>'


def _spans(spans: Sequence[Span]) -> str:
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:
    shown = escape(span.text).replace("\n", "<br>")
    for mark, tag in _TAGS:
        if mark in span.marks:
            shown = f"<{tag}>{shown}</{tag}>"
    if span.href is not None and document.link(span.href):
        shown = f'<a href="{escape(span.href)}">{shown}</a>'
    return shown
