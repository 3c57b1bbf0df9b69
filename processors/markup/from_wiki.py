"""Read Jira's wiki markup, as webhooks and old servers still send it.

Macros are found first, over the whole text, because they may begin and end inside a line; then
lines are read between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from processors.markup.document import (
    NESTED_MAX,
    Block,
    Cell,
    Code,
    Heading,
    Listing,
    Panel,
    PanelKind,
    Paragraph,
    Quote,
    Rule,
    Span,
    Table,
    clean,
    split_at_limit,
)
from processors.markup.wiki_inline import inline

_MACRO = re.compile(
    r"(?<!\\)\{(code|noformat|quote|panel|info|note|warning|tip|expand)(?::([^{}\n]{0,300}))?\}",
    re.IGNORECASE,
)
_HEADING = re.compile(r"[ \t]{0,8}h([1-6])\.[ \t]+(.*)", re.IGNORECASE)
_QUOTED = re.compile(r"[ \t]{0,8}bq\.[ \t]+(.*)", re.IGNORECASE)
_ITEM = re.compile(r"[ \t]{0,20}([*#]{1,20}|-)[ \t]+(.*)")
_RULE = re.compile(r"[ \t]{0,8}-{4,}[ \t]{0,8}")
_CELLS = re.compile(
    r"\[[^\[\]\n]{1,2000}\]|!\S[^!\s]{0,300}!|\{\{[^{}\n]{1,500}\}\}|\\.|\|{1,2}|[^|\[!{\\]+|.",
    re.DOTALL,
)
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
_PANELS: dict[str, PanelKind] = {
    "info": "info",
    "note": "note",
    "warning": "warning",
    "tip": "tip",
}


@dataclass(slots=True)
class _Open:
    """A quote or panel that has begun."""

    macro: str
    title: str
    blocks: list[Block] = field(default_factory=list)

    def closed(self) -> Block:
        if self.macro == "quote":
            return Quote(tuple(self.blocks))
        return Panel(_PANELS.get(self.macro, "info"), self.title, tuple(self.blocks))


def read(text: str) -> tuple[Block, ...]:
    """Return the blocks of `text`. Never raises; all words of the text are in them."""
    head, rest = split_at_limit(clean(text))
    blocks = _macros(head)
    return (*blocks, Paragraph((Span(rest.strip("\n")),))) if rest.strip() else blocks


def _macros(text: str) -> tuple[Block, ...]:
    stack = [_Open("", "")]
    found = list(_MACRO.finditer(text))
    ends = _ends(found)
    at = 0
    number = 0
    while number < len(found):
        tag = found[number]
        macro, said = tag[1].lower(), tag[2] or ""
        stack[-1].blocks.extend(_lines(text[at : tag.start()]))
        at = tag.end()
        if macro in {"code", "noformat"}:
            end = ends[number]
            # One that is never closed goes to the end: texts are cut, and code stays code.
            stop = found[end].start() if end is not None else len(text)
            stack[-1].blocks.extend(_verbatim(macro, said, text[at:stop]))
            if end is None:
                at = len(text)
                break
            at, number = found[end].end(), end
        elif not said and any(one.macro == macro for one in stack):
            _close(stack, macro)
        elif len(stack) <= NESTED_MAX:
            stack.append(_Open(macro, _option(said, "title")))
        number += 1
    stack[-1].blocks.extend(_lines(text[at:]))
    _close(stack, "")
    return tuple(stack[0].blocks)


def _ends(found: Sequence[re.Match[str]]) -> list[int | None]:
    """Return for each macro the number of the next bare one of its name."""
    ends: list[int | None] = [None] * len(found)
    last: dict[str, int] = {}
    for number in range(len(found) - 1, -1, -1):
        macro = found[number][1].lower()
        ends[number] = last.get(macro)
        if found[number][2] is None:
            last[macro] = number
    return ends


def _close(stack: list[_Open], macro: str) -> None:
    """Close all that was opened after `macro`, and `macro` itself; the first one is the text."""
    while len(stack) > 1:
        done = stack.pop()
        stack[-1].blocks.append(done.closed())
        if done.macro == macro:
            return


def _option(said: str, name: str) -> str:
    for part in said.split("|"):
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip()
    return ""


def _verbatim(macro: str, said: str, body: str) -> Iterator[Block]:
    title = _option(said, "title")
    if title:
        yield Paragraph((Span(title, frozenset({"strong"})),))
    first = said.split("|", maxsplit=1)[0].strip().lower() if macro == "code" else ""
    language = first if _LANGUAGE.fullmatch(first) and first != "none" else ""
    if body.strip():
        yield Code(body.strip("\n").rstrip(), language)


def _lines(text: str) -> Iterator[Block]:
    waiting: list[str] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        found = _special(lines, at) if line.strip() else None
        if found is None and line.strip():
            waiting.append(line.strip())
            at += 1
            continue
        if waiting:
            yield Paragraph(inline("\n".join(waiting)))
            waiting = []
        if found is None:
            at += 1
            continue
        block, at = found
        yield block
    if waiting:
        yield Paragraph(inline("\n".join(waiting)))


def _special(lines: list[str], at: int) -> tuple[Block, int] | None:
    """Return the block that begins at `at` and where it ends; None: a line of a paragraph."""
    line = lines[at]
    if heading := _HEADING.fullmatch(line):
        return Heading(int(heading[1]), inline(heading[2].strip())), at + 1
    if quoted := _QUOTED.fullmatch(line):
        return Quote((Paragraph(inline(quoted[1].strip())),)), at + 1
    if _RULE.fullmatch(line):
        return Rule(), at + 1
    if line.lstrip().startswith("|"):
        return _table(lines, at)
    if _ITEM.fullmatch(line):
        return _list(lines, at)
    return None


def _table(lines: list[str], at: int) -> tuple[Block, int]:
    rows: list[tuple[Cell, ...]] = []
    while at < len(lines) and lines[at].lstrip().startswith("|"):
        rows.append(_row(lines[at].strip()))
        at += 1
    return Table(tuple(rows)), at


def _row(line: str) -> tuple[Cell, ...]:
    cells: list[tuple[str, list[str]]] = []
    for part in _CELLS.findall(line):
        if part in {"|", "||"}:
            cells.append((part, []))
        elif cells:
            cells[-1][1].append(part)
    if len(cells) > 1 and not "".join(cells[-1][1]).strip():
        cells.pop()  # What comes after the last bar is no cell.
    return tuple(Cell(inline("".join(text).strip()), header=bar == "||") for bar, text in cells)


def _list(lines: list[str], at: int) -> tuple[Block, int]:
    entries: list[tuple[str, list[str]]] = []
    while at < len(lines):
        item = _ITEM.fullmatch(lines[at])
        if item is not None:
            entries.append((item[1][:NESTED_MAX], [item[2].strip()]))
        elif not lines[at].strip() or not entries or _special(lines, at) is not None:
            break
        else:
            entries[-1][1].append(lines[at].strip())
        at += 1
    first = entries[0][0][0]
    same = next((n for n, (signs, _) in enumerate(entries) if signs[0] != first), len(entries))
    # Where the kind of list changes at the outermost level another one begins.
    return _nested(entries[:same], 0), at - sum(len(text) for _, text in entries[same:])


def _nested(entries: Sequence[tuple[str, list[str]]], depth: int) -> Listing:
    items: list[list[Block]] = []
    number = 0
    while number < len(entries):
        signs, text = entries[number]
        if len(signs) <= depth + 1:
            items.append([Paragraph(inline("\n".join(text)))])
            number += 1
            continue
        end = number
        kind = signs[depth + 1]
        while (
            end < len(entries)
            and len(entries[end][0]) > depth + 1
            and entries[end][0][depth + 1] == kind
        ):
            end += 1
        if not items:
            items.append([])
        items[-1].append(_nested(entries[number:end], depth + 1))
        number = end
    start = 1 if entries[0][0][min(depth, len(entries[0][0]) - 1)] == "#" else None
    return Listing(tuple(tuple(item) for item in items), start)
