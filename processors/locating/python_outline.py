"""Python files: by the language's own parser, and by indentation where that refuses."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from processors.locating.outline import (
    BASES_MAX,
    CALLS_MAX,
    IMPORTS_MAX,
    SYMBOL_CHARS_MAX,
    UNITS_MAX,
    USES,
    Import,
    Kind,
    Outline,
    Unit,
)

_DEFINES = re.compile(r"^(?P<indent>[ \t]*)(?P<what>class|(?:async[ ]+)?def)[ \t]+(?P<name>\w+)")
_IMPORTS = re.compile(
    r"^[ \t]*from[ \t]+(?P<module>[\w.]+)[ \t]+import[ \t]+(?P<names>[\w, ]+)", re.MULTILINE
)
_STRING = re.compile(r"\"([^\"\n]{4,300})\"|'([^'\n]{4,300})'")
_DEPTH_MAX = 20
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def outline(text: str) -> Outline:
    """Return what the file defines. Never raises: of broken files by indentation alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Other people's invalid escapes are not our news.
            tree = ast.parse(text)
        return _Reader(text.splitlines()).read(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _by_indentation(text)


@dataclass(slots=True)
class _Reader:
    lines: list[str]
    units: list[Unit] = field(default_factory=list)

    def read(self, tree: ast.Module) -> Outline:
        own = self._walk(tree.body, "", 0)
        doc = ast.get_docstring(tree, clean=False) or ""
        code, strings = self._parts(own, tree.body[0] if doc else None)
        last = max(1, len(self.lines))
        module = Unit("", "module", 1, last, doc=doc, strings=strings, code=code, calls=_calls(own))
        if (listed := _listed(own)) is not None:
            self.units = [
                replace(unit, is_public=unit.is_public and unit.symbol.partition(".")[0] in listed)
                for unit in self.units
            ]
        taken = chain(_imports(tree), _renamed(own))
        return Outline((module, *self.units[:UNITS_MAX]), tuple(islice(taken, IMPORTS_MAX)))

    def _walk(self, body: Sequence[ast.stmt], prefix: str, depth: int) -> list[ast.stmt]:
        """Add the definitions in `body`, and return the statements that are none."""
        own: list[ast.stmt] = []
        for node in body:
            if isinstance(node, _Function):
                self._add(node, prefix, "function", node.body)
            elif isinstance(node, ast.ClassDef):
                at = len(self.units)
                mine = self._walk(node.body, f"{prefix}{node.name}.", depth + 1)
                self._add(node, prefix, "class", mine)
                self.units.insert(at, self.units.pop())
            else:
                own += self._inside(node, prefix, depth)
        return own

    def _inside(self, node: ast.stmt, prefix: str, depth: int) -> list[ast.stmt]:
        # What is defined under `if TYPE_CHECKING` or `try` belongs where that statement stands.
        inner = [
            part
            for name in ("body", "orelse", "finalbody")
            for part in getattr(node, name, ())
            if isinstance(part, ast.stmt)
        ]
        if depth < _DEPTH_MAX and any(isinstance(n, _Function | ast.ClassDef) for n in inner):
            return self._walk(inner, prefix, depth + 1)
        return [node]

    def _add(
        self, node: _Function | ast.ClassDef, prefix: str, kind: Kind, own: Sequence[ast.stmt]
    ) -> None:
        doc = ast.get_docstring(node, clean=False) or ""
        start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        head = "\n".join(self.lines[start - 1 : max(node.lineno, node.body[0].lineno - 1)])
        code, strings = self._parts(own, node.body[0] if doc else None)
        self.units.append(
            Unit(
                f"{prefix}{node.name}"[:SYMBOL_CHARS_MAX],
                kind,
                line_start=start,
                line_end=node.end_lineno or node.lineno,
                doc=doc,
                strings=strings,
                code=f"{head}\n{code}",
                calls=_calls([*own, *node.decorator_list], _given(node)),
                is_public=not any(_is_private(part) for part in (*prefix.split("."), node.name)),
                bases=_bases(node),
            )
        )

    def _parts(self, nodes: Sequence[ast.stmt], doc: ast.stmt | None) -> tuple[str, str]:
        """Return the code of the statements, and the texts in quotes, without the docstring."""
        kept = [node for node in nodes if node is not doc]
        code: list[str] = []
        done = 0
        for node in kept:
            # Each line once: ten thousand statements may stand on one that is as long as the file.
            first, last = max(node.lineno, done + 1), node.end_lineno or node.lineno
            code += self.lines[first - 1 : last]
            done = max(done, last)
        return "\n".join(code), "\n".join(_strings(kept))


def _strings(nodes: Sequence[ast.stmt]) -> Iterator[str]:
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                yield part.value


def _listed(nodes: Sequence[ast.stmt]) -> frozenset[str] | None:
    """Return what `__all__` lists; None where there is none, or it is put together."""
    found: frozenset[str] | None = None
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if not any(isinstance(one, ast.Name) and one.id == "__all__" for one in targets):
            continue
        value = getattr(node, "value", None)
        if isinstance(node, ast.AugAssign) or not isinstance(value, ast.List | ast.Tuple):
            return None
        names = [part.value for part in value.elts if isinstance(part, ast.Constant)]
        if len(names) < len(value.elts):
            return None
        found = frozenset(str(name) for name in names)
    return found


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _calls(nodes: Sequence[ast.AST], given: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what is called, decorators among it, each once in the order of the code.

    Behind it, with a sign: what is handed on, read of `self`, or `given` by a fixture.
    """
    found: dict[str, None] = {}
    used: dict[str, None] = dict.fromkeys(given)
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute):  # A decorator that is not called itself.
            found.setdefault(_called(node))
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                found.setdefault(_called(part.func))
                used.update(dict.fromkeys(_handed(part)))
            elif isinstance(part, ast.Attribute) and _is_self(part.value):
                used.setdefault(_called(part))
    uses = (f"{USES}{name}" for name in used if name not in found)
    return tuple(islice(chain((name for name in found if name), uses), CALLS_MAX))


def _handed(call: ast.Call) -> Iterator[str]:
    for value in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(value, ast.Name):
            yield value.id


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _given(node: _Function | ast.ClassDef) -> Sequence[str]:
    """Return the arguments of a test or a fixture: they are names of fixtures."""
    if isinstance(node, ast.ClassDef):
        return ()
    named = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    if node.name.startswith("test") or any(_called(one).endswith("fixture") for one in named):
        return [one.arg for one in (*node.args.args, *node.args.kwonlyargs)]
    return ()


def _bases(node: _Function | ast.ClassDef) -> tuple[str, ...]:
    if not isinstance(node, ast.ClassDef):
        return ()
    plain = (one.value if isinstance(one, ast.Subscript) else one for one in node.bases)
    return tuple(name for one in islice(plain, BASES_MAX) if (name := _called(one)))


def _renamed(nodes: Sequence[ast.stmt]) -> Iterator[Import]:
    """Yield second names, such as `Old = New`, as what the file takes from itself."""
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
            for target in node.targets:
                name = _called(node.value)
                if isinstance(target, ast.Name) and not name.startswith("."):
                    yield Import("", name, target.id)


def _called(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    is_super = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "super"
    parts.append(node.id if isinstance(node, ast.Name) else "super" if is_super else "")
    return ".".join(reversed(parts))[:SYMBOL_CHARS_MAX]


def _imports(tree: ast.Module) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for name in node.names:
                yield Import(module, name.name, name.asname or name.name)
        elif isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, "", name.asname or name.name)


# --- files that do not parse ---


def _by_indentation(text: str) -> Outline:
    lines = text.splitlines()
    heads = [(at, found) for at, line in enumerate(lines) if (found := _DEFINES.match(line))]
    units: list[Unit] = []
    stack: list[tuple[int, str, bool]] = []
    """Of what the line is inside: its last line, its name, whether it is a class."""
    first = heads[0][0] if heads else len(lines)
    for at, found in heads[:UNITS_MAX]:
        while stack and stack[-1][0] <= at:
            stack.pop()
        is_class = found["what"] == "class"
        if any(not was_class for _, _, was_class in stack):
            continue  # Inside a function: it belongs to that one.
        symbol = ".".join([*(name for _, name, _ in stack), found["name"]])[:SYMBOL_CHARS_MAX]
        end = _end(lines, at, len(found["indent"].expandtabs(8)))
        stack.append((end, found["name"], is_class))
        shown = "\n".join(lines[at : at + 1 if is_class else end])
        kind: Kind = "class" if is_class else "function"
        units.append(Unit(symbol, kind, at + 1, end, strings=_quoted(shown), code=shown))
    head = "\n".join(lines[:first])
    module = Unit("", "module", 1, max(1, len(lines)), strings=_quoted(head), code=head)
    return Outline((module, *units), tuple(islice(_imported(text), IMPORTS_MAX)))


def _imported(text: str) -> Iterator[Import]:
    for found in _IMPORTS.finditer(text):
        for each in found["names"].split(","):
            name, _, alias = (part.strip() for part in each.partition(" as "))
            if name.isidentifier():
                yield Import(found["module"], name, alias or name)


def _end(lines: Sequence[str], start: int, indent: int) -> int:
    """Return the number of the last line that is indented below the one at `start`."""
    end = start + 1
    for at in range(start + 1, len(lines)):
        line = lines[at].expandtabs(8)
        if not line.strip():
            continue
        if len(line) - len(line.lstrip()) <= indent:
            break
        end = at + 1
    return end


def _quoted(text: str) -> str:
    return "\n".join(one or other for one, other in _STRING.findall(text))
