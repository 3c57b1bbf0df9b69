"""Wrong shape of an expression: arguments, slices, something too much or missing around it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from processors.repair.ingredients import Site, literal_kind
from processors.repair.source import Edit, own_expressions
from processors.repair.templates.operators import tests_of

GUARD_NAMES_MAX = 8
OTHER_EXPRESSIONS_MAX = 40


def argument_swap(site: Site) -> Iterator[Edit]:
    """Try `f(a, b)` -> `f(b, a)`; `(a, b)` -> `(b, a)`; `m[i][j]` -> `m[j][i]`."""
    for node in own_expressions(site.statement):
        groups: list[list[ast.expr]] = []
        if isinstance(node, ast.Call):
            groups.append(node.args)
        elif isinstance(node, ast.Tuple | ast.List) and len(node.elts) <= 4:
            groups.append(node.elts)
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Subscript):
            groups.append([node.value.slice, node.slice])
        for group in groups:
            for one, two in combinations(group[:5], 2):
                if isinstance(one, ast.Starred) or isinstance(two, ast.Starred):
                    continue
                changes = (
                    site.source.replace(one, site.source.segment(two)),
                    site.source.replace(two, site.source.segment(one)),
                )
                prior = 0.3 if isinstance(node, ast.List) else 0.4
                yield Edit(changes, "argument-swap", prior, "swaps two arguments")


def slices(site: Site) -> Iterator[Edit]:
    """Try `xs` -> `xs[1:]`, `xs[n:]`, `xs[:-1]`; `xs[a:b]` -> `xs[a:]`."""
    for node in own_expressions(site.statement):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            yield from _other_slice(site, node, node.slice)
        elif _sliceable(site, node):
            text = site.source.atom(node)
            numbers = [n for n in site.variables if site.kinds.get(n, "int") == "int"]
            bounds = ["1:", ":-1", "::-1", *(f"{n}:" for n in numbers), *(f":{n}" for n in numbers)]
            for bound in bounds[:15]:
                change = site.source.replace(node, f"{text}[{bound}]")
                yield Edit((change,), "slice", 0.14, f"takes a part only: `[{bound}]`")


def _other_slice(site: Site, node: ast.Subscript, part: ast.Slice) -> Iterator[Edit]:
    value = site.source.segment(node.value)
    low = site.source.segment(part.lower) if part.lower else ""
    high = site.source.segment(part.upper) if part.upper else ""
    for bound in (f"{low}:", f":{high}", f"{high}:", f":{low}", "1:", ":-1", f"{low}:-1"):
        change = site.source.replace(node, f"{value}[{bound}]")
        yield Edit((change,), "slice", 0.2, f"takes another part: `[{bound}]`")


def _sliceable(site: Site, node: ast.expr) -> bool:
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call):
        return False
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return False
    if isinstance(node, ast.Name) and node.id not in site.variables:
        return False
    parent = site.source.parents[node]
    place = isinstance(
        parent, ast.For | ast.comprehension | ast.Return | ast.Assign | ast.BinOp
    ) or (isinstance(parent, ast.Call) and parent.func is not node)
    return place and site.kind_of(node) in {"", "list", "str", "tuple", "bytes"}


def hoist(site: Site) -> Iterator[Edit]:
    """Try `f(x)` -> `x`; `1 + x` -> `x`; `a if c else b` -> `a`: something too much around it."""
    for node in own_expressions(site.statement):
        for child in _children(node):
            change = site.source.replace(node, site.source.segment(child))
            prior = 0.22 if isinstance(node, ast.BinOp | ast.Call) else 0.12
            yield Edit((change,), "hoist", prior, "drops what is around a value")


def _children(node: ast.expr) -> list[ast.expr]:
    children: list[ast.expr] = []
    match node:
        case ast.BinOp(left=left, right=right):
            children = [left, right]
        case ast.Call(func=func, args=args) if len(args) <= 3:
            own = [func.value] if isinstance(func, ast.Attribute) else []
            children = [*(a for a in args if not isinstance(a, ast.Starred)), *own]
        case ast.IfExp(body=body, orelse=orelse):
            children = [body, orelse]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            children = [operand]
        case ast.Subscript(value=value, ctx=ast.Load()) if not isinstance(node.slice, ast.Slice):
            children = [value]
        case ast.Await(value=value):
            children = [value]
        case _:
            pass
    return children


def wrap(site: Site) -> Iterator[Edit]:
    """Try `e` -> `max(0, e)`, `max(v, e)`, `abs(e)`, `-e`."""
    for node in _values(site.statement):
        if site.kind_of(node) not in {"", "int", "float"}:
            continue
        text = site.source.segment(node)
        prior = _prior_of_place(site, node)
        for bound in ("0", *_others(site, node)):
            for function in ("max", "min"):
                change = site.source.replace(node, f"{function}({bound}, {text})")
                yield Edit((change,), "wrap", prior, f"keeps the value by `{function}`")
        for form in (f"abs({text})", f"-{site.source.atom(node)}"):
            yield Edit((site.source.replace(node, form),), "wrap", prior, "changes the sign")


def missing_operand(site: Site) -> Iterator[Edit]:
    """Try `e` -> `e + v`, `e - v`, `e * v`; for lists `e + v`, `v + e`."""
    for node in _values(site.statement):
        kind = site.kind_of(node)
        if kind not in {"", "int", "float", "list"}:
            continue
        text, operand = site.source.segment(node), site.source.operand(node)
        prior = _prior_of_place(site, node)
        for name in _others(site, node):
            forms = [f"{operand} + {name}"]
            if kind == "list":
                forms.append(f"{name} + {text}")
            else:
                forms += [f"{operand} - {name}", f"{operand} * {name}"]
            for form in forms:
                change = site.source.replace(node, form)
                yield Edit((change,), "missing-operand", prior, f"misses `{name}`")


def _prior_of_place(site: Site, node: ast.expr) -> float:
    return 0.13 if isinstance(site.source.parents[node], ast.stmt) else 0.08


def square(site: Site) -> Iterator[Edit]:
    """Try `a < x` -> `a < x ** 2`, for numbers in comparisons and sums."""
    for node in own_expressions(site.statement):
        parent = site.source.parents[node]
        if not (isinstance(node, ast.Name) and isinstance(parent, ast.BinOp | ast.Compare)):
            continue
        if site.kind_of(node) in {"", "int", "float"}:
            change = site.source.replace(node, f"{node.id} ** 2")
            yield Edit((change,), "square", 0.06, f"squares `{node.id}`")


def _others(site: Site, node: ast.expr) -> list[str]:
    inside = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return [
        name
        for name in site.variables
        if name not in inside or isinstance(node, ast.Call | ast.ListComp)
        if site.kinds.get(name, "") in {"", "int", "float", "list"}
    ][:8]


def _values(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield expressions whose value is used as such: assigned, returned, passed, compared."""
    assigning = ast.Assign | ast.AugAssign | ast.Return | ast.AnnAssign
    if isinstance(statement, assigning) and statement.value is not None:
        yield statement.value
    for node in own_expressions(statement):
        if isinstance(node, ast.Call):
            yield from (a for a in node.args if not isinstance(a, ast.Starred | ast.GeneratorExp))
        elif isinstance(node, ast.Compare):
            yield from (node.left, *node.comparators)
            if isinstance(node.left, ast.BinOp | ast.Call):
                yield from _children(node.left)


def guard_condition(site: Site) -> Iterator[Edit]:
    """Try `X` -> `X or not v`, `v is None or X`, `X and v`, where `X` is a condition."""
    for test in tests_of(site.statement):
        if isinstance(test, ast.Constant):
            for name in site.variables[:GUARD_NAMES_MAX]:
                change = site.source.replace(test, name)
                yield Edit((change,), "guard-condition", 0.2, f"goes on only while `{name}`")
            continue
        text = site.source.atom(test) if isinstance(test, ast.BoolOp) else site.source.segment(test)
        for name, prior in _guarded(site, test):
            for form in (
                f"{name} is None or {text}",
                f"{text} or not {name}",
                f"not {name} or {text}",
                f"{name} is not None and {text}",
                f"{name} and {text}",
                f"{text} and {name}",
                f"{text} and not {name}",
                f"{text} or {name}",
            ):
                change = site.source.replace(test, form)
                yield Edit((change,), "guard-condition", prior, f"also asks for `{name}`")


def _guarded(site: Site, test: ast.expr) -> list[tuple[str, float]]:
    inside: dict[str, float] = {}
    for node in ast.walk(test):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(
            node.value, ast.Name | ast.Attribute
        ):
            inside[site.source.segment(node.value)] = 0.3
        elif isinstance(node, ast.Name) and node.id in site.variables:
            inside.setdefault(node.id, 0.15)
    for name in site.variables[:GUARD_NAMES_MAX]:
        inside.setdefault(name, 0.12)
    return list(inside.items())


def return_value(site: Site) -> Iterator[Edit]:
    """Try `return []` -> `return [v]`, `[[]]`; `return x` -> `[x]`; `return True` -> `v == 0`."""
    statement = site.statement
    value = statement.value if isinstance(statement, ast.Return | ast.Expr) else None
    if isinstance(value, ast.Yield):
        value = value.value
    if value is None or (isinstance(statement, ast.Expr) and value is statement.value):
        return
    text = site.source.segment(value)
    forms: dict[str, float] = {}
    if isinstance(value, ast.List) and not value.elts:
        forms = {"[[]]": 0.15} | {f"[{name}]": 0.15 for name in site.variables}
    elif isinstance(value, ast.Constant) and isinstance(value.value, bool):
        for name in site.variables:
            forms |= {f"{name} == 0": 0.13, f"not {name}": 0.1, f"bool({name})": 0.1}
    elif literal_kind(value) not in {"list", "bool"}:
        forms = {f"[{text}]": 0.08}
    for name in site.variables if text not in site.variables else ():
        forms.setdefault(name, 0.1)
    for form, prior in forms.items():
        change = site.source.replace(value, form)
        yield Edit((change,), "return-value", prior, f"returns `{form}` instead of `{text}`")


def other_expression(site: Site) -> Iterator[Edit]:
    """Try a part replaced by another expression that the file already has."""
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Call | ast.BinOp | ast.Subscript | ast.Attribute):
            continue
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            continue
        if isinstance(site.source.parents[node], ast.Attribute) or _is_function(site, node):
            continue
        own, kind = site.source.segment(node), site.kind_of(node)
        for name in site.variables if isinstance(node, ast.Call | ast.Subscript) else ():
            if not kind or site.kinds.get(name, kind) == kind:
                change = site.source.replace(node, name)
                why = f"uses `{name}` instead of `{own}`"
                yield Edit((change,), "other-expression", 0.1, why)
        tried = 0
        for other in _alike(site, node):
            text = site.source.segment(other)
            other_kind = literal_kind(other)
            if text == own or (kind and other_kind and kind != other_kind):
                continue
            prior = 0.1 if type(other) is type(node) else 0.06
            change = site.source.replace(node, text)
            yield Edit((change,), "other-expression", prior, f"uses `{text}` instead of `{own}`")
            tried += 1
            if tried >= OTHER_EXPRESSIONS_MAX:
                break


def _alike(site: Site, node: ast.expr) -> list[ast.expr]:
    """Return readable expressions, those that share names with `node` first."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}

    def strange(other: ast.expr) -> tuple[int, bool]:
        theirs = {n.id for n in ast.walk(other) if isinstance(n, ast.Name)}
        return len(theirs ^ names), type(other) is not type(node)

    usable = [e for e in site.expressions if site.readable(e) and not _is_function(site, e)]
    return sorted(usable, key=strange)


def _is_function(site: Site, node: ast.expr) -> bool:
    parent = site.source.parents[node]
    return isinstance(parent, ast.Call) and parent.func is node
