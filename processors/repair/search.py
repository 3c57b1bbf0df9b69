"""From suspicious statements to candidates: each text once, likeliest first, within a limit."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from processors.repair.harness import Crash
from processors.repair.ingredients import Site
from processors.repair.ranking import Suspect
from processors.repair.source import Edit, FunctionNode, Source
from processors.repair.templates import ALL, Template

EDITS_PER_TEMPLATE_MAX = 400
Kinds = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An edit to try. `score` is suspicion times prior; it orders the search."""

    source: Source
    statement: ast.stmt
    edit: Edit
    text: str
    """The whole file after the edit."""
    score: float


def candidates(
    suspects: Sequence[Suspect],
    *,
    kinds: Kinds,
    failure: Crash | None,
    candidates_max: int,
    templates: Sequence[Template] = ALL,
) -> list[Candidate]:
    """Return at most `candidates_max` different candidates, likeliest first."""
    best: dict[tuple[str, str], Candidate] = {}
    for suspect in suspects:
        site = _site(suspect, kinds, failure)
        for template in templates:
            for edit in islice(_safe(template, site), EDITS_PER_TEMPLATE_MAX):
                _offer(best, suspect, edit)
    ordered = sorted(best.values(), key=lambda candidate: -candidate.score)
    return ordered[:candidates_max]


def _site(suspect: Suspect, kinds: Kinds, failure: Crash | None) -> Site:
    source, statement = suspect.source, suspect.statement
    function = source.function_of(statement)
    known = dict(kinds.get(source.path, {}).get(function.name if function else "<module>", {}))
    for frame in suspect.crash.frames if suspect.crash else ():
        if frame.path == source.path and function and frame.function == function.name:
            known |= frame.kinds
    return Site(source, statement, crash=suspect.crash, failure=failure, kinds=known)


def _safe(template: Template, site: Site) -> Iterator[Edit]:
    """Yield the edits of `template`; code in a shape it cannot read ends it, not the search."""
    try:
        yield from template(site)
    except (ValueError, KeyError, IndexError, SyntaxError):
        return


def _offer(best: dict[tuple[str, str], Candidate], suspect: Suspect, edit: Edit) -> None:
    try:
        text = suspect.source.apply(edit)
    except ValueError:
        return
    key = (suspect.source.path, text)
    score = suspect.score * edit.prior
    if text == suspect.source.text or (key in best and best[key].score >= score):
        return
    best[key] = Candidate(suspect.source, suspect.statement, edit, text, score)


def compiles(candidate: Candidate) -> bool:
    """Return whether the file still compiles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Such as `is` with a literal: a test will tell.
            compile(candidate.text, candidate.source.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def size(candidate: Candidate) -> int:
    """Return how many tokens the edit adds and removes."""
    before, after = _tokens(candidate.source.text), _tokens(candidate.text)
    return sum(((before - after) + (after - before)).values())


def _tokens(text: str) -> Counter[str]:
    reader = io.StringIO(text).readline
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    try:
        return Counter(t.string for t in tokenize.generate_tokens(reader) if t.type not in ignored)
    except (tokenize.TokenError, SyntaxError):
        return Counter(text.split())


def overfit(candidate: Candidate) -> str:
    """Return why the edit only looks like a fix, or '' when nothing speaks against it.

    Sound in what they catch, not complete: a value that is no longer read, a condition that no
    longer depends on anything, a result that became none, an assignment that became idle.
    """
    before = candidate.source.tree
    after = ast.parse(candidate.text)
    pairs = zip(_functions(before), _functions(after), strict=False)
    for old, new in pairs:
        if ast.dump(old) == ast.dump(new):
            continue
        for name in sorted(_inputs(old) & _read(old) - _read(new)):
            if name in _inputs(new):
                return f"`{old.name}` would ignore `{name}`"
        if not _falls_through(old.body) and _falls_through(new.body) and _has_result(old):
            return f"`{old.name}` would end without a result on a path that had one"
        if _calls_itself(old) and not _calls_itself(new):
            return f"`{old.name}` would no longer call itself"
        if _idle(new) > _idle(old):
            return f"a part of `{old.name}` would do nothing"
        if len(_fixed_tests(new)) > len(_fixed_tests(old)):
            return f"a condition in `{old.name}` would not depend on anything"
    return ""


def decides(candidate: Candidate) -> bool:
    """Return whether the edit changes a condition and nothing else."""
    statement, source = candidate.statement, candidate.source
    if not isinstance(statement, ast.If | ast.While):
        return False
    start, end = source.span(statement.test)
    changes = candidate.edit.changes
    return bool(changes) and all(start <= c.start and c.end <= end for c in changes)


_OPPOSITES = (
    {ast.Eq, ast.NotEq},
    {ast.Is, ast.IsNot},
    {ast.In, ast.NotIn},
    {ast.Lt, ast.GtE},
    {ast.Gt, ast.LtE},
)


def turns(candidate: Candidate) -> bool:
    """Return whether the edit turns one comparison around, or adds or takes a `not`."""
    before, after = _operators(candidate.source.tree), _operators(ast.parse(candidate.text))
    gone, come = before - after, after - before
    if gone.total() + come.total() == 1:
        return ast.Not in gone or ast.Not in come
    return gone.total() == come.total() == 1 and {*gone, *come} in _OPPOSITES


def _operators(tree: ast.AST) -> Counter[type[ast.AST]]:
    return Counter(type(n) for n in ast.walk(tree) if isinstance(n, ast.cmpop | ast.Not))


def _functions(tree: ast.AST) -> list[FunctionNode]:
    return [node for node in ast.walk(tree) if isinstance(node, FunctionNode)]


def _inputs(function: FunctionNode) -> set[str]:
    """Return parameters and the variables of loops and comprehensions."""
    args = function.args
    names = {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)} - {"self", "cls"}
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            names |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
    return names


def _read(function: FunctionNode) -> set[str]:
    return {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _has_result(function: FunctionNode) -> bool:
    return any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(function))


def _calls_itself(function: FunctionNode) -> bool:
    return any(
        isinstance(node, ast.Call) and getattr(node.func, "id", "") == function.name
        for node in ast.walk(function)
    )


def _falls_through(body: Sequence[ast.stmt]) -> bool:
    """Return whether the end of `body` can be reached, as far as its form shows."""
    match body[-1]:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            through = False
        case ast.If(body=yes, orelse=no):
            through = not no or _falls_through(yes) or _falls_through(no)
        case ast.While(test=ast.Constant(value=value)) if value:
            through = any(isinstance(node, ast.Break) for node in ast.walk(body[-1]))
        case ast.With(body=inner) | ast.AsyncWith(body=inner):
            through = _falls_through(inner)
        case ast.Try(body=inner, handlers=handlers, finalbody=final):
            ways = [inner, *(handler.body for handler in handlers)]
            blocked = bool(final) and not _falls_through(final)
            through = not blocked and any(_falls_through(way) for way in ways)
        case _:
            through = True
    return through


def _idle(function: FunctionNode) -> int:
    """Return how many parts have no effect: `a = a` and `-0`, which nobody writes on purpose."""
    return sum(_is_idle(node) for node in ast.walk(function))


def _is_idle(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Name(id=value)):
            return target == value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=0)):
            return True
        case _:
            return False


def _fixed_tests(function: FunctionNode) -> list[ast.expr]:
    return [
        node.test
        for node in ast.walk(function)
        if isinstance(node, ast.If | ast.While | ast.IfExp)
        and not any(isinstance(part, ast.Name | ast.Call) for part in ast.walk(node.test))
    ]
