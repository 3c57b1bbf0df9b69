"""One source file with its tree, and edits of it that leave every other character as it is."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
ATOMS = (
    ast.Name,
    ast.Attribute,
    ast.Call,
    ast.Subscript,
    ast.Constant,
    ast.List,
    ast.Dict,
    ast.Set,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.JoinedStr,
)
LOOSE_PARENTS = (ast.stmt, ast.keyword, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.withitem)
"""Places that take any expression without parentheses."""

TIGHTNESS: dict[type[ast.AST], int] = {
    ast.IfExp: 0,
    ast.comprehension: 0,
    ast.Or: 1,
    ast.And: 2,
    ast.Not: 2,
    ast.Compare: 3,
    ast.Add: 5,
    ast.Sub: 5,
    ast.Mult: 6,
    ast.Div: 6,
    ast.FloorDiv: 6,
    ast.Mod: 6,
    ast.USub: 7,
    ast.Pow: 8,
}


@dataclass(frozen=True, slots=True)
class Change:
    """The characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What a template proposes for one file."""

    changes: tuple[Change, ...]
    template: str
    prior: float
    """How likely this kind of edit is the fix, between 0 and 1; orders the search."""
    explanation: str


class Source:
    """A parsed file. Offsets are in characters of `text`. Raises `SyntaxError` when it is none."""

    def __init__(self, path: str, text: str) -> None:
        """Parse `text`, the content of `path`."""
        self.path = path
        self.text = text
        self.tree = ast.parse(text)
        self._lines = _lines(text)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Map every node to the node it stands in."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def statements(self) -> tuple[ast.stmt, ...]:
        """Return every statement, outer before inner."""
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, ast.stmt))

    @cached_property
    def line_ending(self) -> str:
        """Return how the file ends its lines."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def offset(self, line: int, column_bytes: int) -> int:
        """Return the character offset of a position as `ast` counts it."""
        content = self._lines[line - 1] if line <= len(self._lines) else ""
        if not content.isascii():
            column_bytes = len(content.encode()[:column_bytes].decode("utf-8", "ignore"))
        return self._starts[line - 1] + column_bytes

    def span(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> tuple[int, int]:
        """Return where `node` starts and ends, without parentheses around it."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def segment(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> str:
        """Return the text of `node`."""
        start, end = self.span(node)
        return self.text[start:end]

    def atom(self, node: ast.expr) -> str:
        """Return the text of `node`, in parentheses where an operator beside it could split it."""
        text = self.segment(node)
        return text if isinstance(node, ATOMS) else f"({text})"

    def operand(self, node: ast.expr) -> str:
        """Return the text of `node`, safe as an operand of `+`, `-` or a comparison."""
        tight = isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.Mult | ast.Div | ast.FloorDiv | ast.Pow
        )
        return self.segment(node) if tight else self.atom(node)

    def replace(self, node: ast.expr, text: str) -> Change:
        """Return the change of `node` into `text`, with parentheses where its place needs them."""
        start, end = self.span(node)
        return Change(start, end, text if self._fits(node, text) else f"({text})")

    def operator(self, before: ast.expr, after: ast.expr, symbol: str, by: str) -> Change | None:
        """Return the change of the operator between two operands; None when it is not found."""
        gap_start, gap_end = self.span(before)[1], self.span(after)[0]
        pattern = r"\s+".join(re.escape(word) for word in symbol.split())
        edge = r"\b" if symbol[0].isalpha() else ""
        found = re.search(edge + pattern + edge, self.text[gap_start:gap_end])
        if found is None:
            return None
        return Change(gap_start + found.start(), gap_start + found.end(), by)

    def indent(self, statement: ast.stmt) -> str | None:
        """Return the white space before `statement`; None when it does not begin its line."""
        start = self.span(statement)[0]
        prefix = self.text[self._starts[statement.lineno - 1] : start]
        return prefix if not prefix.strip() else None

    def line_start(self, line: int) -> int:
        """Return the offset of the first character of `line`."""
        return self._starts[min(line, len(self._starts)) - 1]

    def insert_before(self, statement: ast.stmt, text: str) -> Change | None:
        """Return the change that puts `text` on lines of its own before `statement`."""
        indent = self.indent(statement)
        if indent is None:
            return None
        decorators = getattr(statement, "decorator_list", [])
        line = min([statement.lineno, *(node.lineno for node in decorators)])
        at = self.line_start(line)
        body = "".join(f"{indent}{part}{self.line_ending}" for part in text.split("\n"))
        return Change(at, at, body)

    def insert_after(self, statement: ast.stmt, text: str) -> Change | None:
        """Return the change that puts `text` on lines of its own after `statement`."""
        indent = self.indent(statement)
        end_line = statement.end_lineno or statement.lineno
        end = self.span(statement)[1]
        rest = self.text[end : self._starts[end_line]]
        if indent is None or not re.fullmatch(r"\s*(#.*)?\s*", rest):
            return None
        at = self._starts[end_line]
        body = "".join(f"{indent}{part}{self.line_ending}" for part in text.split("\n"))
        lead = "" if self.text[:at].endswith("\n") else self.line_ending
        return Change(at, at, lead + body)

    def function_of(self, node: ast.AST) -> FunctionNode | None:
        """Return the innermost function that `node` stands in; for a function, itself."""
        at: ast.AST | None = node
        while at is not None:
            if isinstance(at, FunctionNode):
                return at
            at = self.parents.get(at)
        return None

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the statements that `statement` stands among, itself included."""
        for _, value in ast.iter_fields(self.parents[statement]):
            if isinstance(value, list) and any(item is statement for item in value):
                return value
        return [statement]

    def apply(self, edit: Edit) -> str:
        """Return the whole text after `edit`. Raises `ValueError` when its changes overlap."""
        changes = sorted(edit.changes, key=lambda change: (change.start, change.end))
        if any(one.end > two.start for one, two in pairwise(changes)):
            raise ValueError("changes overlap")
        text, at = [], 0
        for change in changes:
            text += [self.text[at : change.start], change.text]
            at = change.end
        return "".join([*text, self.text[at:]])

    def line_at(self, offset: int) -> int:
        """Return the 1-based line of a character offset."""
        return bisect_right(self._starts, offset)

    def _fits(self, node: ast.expr, text: str) -> bool:
        try:
            new = ast.parse(f"({text}\n)", mode="eval").body
        except SyntaxError:
            return True  # Not an expression by itself; compiling the whole file will tell.
        if isinstance(new, ATOMS):
            number = isinstance(new, ast.Constant) and isinstance(new.value, int | float)
            return not (number and isinstance(self.parents.get(node), ast.Attribute))
        parent = self.parents.get(node)
        if isinstance(new, ast.Tuple | ast.NamedExpr | ast.GeneratorExp | ast.Lambda):
            return isinstance(parent, ast.Return) and isinstance(new, ast.Tuple)
        argument = isinstance(parent, ast.Call) and parent.func is not node
        index = isinstance(parent, ast.Subscript) and parent.value is not node
        loose = argument or index or isinstance(parent, LOOSE_PARENTS)
        return loose or _tightness(new) > _tightness(parent) or self._in_parentheses(node)

    def _in_parentheses(self, node: ast.expr) -> bool:
        start, end = self.span(node)
        before, after = self.text[:start].rstrip(" "), self.text[end:].lstrip(" ")
        # In `f(x)` they belong to the call, and hold any expression just as well.
        return before.endswith("(") and after.startswith(")")


def own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions of `statement` itself, not those of the statements inside it."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                continue
            if isinstance(child, ast.expr):
                yield child
            stack.append(child)


def _tightness(node: ast.AST | None) -> int:
    """Return how tightly an operator binds: `or` least; 9 for what is no operator."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.UnaryOp):
        return TIGHTNESS.get(type(node.op), 4)
    return 9 if node is None else TIGHTNESS.get(type(node), 9)


def _lines(text: str) -> list[str]:
    """Return the lines as the compiler counts them; `splitlines` also cuts at form feeds."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)
