"""Lines that the file already has elsewhere, with at most two names exchanged."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import permutations

from processors.repair.ingredients import Site
from processors.repair.source import Edit

SUBSTITUTIONS_MAX = 2
DONORS_MAX = 40
DONOR_LINES_MAX = 3
FILLINGS_MAX = 6


def donor(site: Site) -> Iterator[Edit]:
    """Try a statement or guard from elsewhere in the file, inserted before this one."""
    if site.function is None or site.statement is site.function:
        return
    for text, strange in _donors(site):
        for filled in _fill(site, text, strange):
            if change := site.source.insert_before(site.statement, filled):
                first = filled.split("\n")[0]
                yield Edit((change,), "donor", 0.08, f"inserts `{first}`, as elsewhere in the file")


def _donors(site: Site) -> list[tuple[str, list[str]]]:
    """Return statements from other places, those nearest to what is known here first."""
    found: dict[str, list[str]] = {}
    usable = ast.If | ast.Expr | ast.Assign | ast.AugAssign | ast.Raise
    for node in site.source.statements:
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        own = site.source.function_of(node)
        if not isinstance(node, usable) or own is None or lines > DONOR_LINES_MAX:
            continue
        if _is_text(node) or site.source.indent(node) is None or node is site.statement:
            continue
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        strange = sorted(n for n in names if n not in site.known_names and n != "self")
        if len(strange) <= SUBSTITUTIONS_MAX:
            found.setdefault(_dedented(site, node), strange)
    ordered = sorted(found.items(), key=lambda pair: (len(pair[1]), len(pair[0])))
    return ordered[:DONORS_MAX]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _dedented(site: Site, node: ast.stmt) -> str:
    indent = site.source.indent(node) or ""
    lines = site.source.segment(node).splitlines()
    return "\n".join([lines[0], *(line.removeprefix(indent) for line in lines[1:])])


def _fill(site: Site, text: str, strange: list[str]) -> Iterator[str]:
    if not strange:
        yield text
        return
    for count, names in enumerate(permutations(site.variables[:6], len(strange))):
        if count >= FILLINGS_MAX:
            return
        filled = text
        for old, new in zip(strange, names, strict=True):
            filled = re.sub(rf"(?<![\w.]){re.escape(old)}\b", new, filled)
        yield filled
