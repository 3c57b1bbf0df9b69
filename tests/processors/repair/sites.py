"""Sites for template tests: a piece of code, the line to edit, and what is known of the crash."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from textwrap import dedent

from processors.repair.harness import Crash, CrashFrame
from processors.repair.ingredients import Site
from processors.repair.source import Edit, Source
from processors.repair.templates import Template

MARK = "  # <-"


def site(
    code: str, *, crash: tuple[str, str] | None = None, kinds: Mapping[str, str] | None = None
) -> Site:
    """Return the site of the line that ends with `# <-`; `crash` is exception and message."""
    lines = dedent(code).strip("\n").split("\n")
    number = next(i for i, line in enumerate(lines) if line.endswith(MARK))
    lines[number] = lines[number].removesuffix(MARK)
    source = Source("shop/cart.py", "\n".join(lines) + "\n")
    statement = next(s for s in source.statements if s.lineno == number + 1)
    frame = CrashFrame(source.path, number + 1, "f", dict(kinds or {}))
    raised = Crash(crash[0], crash[1], (frame,)) if crash else None
    return Site(source, statement, crash=raised, failure=raised, kinds=dict(kinds or {}))


def texts(template: Template, at: Site) -> dict[str, Edit]:
    """Return every text that `template` proposes; each edit must apply and keep the file valid."""
    found = {}
    for edit in template(at):
        assert 0 < edit.prior <= 1
        assert edit.explanation
        found[at.source.apply(edit)] = edit
    return found


def after(code: str) -> str:
    """Return `code` as a file."""
    return dedent(code).strip("\n") + "\n"


def valid(texts: Mapping[str, Edit]) -> list[str]:
    """Return those of `texts` that parse; the search drops the others unseen."""
    kept = []
    for text in texts:
        try:
            ast.parse(text)
        except SyntaxError:
            continue
        kept.append(text)
    return kept
