"""Wrong operator: comparisons, arithmetic, logic, operands the wrong way round."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from processors.repair.ingredients import Site
from processors.repair.source import Change, Edit, own_expressions

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
OTHER_COMPARISONS: dict[str, dict[str, float]] = {
    "<": {"<=": 0.8, ">": 0.5, ">=": 0.4, "!=": 0.15},
    "<=": {"<": 0.8, ">=": 0.5, ">": 0.4, "==": 0.15},
    ">": {">=": 0.8, "<": 0.5, "<=": 0.4, "!=": 0.15},
    ">=": {">": 0.8, "<=": 0.5, "<": 0.4, "==": 0.15},
    "==": {"!=": 0.5, "<=": 0.25, ">=": 0.25, "in": 0.1, "is": 0.05},
    "!=": {"==": 0.5, "<": 0.2, ">": 0.2, "is not": 0.05},
    "in": {"not in": 0.5, "==": 0.2},
    "not in": {"in": 0.5, "!=": 0.15},
    "is": {"is not": 0.5, "==": 0.4},
    "is not": {"is": 0.5, "!=": 0.4},
}
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
}
OTHER_ARITHMETIC: dict[str, dict[str, float]] = {
    "+": {"-": 0.6, "*": 0.2, "|": 0.05},
    "-": {"+": 0.6, "*": 0.1, "/": 0.1, "%": 0.05},
    "*": {"/": 0.4, "+": 0.3, "**": 0.15, "//": 0.1, "%": 0.1},
    "/": {"*": 0.5, "//": 0.5, "%": 0.15, "-": 0.1},
    "//": {"/": 0.5, "%": 0.3, "*": 0.2},
    "%": {"//": 0.4, "/": 0.2, "*": 0.1},
    "**": {"*": 0.4},
    "&": {"|": 0.5, "^": 0.2},
    "|": {"&": 0.5, "^": 0.3},
    "^": {"&": 0.5, "|": 0.3},
    "<<": {">>": 0.5},
    ">>": {"<<": 0.5},
}


def compare_operator(site: Site) -> Iterator[Edit]:
    """Try `a < b` -> `a <= b`, and with the constant beside it: `n == 0` -> `n <= 1`."""
    for node in own_expressions(site.statement):
        if not isinstance(node, ast.Compare):
            continue
        operands = [node.left, *node.comparators]
        for i, operator in enumerate(node.ops):
            symbol = COMPARISONS[type(operator)]
            for by, prior in OTHER_COMPARISONS[symbol].items():
                change = site.source.operator(operands[i], operands[i + 1], symbol, by)
                if change is None:
                    continue
                why = f"compares by `{by}` instead of `{symbol}`"
                yield Edit((change,), "compare-operator", prior, why)
                yield from _with_constant(site, operands[i + 1], change, by)


def _with_constant(site: Site, node: ast.expr, change: Change, by: str) -> Iterator[Edit]:
    if not (isinstance(node, ast.Constant) and type(node.value) is int and len(by) <= 2):
        return
    for value in (node.value + 1, node.value - 1):
        if value >= 0:
            both = (change, site.source.replace(node, str(value)))
            yield Edit(both, "compare-operator-and-constant", 0.2, f"compares by `{by} {value}`")


def arithmetic_operator(site: Site) -> Iterator[Edit]:
    """Try `a + b` -> `a - b`, and other operators of arithmetic."""
    source = site.source
    for node in own_expressions(site.statement):
        if isinstance(node, ast.BinOp):
            symbol = ARITHMETIC.get(type(node.op), "")
            for by, prior in OTHER_ARITHMETIC.get(symbol, {}).items():
                if change := source.operator(node.left, node.right, symbol, by):
                    why = f"calculates by `{by}` instead of `{symbol}`"
                    yield Edit((change,), "arithmetic-operator", prior, why)


def assignment_operator(site: Site) -> Iterator[Edit]:
    """Try `a += b` -> `a -= b` or `a = b`, and `a = b` -> `a += b`."""
    source, statement = site.source, site.statement
    if isinstance(statement, ast.AugAssign):
        symbol = ARITHMETIC.get(type(statement.op), "")
        for by, prior in {**OTHER_ARITHMETIC.get(symbol, {}), "": 0.3}.items():
            change = source.operator(statement.target, statement.value, f"{symbol}=", f"{by}=")
            if change:
                why = f"assigns by `{by}=` instead of `{symbol}=`"
                yield Edit((change,), "arithmetic-operator", prior, why)
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            for by in ("+=", "-=", "|="):
                if change := source.operator(target, statement.value, "=", by):
                    why = f"accumulates by `{by}` instead of overwriting"
                    yield Edit((change,), "arithmetic-operator", 0.15, why)


def logic_operator(site: Site) -> Iterator[Edit]:
    """Try `a and b` -> `a or b`; a clause dropped; `a` -> `not a`; `not a` -> `a`."""
    for node in own_expressions(site.statement):
        if isinstance(node, ast.BoolOp):
            yield from _boolean(site, node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            change = site.source.replace(node, site.source.segment(node.operand))
            yield Edit((change,), "negation", 0.4, "drops a `not`")
    for test in tests_of(site.statement):
        if not (isinstance(test, ast.UnaryOp | ast.Compare | ast.Constant)):
            change = site.source.replace(test, f"not {site.source.atom(test)}")
            yield Edit((change,), "negation", 0.4, "negates the condition")


def _boolean(site: Site, node: ast.BoolOp) -> Iterator[Edit]:
    symbol, by = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    changes = [
        site.source.operator(one, two, symbol, by)
        for one, two in zip(node.values, node.values[1:], strict=False)
    ]
    found = tuple(change for change in changes if change)
    if len(found) == len(changes):
        yield Edit(
            found, "logic-operator", 0.5, f"joins conditions by `{by}` instead of `{symbol}`"
        )
    for i in range(len(node.values)):
        rest = [site.source.segment(v) for j, v in enumerate(node.values) if j != i]
        change = site.source.replace(node, f" {symbol} ".join(rest))
        yield Edit((change,), "drop-clause", 0.2, "drops one condition of several")


def operand_swap(site: Site) -> Iterator[Edit]:
    """Try `a - b` -> `b - a`; `a < b` -> `b < a`."""
    for node in own_expressions(site.statement):
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Mult | ast.BitAnd):
            left, right = node.left, node.right
            prior = 0.2 if isinstance(node.op, ast.Add) else 0.35
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right, prior = node.left, node.comparators[0], 0.51
            if isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
                continue
        else:
            continue
        changes = (
            site.source.replace(left, site.source.operand(right)),
            site.source.replace(right, site.source.operand(left)),
        )
        yield Edit(changes, "operand-swap", prior, "puts the operands the other way round")


def tests_of(statement: ast.stmt) -> list[ast.expr]:
    """Return the expressions whose truth `statement` asks for."""
    tests: list[ast.expr] = []
    if isinstance(statement, ast.If | ast.While | ast.Assert):
        tests.append(statement.test)
    for node in own_expressions(statement):
        if isinstance(node, ast.IfExp):
            tests.append(node.test)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            tests += [test for part in node.generators for test in part.ifs]
    return tests
