"""Wrong value: off by one, another variable, constant, attribute or function meant, a typo."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from processors.repair.ingredients import BUILTINS, Site, similar
from processors.repair.source import Edit, own_expressions

TWINS: tuple[tuple[str, ...], ...] = (
    ("any", "all"),
    ("min", "max"),
    ("floor", "ceil", "round", "int"),
    ("append", "extend"),
    ("add", "update"),
    ("lower", "upper", "casefold"),
    ("startswith", "endswith"),
    ("strip", "lstrip", "rstrip"),
    ("split", "rsplit"),
    ("partition", "rpartition"),
    ("find", "rfind", "index"),
    ("keys", "values", "items"),
    ("popleft", "pop"),
    ("appendleft", "append"),
    ("remove", "discard"),
    ("issubset", "issuperset"),
    ("union", "intersection", "difference"),
    ("sorted", "reversed"),
    ("match", "search", "fullmatch"),
    ("isdigit", "isalpha", "isalnum"),
    ("list", "set", "tuple", "sorted"),
    ("readline", "readlines", "read"),
    ("bisect_left", "bisect_right"),
    ("loads", "load"),
    ("dumps", "dump"),
    ("now", "utcnow"),
    ("first", "last"),
    ("next", "previous"),
)
VARIABLES_PER_NAME_MAX = 12
NUMBERS = {"int", "float", "bool", "Decimal"}


def off_by_one(site: Site) -> Iterator[Edit]:
    """Try `n` -> `n + 1`, `n - 1`; `3` -> `4`, `2`."""
    for node in own_expressions(site.statement):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            for value in (node.value + 1, node.value - 1):
                text = str(value) if value >= 0 else f"-{-value}"
                change = site.source.replace(node, text)
                why = f"uses {value} instead of {node.value}"
                yield Edit((change,), "off-by-one", 0.5 if value >= 0 else 0.2, why)
        elif _countable(site, node):
            prior = 0.45 if _is_position(site, node) else 0.2
            for step in ("+ 1", "- 1"):
                text = f"{site.source.operand(node)} {step}"
                change = site.source.replace(node, text)
                yield Edit((change,), "off-by-one", prior, f"is off by one: `{text}`")


def _countable(site: Site, node: ast.expr) -> bool:
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.BinOp | ast.Subscript):
        return False
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return False
    parent = site.source.parents[node]
    if isinstance(parent, ast.Call) and parent.func is node:
        return False
    if isinstance(parent, ast.Attribute) or (
        isinstance(parent, ast.Subscript) and parent.value is node
    ):
        return False
    if isinstance(parent, ast.For | ast.comprehension | ast.Starred | ast.withitem):
        return False
    return site.kind_of(node) in {"", "int", "float"}


def _is_position(site: Site, node: ast.expr) -> bool:
    parent = site.source.parents[node]
    return isinstance(parent, ast.Call | ast.Subscript | ast.Slice | ast.Compare)


def variable(site: Site) -> Iterator[Edit]:
    """Try a variable read where another one of the function is meant."""
    for node in own_expressions(site.statement):
        if not (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)):
            continue
        called = _is_called(site, node)
        pool = site.callables if called else site.variables
        if not called and node.id not in site.variables:
            pool = tuple(n for n in site.module_names if n.isupper() == node.id.isupper())
        likely = similar(node.id, pool, cutoff=0.5)
        kind = site.kinds.get(node.id, "")
        for name in [*likely, *(n for n in pool if n not in likely)][:VARIABLES_PER_NAME_MAX]:
            if name == node.id or not _same_kind(kind, site.kinds.get(name, "")):
                continue
            prior = 0.3 + 0.1 * (name in likely) - 0.15 * called
            why = f"uses `{name}` instead of `{node.id}`"
            yield Edit((site.source.replace(node, name),), "variable", prior, why)


def _same_kind(one: str, two: str) -> bool:
    return not one or not two or one == two or {one, two} <= NUMBERS or "NoneType" in (one, two)


def _is_called(site: Site, node: ast.expr) -> bool:
    parent = site.source.parents[node]
    return isinstance(parent, ast.Call) and parent.func is node


def constant(site: Site) -> Iterator[Edit]:
    """Try a constant where another constant or a variable is meant."""
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Constant) or isinstance(
            site.source.parents[node], ast.JoinedStr | ast.FormattedValue
        ):
            continue
        if isinstance(node.value, bool):
            change = site.source.replace(node, str(not node.value))
            yield Edit((change,), "constant", 0.4, f"uses {not node.value} instead")
        if isinstance(node.value, str):
            yield from _strings(site, node)
        elif isinstance(node.value, int | float) or node.value is None:
            yield from _numbers(site, node)
        for name in site.variables:
            why = f"uses `{name}` instead of a constant"
            yield Edit((site.source.replace(node, name),), "constant-to-variable", 0.12, why)


def _strings(site: Site, node: ast.Constant) -> Iterator[Edit]:
    text = site.source.segment(node)
    pool = tuple(c for c in site.constants if c[0] in "'\"")
    for other in similar(text, pool, cutoff=0.6):
        yield Edit((site.source.replace(node, other),), "constant", 0.35, f"uses {other} instead")
    own = str(node.value)
    for value in (own.lower(), own.upper(), own.strip(), "", " "):
        if value != own:
            change = site.source.replace(node, repr(value))
            yield Edit((change,), "constant", 0.08, f"uses {value!r} instead")


def _numbers(site: Site, node: ast.Constant) -> Iterator[Edit]:
    own = site.source.segment(node)
    pool = [c for c in site.constants if c[0] not in "'\"rbfRBF"]
    for text in dict.fromkeys(["0", "1", "2", *pool]):
        if text != own:
            change = site.source.replace(node, text)
            yield Edit((change,), "constant", 0.12, f"uses {text} instead of {own}")
    value = node.value
    if type(value) is int and value not in (0, 1):
        for factor in (value * 10, value // 10, -value):
            change = site.source.replace(node, str(factor))
            yield Edit((change,), "constant", 0.1, f"uses {factor} instead of {own}")


def attribute(site: Site) -> Iterator[Edit]:
    """Try `x.a` -> `x.b`, where the file uses `b` on `x`, or on something that looks like it."""
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Attribute):
            continue
        owner = site.source.segment(node.value)
        near = site.attributes.get(owner, ())
        pool = dict.fromkeys([*near, *similar(node.attr, site.attribute_names, cutoff=0.5)])
        everywhere = site.attribute_names if len(site.attribute_names) <= 20 else ()
        for name in [*pool, *(n for n in everywhere if n not in pool)]:
            if name == node.attr:
                continue
            prior = 0.3 if name in near else 0.25 if name in pool else 0.12
            change = site.source.replace(node, f"{owner}.{name}")
            why = f"uses `.{name}` instead of `.{node.attr}`"
            yield Edit((change,), "attribute", prior, why)


def twin_function(site: Site) -> Iterator[Edit]:
    """Try `any` -> `all`, `append` -> `extend`, and other functions that are easily confused."""
    for node in own_expressions(site.statement):
        name = ""
        if isinstance(node, ast.Name):
            name = node.id if node.id in BUILTINS or _is_called(site, node) else ""
        elif isinstance(node, ast.Attribute):
            name = node.attr
        for twins in TWINS:
            for other in twins if name in twins else ():
                if other == name:
                    continue
                if isinstance(node, ast.Name) and other not in site.known_names:
                    continue
                text = other
                if isinstance(node, ast.Attribute):
                    text = f"{site.source.segment(node.value)}.{other}"
                why = f"calls `{other}` instead of `{name}`"
                yield Edit((site.source.replace(node, text),), "twin-function", 0.45, why)
