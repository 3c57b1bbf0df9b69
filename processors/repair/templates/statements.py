"""A statement missing, in the wrong place, or assigning to the wrong thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from processors.repair.ingredients import Site
from processors.repair.source import Change, Edit, own_expressions

TEXT_METHODS = {"strip", "lstrip", "rstrip", "lower", "upper", "replace", "title", "casefold"}
MUTATORS = {
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "sort",
    "clear",
    "update",
    "add",
    "reverse",
}
COLLECTIONS = {"list": "append", "set": "add", "deque": "append", "dict": ""}
GROWING = {"append", "add", "appendleft"}
INSERTED_VALUES_MAX = 8


def assigned_target(site: Site) -> Iterator[Edit]:
    """Try `a[i, j] = e` -> `b[j] = e`, another place that the function knows."""
    statement = site.statement
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    if isinstance(target, ast.Tuple):
        return
    own = site.source.segment(target)
    pool: dict[str, float] = {}
    for node in ast.walk(site.region):
        fitting = isinstance(node, ast.Subscript | ast.Attribute) and type(node) is type(target)
        if fitting and isinstance(node, ast.expr) and not _is_called(site, node):
            pool.setdefault(site.source.segment(node), 0.2)
    if isinstance(target, ast.Name):
        pool |= dict.fromkeys(site.variables, 0.15)
    for text, prior in pool.items():
        if text != own and "\n" not in text:
            change = site.source.replace(target, text)
            yield Edit((change,), "assigned-target", prior, f"assigns to `{text}`, not to `{own}`")


def _is_called(site: Site, node: ast.expr) -> bool:
    parent = site.source.parents[node]
    return isinstance(parent, ast.Call) and parent.func is node


def dropped_result(site: Site) -> Iterator[Edit]:
    """Try a result that is thrown away: `s.strip()` -> `s = s.strip()`; `f(x)` -> `return f(x)`."""
    statement = site.statement
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call, text = statement.value, site.source.segment(statement.value)
        start = site.source.span(statement)[0]
        if isinstance(call.func, ast.Attribute):
            owner = site.source.segment(call.func.value)
            if call.func.attr in TEXT_METHODS:
                change = Change(start, start, f"{owner} = ")
                yield Edit((change,), "dropped-result", 0.6, "keeps the result of a text method")
            if len(call.args) == 1:
                form = f"{owner} = {site.source.segment(call.args[0])}"
                yield Edit((site.source.replace(call, form),), "call-to-assignment", 0.15, form)
        if site.function is not None:
            change = Change(start, start, "return ")
            yield Edit((change,), "missing-return", 0.3, f"returns the result of `{text[:60]}`")
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
        yield from _in_place_result(site, statement.value)


def _in_place_result(site: Site, call: ast.Call) -> Iterator[Edit]:
    """Try `y = x.sort()` -> `y = sorted(x)`: methods that work in place return None."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in {"sort", "reverse"}:
        owner = site.source.segment(call.func.value)
        args = ", ".join([owner, *(site.source.segment(k) for k in call.keywords)])
        form = f"sorted({args})" if call.func.attr == "sort" else f"{owner}[::-1]"
        change = site.source.replace(call, form)
        yield Edit((change,), "in-place-result", 0.8, "uses the sorted copy, not None")


def missing_return(site: Site) -> Iterator[Edit]:
    """Try a function that ends without a result: `return v` after its last statement."""
    function = site.function
    if function is None or site.statement not in function.body:
        return
    if site.statement is not function.body[-1] or isinstance(
        site.statement, ast.Return | ast.Raise
    ):
        return
    names = [*site.variables, "True", "False", "self"]
    for name in names[:10]:
        if change := site.source.insert_after(site.statement, f"return {name}"):
            yield Edit((change,), "missing-return", 0.35, f"returns `{name}` at the end")


def early_exit(site: Site) -> Iterator[Edit]:
    """Try `break` -> `continue`; a `return` moved out of the loop that it ends too early."""
    source, statement = site.source, site.statement
    swaps = {
        ast.Break: ("continue", "return"),
        ast.Continue: ("break", "pass"),
        ast.Pass: ("continue", "break"),
    }
    for form in swaps.get(type(statement), ()):
        change = Change(*source.span(statement), form)
        yield Edit((change,), "early-exit", 0.3, f"does `{form}` instead")
    parent = source.parents[statement]
    if not isinstance(statement, ast.Return | ast.AugAssign | ast.Assign | ast.Expr):
        return
    if isinstance(parent, ast.For | ast.While) and parent.body[-1] is statement:
        if len(parent.body) < 2:
            return
        after = source.insert_after(parent, source.segment(statement))
        start = source.line_start(statement.lineno)
        end = source.line_start((statement.end_lineno or statement.lineno) + 1)
        if after and source.indent(statement) is not None and end <= after.start:
            change = Change(start, end, "")
            yield Edit((change, after), "early-exit", 0.4, "moves a line out of the loop")


def inserted_assignment(site: Site) -> Iterator[Edit]:
    """Try a missing `x = y` before the statement, or at the end of its block."""
    stored = [n for n in site.variables if n not in site.parameters] + list(site.parameters)
    for name in stored[:INSERTED_VALUES_MAX]:
        for value in site.variables[:INSERTED_VALUES_MAX]:
            if name != value and _alike(site, name, value):
                yield from _insert(site, f"{name} = {value}", "inserted-assignment", 0.1)
    for name in stored[:INSERTED_VALUES_MAX]:
        if site.kinds.get(name, "int") == "int":
            yield from _insert(site, f"{name} += 1", "inserted-assignment", 0.07)


def inserted_call(site: Site) -> Iterator[Edit]:
    """Try a missing `x.append(y)` or `x.add(y)`."""
    grown: dict[str, str] = {}
    for node in ast.walk(site.region):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in GROWING:
                grown[site.source.segment(owner)] = attr
            case _:
                continue
    for name in site.variables:
        method = COLLECTIONS.get(site.kinds.get(name, "") or _literal(site, name), "")
        if method:
            grown.setdefault(name, method)
    for text, method in grown.items():
        for value in site.variables:
            if value != text:
                form = f"{text}.{method}({value})"
                yield from _insert(site, form, "inserted-call", 0.12)


def _literal(site: Site, name: str) -> str:
    return site.kind_of(ast.Name(id=name, ctx=ast.Load()))


def _alike(site: Site, one: str, two: str) -> bool:
    kinds = {site.kinds.get(one, ""), site.kinds.get(two, "")} - {"", "NoneType"}
    return len(kinds) < 2


def _insert(site: Site, line: str, template: str, prior: float) -> Iterator[Edit]:
    if isinstance(site.statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    if change := site.source.insert_before(site.statement, line):
        yield Edit((change,), template, prior, f"inserts `{line}`")
    block = site.source.block_of(site.statement)
    last = block[-1] is site.statement and not isinstance(site.statement, ast.Return | ast.Raise)
    if last and (change := site.source.insert_after(site.statement, line)):
        yield Edit((change,), template, prior, f"inserts `{line}`")


def mutable_default(site: Site) -> Iterator[Edit]:
    """Try `def f(xs=[])` -> `def f(xs=None)` with `if xs is None: xs = []` first."""
    function = site.statement
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    names = [*function.args.posonlyargs, *function.args.args]
    pairs = [*zip(names[-len(function.args.defaults) :], function.args.defaults, strict=False)]
    pairs += [
        (a, d)
        for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        if d
    ]
    for arg, default in pairs:
        empty = re.fullmatch(r"\[\]|\{\}|(list|dict|set)\(\)", site.source.segment(default))
        if not isinstance(default, ast.List | ast.Dict | ast.Set) and not empty:
            continue
        first = function.body[0]
        documented = ast.get_docstring(function, clean=False) is not None
        lines = f"if {arg.arg} is None:\n    {arg.arg} = {site.source.segment(default)}"
        place = site.source.insert_after if documented else site.source.insert_before
        if body := place(first, lines):
            changes = (site.source.replace(default, "None"), body)
            why = f"makes a new `{arg.arg}` for every call"
            yield Edit(changes, "mutable-default", 0.95, why)


def copy_before_change(site: Site) -> Iterator[Edit]:
    """Try a copy: `x = y` -> `x = y.copy()`, `return self.x` -> `return list(self.x)`."""
    statement = site.statement
    value = statement.value if isinstance(statement, ast.Assign | ast.Return) else None
    if isinstance(value, ast.Name | ast.Attribute):
        text = site.source.segment(value)
        for form in (f"list({text})", f"dict({text})", f"{text}.copy()"):
            change = site.source.replace(value, form)
            yield Edit((change,), "copy-before-change", 0.15, f"works on a copy of `{text}`")
    first = site.function.body[0] if site.function else None
    for name in site.parameters if site.statement is first else ():
        kind = site.kinds.get(name, "list")
        if kind not in {"list", "dict", "set"} or not _is_changed(site, name):
            continue
        if before := site.source.insert_before(statement, f"{name} = {kind}({name})"):
            yield Edit((before,), "copy-before-change", 0.5, f"works on a copy of `{name}`")


def _is_changed(site: Site, name: str) -> bool:
    for node in ast.walk(site.region):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=attr)):
                if owner == name and attr in MUTATORS:
                    return True
            case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del()):
                if owner == name:
                    return True
            case ast.AugAssign(target=ast.Name(id=owner)) if owner == name:
                return True
    return False


def comprehension_filter(site: Site) -> Iterator[Edit]:
    """Try `[f(x) for x in xs]` -> `[f(x) for x in xs if x]`, `... if x is not None]`."""
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        part = node.generators[-1]
        names = [n.id for n in ast.walk(part.target) if isinstance(n, ast.Name)]
        after = part.ifs[-1] if part.ifs else part.iter
        end = site.source.span(after)[1]
        text = site.source.text
        while text[end : end + 1] == ")" and text[:end].count("(", site.source.span(node)[0]) > (
            text[:end].count(")", site.source.span(node)[0]) + isinstance(node, ast.GeneratorExp)
        ):
            end += 1
        word = "and" if part.ifs else "if"
        for name in names:
            for form in (name, f"{name} is not None"):
                change = Change(end, end, f" {word} {form}")
                yield Edit((change,), "comprehension-filter", 0.25, f"only where `{form}`")
