"""What the exception of the failing test asks for: guards, defaults, casts, names, imports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from processors.repair.ingredients import Site, similar
from processors.repair.source import Change, Edit, own_expressions

DEFAULTS = ("None", '""', "0", "[]", "{}", "False")
FROM_IMPORTS = {
    "defaultdict": "collections",
    "deque": "collections",
    "Counter": "collections",
    "OrderedDict": "collections",
    "namedtuple": "collections",
    "Path": "pathlib",
    "datetime": "datetime",
    "timedelta": "datetime",
    "date": "datetime",
    "timezone": "datetime",
    "Decimal": "decimal",
    "Fraction": "fractions",
    "dataclass": "dataclasses",
    "field": "dataclasses",
    "Enum": "enum",
    "partial": "functools",
    "reduce": "functools",
    "wraps": "functools",
    "lru_cache": "functools",
    "chain": "itertools",
    "groupby": "itertools",
    "islice": "itertools",
    "product": "itertools",
    "combinations": "itertools",
    "permutations": "itertools",
    "ceil": "math",
    "floor": "math",
    "sqrt": "math",
    "deepcopy": "copy",
    "contextmanager": "contextlib",
    "suppress": "contextlib",
    "uuid4": "uuid",
    "StringIO": "io",
    "BytesIO": "io",
    "Any": "typing",
    "Optional": "typing",
    "Union": "typing",
    "Callable": "typing",
    "Iterable": "typing",
    "itemgetter": "operator",
    "attrgetter": "operator",
    "quote": "urllib.parse",
    "urlparse": "urllib.parse",
    "sleep": "time",
}
EMPTY_OF_FORM: dict[type[ast.expr], str] = {
    ast.BinOp: "0",
    ast.JoinedStr: '""',
    ast.Compare: "False",
    ast.ListComp: "[]",
    ast.DictComp: "{}",
}
GUARDED_MAX = 6


def missing_value(site: Site) -> Iterator[Edit]:
    """Try guards against None: an early return, a default, a condition."""
    if site.crash is None or site.crash.exception not in {"AttributeError", "TypeError"}:
        return
    if "None" not in site.crash.message:
        return
    for owner in _none_owners(site):
        text = site.source.segment(owner)
        yield from _exits(site, f"{text} is None", prior=0.8)
        for default, prior in _fitting_defaults(site, owner):
            change = site.source.replace(owner, f"{text} or {default}")
            yield Edit((change,), "none-default", prior, f"takes {default} where `{text}` is None")
        yield from _conditional(site, owner, f"{text} is not None", 0.6)


def _none_owners(site: Site) -> list[ast.expr]:
    """Return the expressions of the statement that may be None, likeliest first."""
    found: dict[str, tuple[float, ast.expr]] = {}
    attribute = re.search(r"has no attribute '(\w+)'", site.crash.message if site.crash else "")
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            continue
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            continue
        parent = site.source.parents[node]
        used = isinstance(parent, ast.Attribute) or (
            isinstance(parent, ast.Subscript) and parent.value is node
        )
        weight = 1.0 + used
        if isinstance(parent, ast.Attribute) and attribute and parent.attr == attribute[1]:
            weight += 3
        if isinstance(node, ast.Name):
            kind = site.kinds.get(node.id, "")
            if kind not in {"", "NoneType"} or node.id not in site.variables:
                continue
            weight += 2 * (kind == "NoneType")
        elif isinstance(parent, ast.Call) and parent.func is node:
            continue
        found.setdefault(site.source.segment(node), (weight, node))
    ordered = sorted(found.values(), key=lambda pair: -pair[0])
    return [node for _, node in ordered][:GUARDED_MAX]


def _fitting_defaults(site: Site, node: ast.expr) -> list[tuple[str, float]]:
    parent = site.source.parents[node]
    fitting: tuple[str, ...] = DEFAULTS[1:]
    if isinstance(parent, ast.Attribute):
        by_method = {"get": "{}", "items": "{}", "keys": "{}", "values": "{}", "append": "[]"}
        fitting = (by_method.get(parent.attr, '""'), "{}", "[]")
    elif isinstance(parent, ast.For | ast.comprehension | ast.Starred):
        fitting = ("[]", "{}", '""')
    elif isinstance(parent, ast.BinOp | ast.Compare | ast.AugAssign):
        fitting = ("0", '""', "[]")
    return [(text, 0.7 if i == 0 else 0.4) for i, text in enumerate(fitting)]


def _exits(site: Site, condition: str, *, prior: float) -> Iterator[Edit]:
    """Try `if condition: return ...` (or `continue`) before the statement."""
    if site.function is None or isinstance(site.statement, ast.FunctionDef | ast.ClassDef):
        return
    forms = {f"return {text}": prior * share for text, share in _returned(site)}
    if _in_loop(site):
        forms = {"continue": prior} | {form: p * 0.7 for form, p in forms.items()}
    for form, likely in forms.items():
        lines = f"if {condition}:\n    {form}"
        if change := site.source.insert_before(site.statement, lines):
            yield Edit((change,), "guard", likely, f"leaves by `{form}` if {condition}")


def _returned(site: Site) -> list[tuple[str, float]]:
    """Return values for an early exit, those of the function's own returns first."""
    texts: dict[str, float] = {}
    for node in ast.walk(site.region):
        if isinstance(node, ast.Return) and isinstance(
            node.value, ast.Constant | ast.List | ast.Dict
        ):
            texts[site.source.segment(node.value)] = 1.0
        elif isinstance(node, ast.Return) and node.value is not None:
            texts.setdefault(EMPTY_OF_FORM.get(type(node.value), "None"), 0.98)
    annotation = getattr(site.function, "returns", None)
    wanted = site.source.segment(annotation) if annotation is not None else ""
    by_type = {"str": '""', "int": "0", "float": "0.0", "bool": "False", "list": "[]", "dict": "{}"}
    for name, text in by_type.items():
        if wanted.lower().startswith(name):
            texts.setdefault(text, 1.0)
    if "None" in wanted or "Optional" in wanted or not wanted:
        texts.setdefault("None", 0.95)
    for text in DEFAULTS:
        texts.setdefault(text, 0.6)
    return list(texts.items())


def _in_loop(site: Site) -> bool:
    node: ast.AST | None = site.statement
    while node is not None and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        node = site.source.parents.get(node)
        if isinstance(node, ast.For | ast.While | ast.AsyncFor):
            return True
    return False


def _conditional(site: Site, node: ast.expr, condition: str, prior: float) -> Iterator[Edit]:
    """Try `value if condition else default` for the smallest whole value around `node`."""
    whole = node
    while isinstance(parent := site.source.parents[whole], ast.expr):
        if isinstance(parent, ast.Compare | ast.BoolOp | ast.Dict | ast.List | ast.IfExp):
            break
        if isinstance(parent, ast.comprehension | ast.ListComp | ast.GeneratorExp):
            break
        whole = parent
    text = site.source.segment(whole)
    statement = site.statement
    if isinstance(statement, ast.If | ast.While) and whole is not node:
        test = statement.test
        loose = not isinstance(test, ast.BoolOp)
        form = f"{condition} and {site.source.segment(test) if loose else site.source.atom(test)}"
        yield Edit(
            (site.source.replace(test, form),), "guard", prior + 0.1, f"asks first: {condition}"
        )
    if "\n" in text:
        return
    for i, default in enumerate(DEFAULTS):
        change = site.source.replace(whole, f"{text} if {condition} else {default}")
        likely = prior if i == 0 else prior * 0.7
        yield Edit((change,), "guard", likely, f"takes {default} unless {condition}")


def missing_key(site: Site) -> Iterator[Edit]:
    """Try `d[k]` -> `d.get(k)`, `d.get(k, 0)`; `d[k] += 1` counted from a default; early exits."""
    if site.crash is None or site.crash.exception != "KeyError":
        return
    yield from _changed_in_place(site)
    for node in own_expressions(site.statement):
        match node:
            case ast.Subscript(value=value, slice=key, ctx=ast.Load()):
                owner, name = site.source.segment(value), site.source.segment(key)
                for i, default in enumerate(("", "None", "0", '""', "[]", "{}", "False")):
                    form = f"{owner}.get({name}{', ' if default else ''}{default})"
                    if default != "None":
                        change = site.source.replace(node, form)
                        why = f"takes {default or 'None'} where `{owner}` has no {name}"
                        yield Edit((change,), "key-default", 0.8 - 0.05 * i, why)
                yield from _exits(site, f"{name} not in {owner}", prior=0.7)
                yield from _conditional(site, node, f"{name} in {owner}", 0.3)
            case ast.Call(func=ast.Attribute(attr="pop"), args=[_]):
                end = site.source.span(node.args[0])[1]
                change = Change(end, end, ", None")
                yield Edit((change,), "key-default", 0.8, "pops None where there is no such key")
            case _:
                continue


def _changed_in_place(site: Site) -> Iterator[Edit]:
    statement, source = site.statement, site.source
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Subscript):
        owner = source.segment(statement.target.value)
        name = source.segment(statement.target.slice)
        for default in ("0", "[]", '""', "0.0", "1"):
            line = f"{owner}.setdefault({name}, {default})"
            if change := source.insert_before(statement, line):
                yield Edit((change,), "key-default", 0.85, f"starts from {default}: `{line}`")
    if isinstance(statement, ast.Delete) and isinstance(statement.targets[0], ast.Subscript):
        target = statement.targets[0]
        form = f"{source.segment(target.value)}.pop({source.segment(target.slice)}, None)"
        yield Edit((Change(*source.span(statement), form),), "key-default", 0.8, f"`{form}`")
    for node in own_expressions(statement):
        match node:
            case ast.Attribute(
                value=ast.Subscript(value=value, slice=key),
                attr="append" | "add" | "extend" | "update",
            ):
                for default in {"append": ("[]",), "extend": ("[]",)}.get(
                    node.attr, ("set()", "{}")
                ):
                    form = f"{source.segment(value)}.setdefault({source.segment(key)}, {default})"
                    change = source.replace(node.value, form)
                    yield Edit((change,), "key-default", 0.9, f"starts from an empty one: `{form}`")
            case _:
                continue


def empty_collection(site: Site) -> Iterator[Edit]:
    """Try guards against an empty list, and bounds for an index out of range."""
    crash = site.crash
    if crash is None or crash.exception not in {"IndexError", "ValueError", "StopIteration"}:
        return
    for node in own_expressions(site.statement):
        match node:
            case ast.Subscript(value=value, slice=key, ctx=ast.Load()) if (
                crash.exception == "IndexError"
            ):
                owner, index = site.source.segment(value), site.source.segment(key)
                yield from _exits(site, f"not {owner}", prior=0.75)
                if not isinstance(key, ast.Constant | ast.UnaryOp):
                    yield from _exits(site, f"{index} >= len({owner})", prior=0.5)
                yield from _conditional(site, node, owner, 0.6)
                yield from _conditional(site, node, f"{index} < len({owner})", 0.3)
            case ast.Call(func=ast.Name(id="max" | "min" as name), args=[only]):
                if isinstance(only, ast.GeneratorExp):
                    continue
                end = site.source.span(only)[1]
                for default in ("None", "0"):
                    change = Change(end, end, f", default={default}")
                    yield Edit((change,), "empty-default", 0.7, f"`{name}` of nothing is {default}")
                yield from _exits(site, f"not {site.source.segment(only)}", prior=0.7)
            case ast.Call(func=ast.Name(id="next"), args=[only]):
                start, end = site.source.span(only)
                shared = (
                    isinstance(only, ast.GeneratorExp) and start == site.source.span(node.func)[1]
                )
                form = f"({site.source.segment(only)}, None)" if shared else ", None"
                change = Change(start if shared else end, end, form)
                yield Edit((change,), "empty-default", 0.7, "`next` of nothing is None")
            case ast.Call(
                func=ast.Name(id="int" | "float"), args=[ast.Name() | ast.Attribute() as only]
            ):
                yield from _exits(site, f"not {site.source.segment(only)}", prior=0.6)
            case _:
                continue


def division_by_zero(site: Site) -> Iterator[Edit]:
    """Try `a / b` -> `a / b if b else 0`, or an early exit."""
    if site.crash is None or site.crash.exception != "ZeroDivisionError":
        return
    for node in own_expressions(site.statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            divisor = site.source.segment(node.right)
            text = site.source.segment(node)
            for i, default in enumerate(("0", "0.0", "None", "1")):
                change = site.source.replace(node, f"{text} if {divisor} else {default}")
                why = f"gives {default} where `{divisor}` is zero"
                yield Edit((change,), "division-guard", 0.8 - 0.05 * i, why)
            empty = node.right
            if isinstance(empty, ast.Call) and divisor.startswith("len(") and len(empty.args) == 1:
                divisor = site.source.segment(empty.args[0])
            yield from _exits(site, f"not {divisor}", prior=0.82)
            for form in (f"max({divisor}, 1)",):
                change = site.source.replace(node.right, form)
                yield Edit((change,), "division-guard", 0.4, f"divides by `{form}`")


def unbound_name(site: Site) -> Iterator[Edit]:
    """Try a variable not set on every path, a missing import, `self.` forgotten, a typo."""
    crash = site.crash
    if crash is None or crash.exception not in {"NameError", "UnboundLocalError"}:
        return
    found = re.search(r"'(\w+)'", crash.message)
    if found is None:
        return
    name = found[1]
    if crash.exception == "UnboundLocalError" and site.function is not None:
        first = site.function.body[0]
        documented = ast.get_docstring(site.function, clean=False) is not None
        place = site.source.insert_after if documented else site.source.insert_before
        for default in (*DEFAULTS, "1", "True"):
            if change := place(first, f"{name} = {default}"):
                yield Edit((change,), "initialised", 0.8, f"`{name}` begins as {default}")
        return
    yield from imports(site, name)
    if site.function is not None and site.function.args.args[:1]:
        own = site.function.args.args[0].arg
        if own in {"self", "cls"}:
            yield from _renamed(site, name, f"{own}.{name}", 0.8)
    for other in similar(name, tuple(site.known_names), cutoff=0.6)[:8]:
        yield from _renamed(site, name, other, 0.7)


def _renamed(site: Site, name: str, by: str, prior: float) -> Iterator[Edit]:
    changes = tuple(
        site.source.replace(node, by)
        for node in own_expressions(site.statement)
        if isinstance(node, ast.Name) and node.id == name
    )
    if changes:
        yield Edit(changes, "unknown-name", prior, f"`{by}` is meant, not `{name}`")


def imports(site: Site, name: str) -> Iterator[Edit]:
    """Try to import `name` where the standard library has it."""
    lines = []
    if name in sys.stdlib_module_names:
        lines.append(f"import {name}")
    if name in FROM_IMPORTS:
        lines.insert(0, f"from {FROM_IMPORTS[name]} import {name}")
    body = site.source.tree.body
    others = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
    last = [n for n in others if getattr(n, "module", "") != "__future__"] or others
    for line in lines:
        if last:
            change = site.source.insert_after(last[-1], line)
        elif ast.get_docstring(site.source.tree, clean=False) is not None:
            change = site.source.insert_after(body[0], f"\n{line}")
        else:
            change = site.source.insert_before(body[0], line)
        if change:
            yield Edit((change,), "missing-import", 0.95, f"adds the missing `{line}`")
