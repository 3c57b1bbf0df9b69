"""Calls that do not fit what is called: casts, keywords, `self`, `await`, misspelt attributes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from processors.repair.ingredients import Site, similar
from processors.repair.source import Change, Edit, FunctionNode, own_expressions

CASTS = {"str": 0.5, "int": 0.5, "float": 0.4, "list": 0.3, "tuple": 0.2, "set": 0.15}


def cast(site: Site) -> Iterator[Edit]:
    """Try `x` -> `str(x)`, `int(x)`, `float(x)`, `list(x)`, `x.encode()`, `x.decode()`."""
    crash = site.crash
    wrong = crash is not None and crash.exception in {"TypeError", "ValueError", "AttributeError"}
    text_and_bytes = wrong and crash is not None and "bytes" in crash.message
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp):
            continue
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or _is_function(site, node):
            continue
        if isinstance(site.source.parents[node], ast.Attribute) and not text_and_bytes:
            continue
        text = site.source.segment(node)
        for name, prior in CASTS.items():
            if wrong or _may_need(site, node, name):
                change = site.source.replace(node, f"{name}({text})")
                share = 1.0 if wrong else 0.25
                yield Edit((change,), "cast", prior * share, f"turns `{text}` into {name}")
        for form in (f"{text}.encode()", f"{text}.decode()") if text_and_bytes else ():
            yield Edit((site.source.replace(node, form),), "cast", 0.7, f"uses `{form}`")


def _may_need(site: Site, node: ast.expr, name: str) -> bool:
    kind = site.kind_of(node)
    if name in {"int", "float", "str"}:
        return kind in {"", "str", "int", "float", "Decimal"} and kind != name
    return kind in {"", "map", "filter", "zip", "dict_keys", "generator", "tuple", "set"} and (
        isinstance(site.statement, ast.Return | ast.Assign)
    )


def _is_function(site: Site, node: ast.expr) -> bool:
    parent = site.source.parents[node]
    return isinstance(parent, ast.Call) and parent.func is node


def wrong_keyword(site: Site) -> Iterator[Edit]:
    """Try `f(colour=1)` -> `f(color=1)`, or without it, where the call says it is unexpected."""
    if site.crash is None or site.crash.exception != "TypeError":
        return
    found = re.search(r"unexpected keyword argument '(\w+)'", site.crash.message)
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Call) or found is None:
            continue
        for keyword in node.keywords:
            if keyword.arg != found[1]:
                continue
            start = site.source.span(keyword)[0]
            names = _parameters(site, node) or tuple(site.attribute_names)
            for name in [*similar(found[1], names, cutoff=0.4), *names][:10]:
                change = Change(start, start + len(found[1]), name)
                why = f"passes `{name}`, not `{found[1]}`"
                yield Edit((change,), "wrong-keyword", 0.8, why)


def _parameters(site: Site, call: ast.Call) -> tuple[str, ...]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for node in ast.walk(site.source.tree):
        if isinstance(node, ast.ClassDef) and node.name == name:
            fields = [
                n.target.id
                for n in node.body
                if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
            ]
            inits = [n for n in node.body if isinstance(n, FunctionNode) and n.name == "__init__"]
            own = inits[0].args if inits else None
            return tuple(a.arg for a in (*own.args[1:], *own.kwonlyargs)) if own else tuple(fields)
        if isinstance(node, FunctionNode) and node.name == name:
            return tuple(a.arg for a in (*node.args.args, *node.args.kwonlyargs))
    return ()


def missing_argument(site: Site) -> Iterator[Edit]:
    """Try `f(a)` -> `f(a, b)`, or a default for the parameter; `def f():` -> `def f(self):`."""
    if site.crash is None or site.crash.exception != "TypeError":
        return
    message = site.crash.message
    callee = re.search(r"(\w+)\(\) (missing|takes)", message)
    missing = re.findall(r"'(\w+)'", message) if "missing" in message else []
    if callee is None:
        return
    for node in ast.walk(site.source.tree):
        if isinstance(node, FunctionNode) and node.name == callee[1]:
            yield from _changed_signature(site, node, missing)
    for call in own_expressions(site.statement):
        if not isinstance(call, ast.Call) or not missing:
            continue
        close = site.source.span(call)[1] - 1
        comma = ", " if call.args or call.keywords else ""
        pool = [*similar(missing[0], site.variables, cutoff=0.5), *site.variables[:6], "None"]
        for name in dict.fromkeys(pool):
            change = Change(close, close, f"{comma}{name}")
            yield Edit((change,), "missing-argument", 0.6, f"passes `{name}` as well")


def _changed_signature(site: Site, node: FunctionNode, missing: list[str]) -> Iterator[Edit]:
    args = node.args.args
    for arg in args if len(missing) == 1 else ():
        later = args[args.index(arg) + 1 :]
        if arg.arg == missing[0] and len(node.args.defaults) >= len(later):
            end = site.source.span(arg)[1]
            for default in ("None", "0", '""', "False", "True"):
                form = f" = {default}" if arg.annotation else f"={default}"
                change = Change(end, end, form)
                why = f"`{arg.arg}` is {default} where it is not given"
                yield Edit((change,), "default-argument", 0.6, why)
    in_class = isinstance(site.source.parents[node], ast.ClassDef)
    if in_class and not missing and (not args or args[0].arg not in {"self", "cls"}):
        text = site.source.text
        start = text.index("(", site.source.offset(node.lineno, node.col_offset)) + 1
        change = Change(start, start, "self, " if args or node.args.kwonlyargs else "self")
        yield Edit((change,), "missing-self", 0.9, f"`{node.name}` takes `self`")


def missing_await(site: Site) -> Iterator[Edit]:
    """Try `f()` -> `await f()`, inside an `async def`."""
    if not isinstance(site.function, ast.AsyncFunctionDef):
        return
    for node in own_expressions(site.statement):
        if isinstance(node, ast.Call) and not isinstance(site.source.parents[node], ast.Await):
            text = f"await {site.source.segment(node)}"
            yield Edit((site.source.replace(node, text),), "missing-await", 0.5, f"`{text[:60]}`")


def wrong_attribute(site: Site) -> Iterator[Edit]:
    """Try a misspelt attribute, or a call forgotten: `x.items` -> `x.items()`."""
    crash = site.crash
    if crash is None or crash.exception not in {"AttributeError", "TypeError"}:
        return
    found = re.search(r"has no attribute '(\w+)'", crash.message)
    meant = re.search(r"Did you mean: '(\w+)'", crash.message)
    own = re.search(r"'(\w+)' object", crash.message)
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Attribute):
            continue
        owner = site.source.segment(node.value)
        if found and node.attr == found[1]:
            known = (*_members(own[1] if own else ""), *site.attribute_names)
            names = [*([meant[1]] if meant else []), *similar(node.attr, known, cutoff=0.55)]
            for name in dict.fromkeys(names):
                change = site.source.replace(node, f"{owner}.{name}")
                yield Edit((change,), "wrong-attribute", 0.75, f"`.{name}` is meant")
            change = site.source.replace(node, f'{owner}["{node.attr}"]')
            yield Edit((change,), "wrong-attribute", 0.4, f"`{node.attr}` is a key, no attribute")
        if not _is_function(site, node) and isinstance(node.ctx, ast.Load):
            change = site.source.replace(node, f"{owner}.{node.attr}()")
            yield Edit((change,), "missing-call", 0.4, f"calls `{node.attr}`")


def _members(kind: str) -> list[str]:
    known: dict[str, type] = {"str": str, "list": list, "dict": dict, "set": set, "bytes": bytes}
    return [n for n in dir(known[kind]) if not n.startswith("_")] if kind in known else []


def missing_self(site: Site) -> Iterator[Edit]:
    """Try `total = 1` -> `self.total = 1`, where the class has such an attribute."""
    function = site.function
    if function is None or not function.args.args or function.args.args[0].arg != "self":
        return
    owned = set(site.attributes.get("self", ()))
    for node in own_expressions(site.statement):
        if isinstance(node, ast.Name) and node.id in owned and node.id != "self":
            change = site.source.replace(node, f"self.{node.id}")
            yield Edit((change,), "missing-self", 0.4, f"means `self.{node.id}`")
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in site.variables
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        ):
            change = site.source.replace(node, node.attr)
            yield Edit((change,), "superfluous-self", 0.25, f"means the variable `{node.attr}`")
