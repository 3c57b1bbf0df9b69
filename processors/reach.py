"""Tells whether a patch takes code out of use: no test runs any more what tests ran before.

Where a suite hardly covers the code, an edit that disables it passes every test. What counts as
disabled, and what does not, was settled by trying right and wrong edits:

* A statement the patch leaves as it is, that a test which *passed* at base ran, and that no test
  runs now. Lines that only failing tests ran say nothing: a guard or a mended condition leads the
  failing input past them, and that is what a fix is.
* The same in a function the patch does not touch, unless the patch calls something it did not
  call before: then one call took the place of another.
* The body of a loop whose head the patch changed, whoever ran it before: `range(1 - len(x))`
  leaves it to nobody, and the failing test alone cannot say that nothing was to be done in it.
* Statements deleted with nothing put in their place, if a passing test ran them; a bare call if
  any test did. Not `return`, `raise`, `break`, `assert` and what only guards them: without these
  more code runs, not less.
* By form alone, run or not: new conditions with a part that is the same for every input, and new
  code behind a `return`.

A statement that is rewritten is the patch's own and judged by the tests alone.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from io import StringIO
from itertools import pairwise

LINES_MIDDLE_MAX = 3_000
"""Of a file, between its first and last change: above it lines that repeat are not compared."""
LOSSES_SHOWN_MAX = 4

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Loop = ast.For | ast.AsyncFor | ast.While
_JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue, ast.Pass, ast.Assert)
_VARIES = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Await, ast.Yield, ast.YieldFrom)
_NOTHING = frozenset({"", "pass", "..."})
_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Ran:
    """The lines of one file that tests ran: those that passed, and any."""

    passed: frozenset[int] = frozenset()
    some: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Unit:
    """A statement, the lines of its own (not those of its body), and the functions around it."""

    node: ast.stmt
    lines: tuple[int, ...]
    inside: tuple[str, ...]
    holds: tuple[str, ...]
    """`inside`, and itself where it is a function or a class."""


@dataclass(slots=True)
class _Side:
    """One text of the file, parsed."""

    lines: list[str]
    tree: ast.Module
    units: list[_Unit] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> _Side | None:
        """Return the side; None when the text cannot be parsed."""
        try:
            side = cls([line.rstrip("\r\n") for line in StringIO(text)], ast.parse(text))
            side.units += side._units(side.tree, ())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return side

    def is_code(self, line: int) -> bool:
        """Return whether `line` holds more than nothing, a comment or `pass`."""
        text = self.lines[line - 1].strip() if line <= len(self.lines) else ""
        return text not in _NOTHING and not text.startswith("#")

    def _units(self, node: ast.AST, inside: tuple[str, ...]) -> Iterator[_Unit]:
        for child in ast.iter_child_nodes(node):
            around = inside
            if isinstance(child, _Function | ast.ClassDef):
                # Under its full name, so that methods of two classes are not taken for one.
                around = (*inside, f"{inside[-1]}.{child.name}" if inside else child.name)
            if isinstance(child, ast.stmt):
                yield _Unit(child, self._own(child), inside, around)
            if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
                yield from self._units(child, around)

    def _own(self, node: ast.stmt) -> tuple[int, ...]:
        end = min(map(_first, _children(node)), default=(node.end_lineno or 0) + 1)
        lines = range(node.lineno, max(end, node.lineno + 1))
        return tuple(line for line in lines if self.is_code(line) or line == node.lineno)


@dataclass(frozen=True, slots=True)
class _Diff:
    """Both sides, and where each old line is now."""

    path: str
    old: _Side
    new: _Side
    now: dict[int, int]
    changed: frozenset[str]
    """The functions the patch changes anything in."""
    added: frozenset[str]
    """Those it adds code to; the empty name stands for what is in none."""

    def kept(self, unit: _Unit) -> bool:
        return all(line in self.now for line in unit.lines)

    def runs(self, unit: _Unit, after: frozenset[int]) -> bool:
        return any(self.now[line] in after for line in unit.lines if line in self.now)


def losses(path: str, before: str, after: str, ran: Ran, runs_now: frozenset[int]) -> list[str]:
    """Return what the edit of `path` takes out of use, for people; empty when nothing.

    `ran` is what tests ran of the old text, `runs_now` what any test runs of the new one. A text
    that cannot be parsed gives nothing.
    """
    diff = _diff(path, before, after)
    if diff is None:
        return []
    found = [*_unused(diff, ran, runs_now), *_emptied(diff, ran, runs_now), *_deleted(diff, ran)]
    return list(dict.fromkeys(found))


def coverage(before: str, after: str, runs_now: frozenset[int]) -> tuple[int, int]:
    """Return how many statements that an edit adds or changes are run by tests, and how many are.

    (0, 0) for a text that cannot be parsed.
    """
    diff = _diff("", before, after)
    if diff is None:
        return 0, 0
    kept = set(diff.now.values())
    come = {n for n in range(1, len(diff.new.lines) + 1) if n not in kept and diff.new.is_code(n)}
    units = [unit for unit in diff.new.units if come.intersection(unit.lines)]
    return sum(bool(runs_now.intersection(unit.lines)) for unit in units), len(units)


def dead(path: str, before: str, after: str) -> list[str]:
    """Return where the edit of `path` adds code that decides nothing or is never reached."""
    old, new = _Side.of(before), _Side.of(after)
    if old is None or new is None:
        return []
    known = Counter(what for what, _, _ in _dead(old.tree))
    found = []
    for what, line, why in _dead(new.tree):
        known[what] -= 1
        if known[what] < 0:
            found.append(f"{path}, line {line}: {why}")
    return found


def said(found: Sequence[str]) -> str:
    """Return `found` in one sentence, not too long."""
    more = len(found) - LOSSES_SHOWN_MAX
    shown = "; ".join(found[:LOSSES_SHOWN_MAX])
    return f"{shown}; and {more} more" if more > 0 else shown


# --- what is lost ---


def _unused(diff: _Diff, ran: Ran, after: frozenset[int]) -> Iterator[str]:
    replaced = _new_calls(diff)
    lost: dict[str, list[int]] = {}
    for unit in diff.old.units:
        if not ran.passed.intersection(unit.lines) or not diff.kept(unit):
            continue
        elsewhere = not diff.changed.intersection(unit.inside)
        if diff.runs(unit, after) or (elsewhere and replaced):
            continue
        lost.setdefault(unit.inside[-1] if unit.inside else "", []).append(unit.lines[0])
    for function, lines in lost.items():
        yield (
            f"{_where(diff, lines, function)}: tests that passed ran it before the patch,"
            " and none runs it any more"
        )


def _emptied(diff: _Diff, ran: Ran, after: frozenset[int]) -> Iterator[str]:
    by_node = {unit.node: unit for unit in diff.old.units}
    for unit in diff.old.units:
        if not isinstance(unit.node, _Loop) or diff.kept(unit):
            continue
        body = [by_node[node] for node in unit.node.body]
        inner = [part for part in body if diff.kept(part) and ran.some.intersection(part.lines)]
        if inner and not any(diff.runs(part, after) for part in body):
            lines = [part.lines[0] for part in inner]
            function = unit.inside[-1] if unit.inside else ""
            yield f"{_where(diff, lines, function)}: no test enters the loop any more"


def _deleted(diff: _Diff, ran: Ran) -> Iterator[str]:
    gone: set[int] = set()
    for unit in diff.old.units:
        span = range(_first(unit.node), (unit.node.end_lineno or unit.node.lineno) + 1)
        if gone.issuperset(span) or any(n in diff.now for n in span if diff.old.is_code(n)):
            continue
        if isinstance(unit.node, _Function | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        runners = ran.some if _is_call(unit.node) else ran.passed
        function = unit.inside[-1] if unit.inside else ""
        if not runners.intersection(unit.lines) or function in diff.added or _is_way_out(unit.node):
            continue
        gone.update(span)
        yield (
            f"{_where(diff, [unit.lines[0]], function)}: the patch deletes what tests ran,"
            " and puts nothing in its place"
        )


def _where(diff: _Diff, lines: Sequence[int], function: str) -> str:
    ordered = sorted(set(lines))
    text = ", ".join(_ranges(ordered))
    named = f" (`{function}`)" if function else ""
    return f"{diff.path}, line{'s' if len(ordered) > 1 else ''} {text}{named}"


def _ranges(ordered: Sequence[int]) -> Iterator[str]:
    start = ordered[0]
    for one, two in pairwise([*ordered, -1]):
        if two != one + 1:
            yield str(start) if start == one else f"{start}-{one}"
            start = two


def _new_calls(diff: _Diff) -> bool:
    """Return whether the patch calls something that it did not call before.

    Not a built-in, which is no function's equal, nor the function it stands in: `names(text)` in
    `names` is an idle way to call `check(text)` no more.
    """
    none = _BUILTINS | {name.rpartition(".")[2] for name in diff.changed}
    return any(name not in none for name in _calls(diff.new.tree) - _calls(diff.old.tree))


def _calls(tree: ast.AST) -> Counter[str]:
    functions = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return Counter(
        f.id if isinstance(f, ast.Name) else f.attr
        for f in functions
        if isinstance(f, ast.Name | ast.Attribute)
    )


def _is_call(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value.value if isinstance(value, ast.Await) else value, ast.Call)


def _is_way_out(node: ast.stmt) -> bool:
    """Return whether `node` only ends something, so that more runs without it."""
    if isinstance(node, ast.If):
        return all(_is_way_out(part) for part in (*node.body, *node.orelse))
    return isinstance(node, _JUMPS)


# --- by form alone ---


def _dead(tree: ast.AST) -> Iterator[tuple[str, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While | ast.IfExp) and _is_fixed(node):
            text = ast.unparse(node.test)
            yield text, node.test.lineno, f"the condition `{text}` has a part that is always so"
        for block in _blocks(node):
            for one, two in pairwise(block):
                if isinstance(one, ast.Return | ast.Raise | ast.Break | ast.Continue):
                    yield ast.dump(two), two.lineno, "nothing reaches it"
                    break


def _is_fixed(node: ast.If | ast.While | ast.IfExp) -> bool:
    if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
        return False  # `while True` is left from inside.
    return any(not any(isinstance(n, _VARIES) for n in ast.walk(p)) for p in _parts(node.test))


def _parts(test: ast.expr) -> Iterator[ast.expr]:
    match test:
        case ast.BoolOp(values=values):
            for value in values:
                yield from _parts(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _parts(operand)
        case _:
            yield test


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value


def _children(node: ast.AST) -> Iterator[ast.stmt]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.excepthandler | ast.match_case):
            yield from _children(child)


def _first(node: ast.stmt) -> int:
    if not isinstance(node, _Function | ast.ClassDef):
        return node.lineno
    return min([node.lineno, *(part.lineno for part in node.decorator_list)])


# --- from old lines to new ones ---


def _diff(path: str, before: str, after: str) -> _Diff | None:
    old, new = _Side.of(before), _Side.of(after)
    if old is None or new is None:
        return None
    now = _line_map(old.lines, new.lines)
    kept = set(now.values())
    gone = [n for n in range(1, len(old.lines) + 1) if n not in now and old.is_code(n)]
    come = [n for n in range(1, len(new.lines) + 1) if n not in kept and new.is_code(n)]
    added = _functions_at(new, come)
    return _Diff(path, old, new, now, _functions_at(old, gone) | added, added)


def _functions_at(side: _Side, lines: Sequence[int]) -> frozenset[str]:
    """Return the functions and classes around `lines`, outer ones too; "" for a line in none."""
    found: set[str] = set()
    for line in lines:
        around = [
            unit.holds or ("",)
            for unit in side.units
            if _first(unit.node) <= line <= (unit.node.end_lineno or unit.node.lineno)
        ]
        found.update(*around or [("",)])
    return frozenset(found)


def _line_map(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Map each old line, from 1, to the new one that is the same, indented or moved or not."""
    now: dict[int, int] = {}
    left: list[int] = []
    for tag, i1, i2, j1, j2 in _opcodes(old, new):
        if tag == "equal":
            now.update(zip(range(i1 + 1, i2 + 1), range(j1 + 1, j2 + 1), strict=True))
            continue
        one, two = [x.strip() for x in old[i1:i2]], [x.strip() for x in new[j1:j2]]
        for block in SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks():
            now.update((i1 + block.a + k + 1, j1 + block.b + k + 1) for k in range(block.size))
        left += [n for n in range(i1 + 1, i2 + 1) if n not in now]
    kept = set(now.values())
    free = [n for n in range(1, len(new) + 1) if n not in kept]
    for text, count in Counter(old[n - 1].strip() for n in left).items():
        places = [n for n in free if new[n - 1].strip() == text]
        if text and count == len(places) == 1:
            now[next(n for n in left if old[n - 1].strip() == text)] = places[0]
    return now


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    one, two = old[head : len(old) - tail], new[head : len(new) - tail]
    yield "equal", 0, head, 0, head
    junk = max(len(one), len(two)) > LINES_MIDDLE_MAX
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, two, autojunk=junk).get_opcodes():
        yield tag, i1 + head, i2 + head, j1 + head, j2 + head
    yield "equal", len(old) - tail, len(old), len(new) - tail, len(new)
