"""What the code around a statement offers to build an edit from: names, kinds, expressions."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property

from processors.repair.harness import Crash
from processors.repair.source import FunctionNode, Source

BUILTINS = frozenset(dir(builtins))
SUBEXPRESSIONS_MAX = 400
NAMES_MAX = 25


@dataclass(frozen=True)
class Site:
    """A statement to edit, and what is known about it."""

    source: Source
    statement: ast.stmt
    crash: Crash | None = None
    """The exception of the failing test, where its traceback goes through the statement."""
    failure: Crash | None = None
    """The exception of the failing test, wherever it was raised."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Type names of variables, as the failing test left them in this function."""

    @cached_property
    def function(self) -> FunctionNode | None:
        """Return the function around the statement."""
        return self.source.function_of(self.statement)

    @cached_property
    def region(self) -> ast.AST:
        """Return the function, or the module where there is none."""
        return self.function or self.source.tree

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Return the names of the function's parameters, `self` and `cls` left out."""
        if self.function is None:
            return ()
        args = self.function.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        return tuple(a.arg for a in every if a is not None and a.arg not in {"self", "cls"})

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Return parameters and local variables, nearest to the statement first."""
        near: dict[str, int] = dict.fromkeys(self.parameters, 10_000)
        for node in ast.walk(self.region):
            if isinstance(node, ast.Name) and not self._is_global(node.id):
                distance = abs(node.lineno - self.statement.lineno)
                near[node.id] = min(distance, near.get(node.id, 10_000))
        own = {*self._stored, *self.parameters, *self._enclosing}
        local = [name for name in near if name in own]
        return tuple(sorted(local, key=lambda name: near[name])[:NAMES_MAX])

    @cached_property
    def _stored(self) -> frozenset[str]:
        return frozenset(
            node.id
            for node in ast.walk(self.region)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )

    @cached_property
    def _enclosing(self) -> dict[str, ast.expr | None]:
        """Map the variables of the functions around this one to what they are assigned."""
        found: dict[str, ast.expr | None] = {}
        at: ast.AST | None = self.function
        while at is not None:
            at = self.source.parents.get(at)
            if not isinstance(at, FunctionNode):
                continue
            found |= {arg.arg: None for arg in at.args.args}
            for node in ast.walk(at):
                match node:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value):
                        found[name] = value
                    case _:
                        continue
        return found

    def _is_global(self, name: str) -> bool:
        return name in self.module_names and name not in self._stored

    @cached_property
    def module_names(self) -> tuple[str, ...]:
        """Return what the module defines or imports at its top level."""
        found: dict[str, None] = {}
        for node in self.source.tree.body:
            found.update(dict.fromkeys(_defined(node)))
        return tuple(found)

    @cached_property
    def known_names(self) -> frozenset[str]:
        """Return every name that can be read at the statement."""
        return frozenset({*self.variables, *self.module_names, *BUILTINS, *self._stored})

    @cached_property
    def callables(self) -> tuple[str, ...]:
        """Return names that the file calls, local functions among them."""
        called = {
            node.func.id
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        nested = {n.name for n in ast.walk(self.source.tree) if isinstance(n, FunctionNode)}
        return tuple(sorted((called | nested) & (self.known_names | nested)))

    @cached_property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """Map the text of each object to the attributes the file uses or sets on it."""
        found: dict[str, dict[str, None]] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Attribute):
                found.setdefault(self.source.segment(node.value), {})[node.attr] = None
        return {owner: tuple(names) for owner, names in found.items()}

    @cached_property
    def attribute_names(self) -> tuple[str, ...]:
        """Return every attribute name in the file, methods of its classes included."""
        found: dict[str, None] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Attribute):
                found[node.attr] = None
            elif isinstance(node, ast.ClassDef):
                found.update((n, None) for item in node.body for n in _defined(item))
        return tuple(found)

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """Return the text of each number and short string of the function, then of the file."""
        found: dict[str, None] = {}
        for region in (self.region, self.source.tree):
            for node in ast.walk(region):
                if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
                    text = self.source.segment(node)
                    if len(text) <= 40 and "\n" not in text:
                        found[text] = None
        return tuple(found)

    @cached_property
    def expressions(self) -> tuple[ast.expr, ...]:
        """Return the file's small expressions that are more than a name, nearest first."""
        found: dict[str, ast.expr] = {}
        for region in (self.region, self.source.tree):
            for node in ast.walk(region):
                wanted = isinstance(node, ast.Call | ast.BinOp | ast.Subscript | ast.Attribute)
                if wanted and isinstance(node, ast.expr) and _reads(node):
                    text = self.source.segment(node)
                    if len(text) <= 60 and "\n" not in text:
                        found.setdefault(text, node)
        return tuple(found.values())[:SUBEXPRESSIONS_MAX]

    def readable(self, node: ast.expr) -> bool:
        """Return whether every name in `node` can be read at the statement."""
        bound = {
            name.id
            for part in ast.walk(node)
            if isinstance(part, ast.comprehension)
            for name in ast.walk(part.target)
            if isinstance(name, ast.Name)
        }
        return all(
            name.id in self.known_names or name.id in bound
            for name in ast.walk(node)
            if isinstance(name, ast.Name)
        )

    def kind_of(self, node: ast.expr) -> str:
        """Return a rough kind of the value of `node`: a type name, or '' when nothing tells."""
        if isinstance(node, ast.Name):
            return self.kinds.get(node.id) or self._assigned_kind(node.id)
        return literal_kind(node)

    def _assigned_kind(self, name: str) -> str:
        for node in ast.walk(self.region):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in node.targets
            ):
                return literal_kind(node.value)
        outer = self._enclosing.get(name)
        return literal_kind(outer) if outer is not None else ""


KIND_OF_FORM: dict[type[ast.expr], str] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Tuple: "tuple",
    ast.JoinedStr: "str",
    ast.Compare: "bool",
}
KIND_OF_CALL = {"len": "int", "ord": "int", "round": "int", "sorted": "list", "range": "list"}
KIND_OF_CALL |= {
    name: name for name in ("int", "list", "str", "set", "dict", "tuple", "float", "bool")
}


def literal_kind(node: ast.expr) -> str:
    """Return the kind of an expression that shows it by its form, else ''."""
    match node:
        case ast.Constant(value=value):
            return type(value).__name__
        case ast.UnaryOp(op=ast.Not()):
            return "bool"
        case ast.Call(func=ast.Name(id=name)):
            return KIND_OF_CALL.get(name, "")
        case _:
            return KIND_OF_FORM.get(type(node), "")


def similar(
    wrong: str, names: Iterator[str] | tuple[str, ...], *, cutoff: float = 0.6
) -> list[str]:
    """Return the `names` that look like `wrong`, likest first."""
    scored = [
        (SequenceMatcher(None, wrong.lower(), name.lower()).ratio(), name)
        for name in dict.fromkeys(names)
        if name != wrong
    ]
    return [name for ratio, name in sorted(scored, reverse=True) if ratio >= cutoff]


def _defined(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            for alias in names:
                yield alias.asname or alias.name.split(".")[0]
        case _:
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id


def _reads(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Load | None)
