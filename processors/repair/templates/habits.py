"""Faults that people make again and again with the standard library, and missing validation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from processors.repair.ingredients import Site
from processors.repair.source import Change, Edit, own_expressions

LINES_MOVED_MAX = 30


def pattern(site: Site) -> Iterator[Edit]:
    r"""Try a regular expression: `$` -> `\Z`, `*` -> `*?`, `.` -> `\.`, `+` -> `*`, anchors."""
    for node in own_expressions(site.statement):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        text = site.source.segment(node)
        raw = re.fullmatch(r"([rR])(\"|')(.*)\2", text)
        if raw is None:
            continue
        body, quote = raw[3], raw[2]
        for form in _patterns(body):
            change = site.source.replace(node, f"r{quote}{form}{quote}")
            yield Edit((change,), "pattern", 0.3, f"matches `{form[:60]}`")


def _patterns(body: str) -> list[str]:
    forms = []
    if body.endswith("$"):
        forms.append(body[:-1] + r"\Z")
    else:
        forms += [body + "$", body + r"\Z"]
    forms.append(body[1:] if body.startswith("^") else "^" + body)
    for found in re.finditer(r"(?<!\\)[*+]\??", body):
        before, after, own = body[: found.start()], body[found.end() :], found[0]
        others = {"*": ("+", "*?"), "+": ("*", "+?"), "*?": ("*",), "+?": ("+",)}[own]
        forms += [before + other + after for other in others]
    for found in re.finditer(r"(?<!\\)\.(?![*+])", body):
        forms.append(body[: found.start()] + r"\." + body[found.end() :])
    for found in re.finditer(r"\\[dws](?![*+{])", body):
        forms.append(body[: found.end()] + "+" + body[found.end() :])
    return [form for form in dict.fromkeys(forms) if form != body]


def encoding(site: Site) -> Iterator[Edit]:
    """Try `open(p)` -> `open(p, encoding="utf-8")`."""
    likely = site.crash is not None and "Unicode" in site.crash.exception
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        if name in {"open", "read_text", "write_text"}:
            given = next((k for k in node.keywords if k.arg == "encoding"), None)
            if given is not None:
                change = site.source.replace(given.value, '"utf-8"')
            else:
                close = site.source.span(node)[1] - 1
                lead = ", " if node.args or node.keywords else ""
                change = Change(close, close, f'{lead}encoding="utf-8"')
            yield Edit((change,), "encoding", 0.9 if likely else 0.3, "reads and writes UTF-8")


def normalised_text(site: Site) -> Iterator[Edit]:
    """Try `a == b` -> `a.lower() == b`, `a.strip() == b`; keys and results alike."""
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            continue
        parent = site.source.parents[node]
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            continue
        if isinstance(parent, ast.Attribute) or (
            isinstance(parent, ast.Call) and parent.func is node
        ):
            continue
        if site.kind_of(node) not in {"", "str"} or isinstance(parent, ast.For | ast.withitem):
            continue
        text = site.source.segment(node)
        prior = 0.2 if site.kind_of(node) == "str" else 0.1
        for method in ("strip", "lower"):
            change = site.source.replace(node, f"{text}.{method}()")
            yield Edit((change,), "normalised-text", prior, f"compares after `.{method}()`")


def ordering(site: Site) -> Iterator[Edit]:
    """Try `sorted(xs)` -> `sorted(xs, reverse=True)` and back; `xs` -> `sorted(xs)`."""
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        if name not in {"sorted", "sort"}:
            continue
        given = next((k for k in node.keywords if k.arg == "reverse"), None)
        close = site.source.span(node)[1] - 1
        if given is None:
            lead = ", " if node.args or node.keywords else ""
            change = Change(close, close, f"{lead}reverse=True")
            yield Edit((change,), "ordering", 0.4, "sorts the other way round")
        elif isinstance(given.value, ast.Constant):
            change = site.source.replace(given.value, str(not given.value.value))
            yield Edit((change,), "ordering", 0.4, "sorts the other way round")


def rounding(site: Site) -> Iterator[Edit]:
    """Try `x` -> `round(x, 2)`, `round(x)`, where a calculated number is returned or assigned."""
    statement = site.statement
    value = getattr(statement, "value", None)
    if not isinstance(statement, ast.Return | ast.Assign) or not isinstance(
        value, ast.BinOp | ast.Call
    ):
        return
    if site.kind_of(value) not in {"", "float", "int"}:
        return
    for form in (f"round({site.source.segment(value)}, 2)", f"round({site.source.segment(value)})"):
        yield Edit((site.source.replace(value, form),), "rounding", 0.12, "rounds the result")


def validation(site: Site) -> Iterator[Edit]:
    """Try a missing check: `if n < 0: raise ValueError`, where a test expects the error."""
    crash = site.failure
    found = re.search(r"DID NOT RAISE.*?(\w+)'?[>)]*$", crash.message) if crash else None
    function = site.function
    if found is None or function is None or site.statement not in function.body[:2]:
        return
    if isinstance(site.statement, ast.Expr) and isinstance(site.statement.value, ast.Constant):
        return
    for name in site.parameters:
        for condition in (f"{name} < 0", f"{name} <= 0", f"not {name}", f"{name} is None"):
            lines = f'if {condition}:\n    raise {found[1]}(f"{name} cannot be {{{name}!r}}")'
            if change := site.source.insert_before(site.statement, lines):
                yield Edit((change,), "validation", 0.5, f"refuses {condition}")


def closed_file(site: Site) -> Iterator[Edit]:
    """Try `f = open(p)` and what follows -> `with open(p) as f:` around it."""
    source, statement = site.source, site.statement
    if not (isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)):
        return
    function, target = statement.value.func, statement.targets[0]
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    indent = source.indent(statement)
    if name != "open" or not isinstance(target, ast.Name) or indent is None:
        return
    block = source.block_of(statement)
    rest = block[block.index(statement) + 1 :]
    if not rest or source.indent(rest[0]) is None:
        return
    start, end = source.line_start(rest[0].lineno), source.span(rest[-1])[1]
    lines = source.text[start:end].split("\n")
    if len(lines) > LINES_MOVED_MAX:
        return
    body = "\n".join(f"    {line}" if line.strip() else line for line in lines)
    header = f"with {source.segment(statement.value)} as {target.id}:"
    changes = (Change(*source.span(statement), header), Change(start, end, body))
    yield Edit(changes, "closed-file", 0.35, "closes the file when the block ends")
