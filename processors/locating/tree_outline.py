"""Files in languages that tree-sitter reads: what they define, also where they do not parse.

One walk over the tree, without recursion and with limits: repositories hold what they like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from processors.locating.grammars import Grammar, text_of
from processors.locating.outline import (
    CALLS_MAX,
    IMPORTS_MAX,
    SYMBOL_CHARS_MAX,
    UNITS_MAX,
    Import,
    Kind,
    Outline,
    Unit,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_CHAIN = re.compile(r"#?[\w$]+(?:\??\.#?[\w$]+)*")
_LAST = re.compile(r"\.#?([\w$]+)$")
_ENDS = re.compile(rb"[;{}]")
CALLED_CHARS_MAX = 200
DEPTH_MAX = 1_000
"""Of the tree; what is nested deeper is not looked at."""
PARSER_STEPS, BYTES_PER_STEP = 500, 60
"""How often the parser asks whether to go on, before the answer is no: at least, and by size.
People's code needs half of it at most; what is ambiguous or broken without end needs more."""
CHUNK_BYTES = 65_536


def outline(text: str, grammar: Grammar) -> Outline:
    """Return what the file defines. Never raises: what does not parse is walked all the same.

    What would keep the parser too long is one unit, the module, with all the words.
    """
    from tree_sitter import Parser

    source = text.encode("utf-8", "replace")
    walk = _Walk(source, grammar)
    if grammar.angles_max and _most_angles(source) > grammar.angles_max:
        return walk.unread()
    steps = count(1)
    steps_max = PARSER_STEPS + len(source) // BYTES_PER_STEP
    try:
        tree = Parser(grammar.language).parse(
            lambda at, _: source[at : at + CHUNK_BYTES],
            progress_callback=lambda _at, _failed: next(steps) > steps_max,
        )
    except ValueError:  # It gave up: too many steps.
        return walk.unread()
    return walk.read(tree.root_node)


def _most_angles(source: bytes) -> int:
    """Return the most `<` and `>` between two ends of statements."""
    return max(part.count(b"<") + part.count(b">") for part in _ENDS.split(source))


@dataclass(slots=True)
class _Open:
    """A unit while the walk is inside it."""

    symbol: str
    kind: Kind
    start: int
    end: int
    """In bytes."""
    line_start: int
    line_end: int
    is_public: bool
    doc: str = ""
    cuts: list[tuple[int, int]] = field(default_factory=list)
    """What stands in it and belongs to another unit, in bytes."""
    texts: list[str] = field(default_factory=list)
    calls: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Comments:
    """Comments without code between them: what is declared on the next line is what they tell."""

    start: int = 0
    end: int = 0
    last_row: int = -2

    def add(self, node: Node) -> None:
        if node.start_point[0] > self.last_row + 1:
            self.start = node.start_byte
        self.end, self.last_row = node.end_byte, node.end_point[0]


class _Walk:
    def __init__(self, source: bytes, grammar: Grammar) -> None:
        self._source = source
        self._grammar = grammar
        lines = max(1, source.count(b"\n") + (not source.endswith(b"\n")))
        self._units = [_Open("", "module", 0, len(source), 1, lines, is_public=True)]
        self._inside = [self._units[0]]
        self._imports: list[Import] = []
        self._comments = _Comments()

    def read(self, root: Node) -> Outline:
        cursor = root.walk()
        depth = 0
        while True:
            node = cursor.node
            assert node is not None  # A cursor always stands on a node.  # noqa: S101
            while len(self._inside) > 1 and node.start_byte >= self._inside[-1].end:
                self._inside.pop()
            self._take(node)
            if depth < DEPTH_MAX and cursor.goto_first_child():
                depth += 1
                continue
            while not cursor.goto_next_sibling():
                depth -= 1
                if not cursor.goto_parent():
                    return self._outline()

    def unread(self) -> Outline:
        """Return the file as one unit, without looking into it."""
        return self._outline()

    def _take(self, node: Node) -> None:
        kind, grammar = node.type, self._grammar
        if kind in _COMMENTS:
            self._comments.add(node)
        elif kind in grammar.texts:
            self._inside[-1].texts.append(text_of(node))
        elif (found := self._kind(node)) is not None:
            self._open(node, found)
        if kind in grammar.calls:
            self._called(node, grammar.calls[kind])
        if kind in grammar.imports and len(self._imports) < IMPORTS_MAX:
            self._imports += grammar.imports[kind](node)

    def _kind(self, node: Node) -> Kind | None:
        """Return what a node defines; None: nothing, or it belongs to the function around it."""
        grammar, kind = self._grammar, node.type
        if self._inside[-1].kind == "function" or len(self._units) > UNITS_MAX:
            return None
        if kind in grammar.held:
            value = node.child_by_field_name(grammar.held[kind])
            if value is None or value.type not in grammar.values:
                return None
            return "class" if value.type == "class" else "function"
        if kind in grammar.functions:
            return "function"
        return "class" if kind in grammar.classes and node.is_named else None

    def _open(self, node: Node, kind: Kind) -> None:
        name = self._grammar.name_of(node)
        outer = self._inside[-1]
        symbol = f"{outer.symbol}.{name}" if outer.symbol else name
        unit = _Open(
            symbol[:SYMBOL_CHARS_MAX],
            kind,
            start=node.start_byte,
            end=node.end_byte,
            line_start=node.start_point[0] + 1,
            line_end=node.end_point[0] + 1,
            is_public=outer.is_public and self._grammar.is_public(node, name, outer.symbol),
        )
        outer.cuts.append((unit.start, unit.end))
        comments = self._comments
        if comments.last_row in (node.start_point[0] - 1, node.start_point[0]):
            unit.doc = self._source[comments.start : comments.end].decode("utf-8", "replace")
            outer.cuts.append((comments.start, comments.end))
            self._comments = _Comments()
        self._units.append(unit)
        self._inside.append(unit)

    def _called(self, node: Node, fields: tuple[str, ...]) -> None:
        parts = [node.child_by_field_name(each) for each in fields]
        # Long ones are whole programs in brackets: only what stands last is a name.
        written = ".".join(_ending(part) for part in parts if part is not None)
        calls = self._inside[-1].calls
        if (name := _called_name(written)) and len(calls) < CALLS_MAX:
            calls.setdefault(name)

    def _outline(self) -> Outline:
        units = [self._unit(each) for each in self._units]
        return Outline(tuple(units), tuple(dict.fromkeys(self._imports)))

    def _unit(self, opened: _Open) -> Unit:
        code = b"\n".join(self._kept(opened)).decode("utf-8", "replace")
        return Unit(
            opened.symbol,
            opened.kind,
            line_start=opened.line_start,
            line_end=opened.line_end,
            doc=opened.doc,
            strings="\n".join(opened.texts),
            code=code,
            calls=tuple(opened.calls),
            is_public=opened.is_public,
        )

    def _kept(self, opened: _Open) -> Iterator[bytes]:
        at = opened.start
        for start, end in sorted(opened.cuts):
            if start > at:
                yield self._source[at:start]
            at = max(at, end)
        yield self._source[at : opened.end]


def _ending(node: Node) -> str:
    if node.end_byte - node.start_byte <= CALLED_CHARS_MAX:
        return text_of(node)
    last = node.children[-1]
    is_short = last.end_byte - last.start_byte <= CALLED_CHARS_MAX
    return f"().{text_of(last)}" if is_short else ""


def _called_name(written: str) -> str:
    """Return a chain of names as written, or of any other value the last name after a dot."""
    packed = "".join(written.split()).partition("<")[0]
    if _CHAIN.fullmatch(packed):
        return packed.replace("?.", ".")
    last = _LAST.search(packed)
    return f".{last[1]}" if last else ""
