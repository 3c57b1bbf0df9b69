"""Tests written from what a report says: its snippets, its examples, the calls in its traces.

Here they are only written; whether one is red for the reported reason is found out in the sandbox.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from processors.locating.paths import match_path
from schemas.fixes import OracleKind
from schemas.reports import BugReport, Frame, Snippet

FILE = "test_reported_bug.py"
TEST = "test_reported_bug"
SNIPPETS_MAX = 5
EXAMPLES_MAX = 20
CALLS_MAX = 5
CODE_CHARS_MAX = 20_000

_EXPECTED = re.compile(
    r"(?:expected|should (?:be|return|give|print|have been|have returned)|instead of"
    r"|(?:but|and not|rather than))[: ]+`?(?P<value>[^`\n]{1,200})",
    re.IGNORECASE,
)
_INLINE_CALL = re.compile(r"`(?P<call>[A-Za-z_][\w.]*\([^`\n]{0,300}\))`")
_COMMENT = re.compile(r"#.*?(?:expected|should (?:be|return|give))[: ]+(?P<value>[^#\n]+)", re.I)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A test to try: `source` is a whole module with one test in it."""

    kind: OracleKind
    source: str
    what: str
    """For people: what it does, as the end of "a test that ..."."""
    only_assertions: bool = False
    """Whether nothing but a failing assertion of its own shows the bug."""


def reproductions(report: BugReport, sources: Mapping[str, str]) -> Iterator[Reproduction]:
    """Yield tests for `report`, the most trusted first. `sources`: path -> text of the tree."""
    yield from _from_snippets(report)
    yield from _from_examples(report, sources)
    yield from _from_traces(report, sources)


# --- snippets ---


def _from_snippets(report: BugReport) -> Iterator[Reproduction]:
    tried: set[str] = set()
    for snippet in report.snippets[:SNIPPETS_MAX]:
        code = _runnable(snippet)
        if code is None or code in tried:
            continue
        tried.add(code)
        yield from _with_expected_comments(code)
        yield Reproduction(OracleKind.SNIPPET, _running(code), "runs the report's snippet")


def _runnable(snippet: Snippet) -> str | None:
    code = snippet.code.strip("\n")[:CODE_CHARS_MAX]
    if snippet.language not in ("python", "text") or _parsed(code) is None:
        return None
    return code


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _running(code: str) -> str:
    """Return a test that runs `code` as a script would run: it fails where the script ends."""
    return (
        f'"""Runs what the report quotes."""\n\nSCRIPT = {_quoted(code)}\n\n\n'
        f"def {TEST}():\n"
        '    exec(compile(SCRIPT, "the report\'s snippet", "exec"), {"__name__": "__main__"})\n'
    )


def _quoted(code: str) -> str:
    if "\\" in code or '"""' in code or "\r" in code:
        return repr(code + "\n")
    return f'"""\\\n{code}\n"""'


def _with_expected_comments(code: str) -> Iterator[Reproduction]:
    """Turn `print(f(2))  # expected 4` into an assertion, the rest of the script before it."""
    lines = code.splitlines()
    for number, line in enumerate(lines):
        comment = _COMMENT.search(line)
        expression = _expression(line) if comment else None
        value = _literal(comment["value"]) if comment else None
        if expression is None or value is None:
            continue
        script = "\n".join([*lines[:number], f"assert {expression} == {value}"])
        if _parsed(script) is not None:
            what = "runs the report's snippet and expects what its comment says"
            yield Reproduction(OracleKind.SNIPPET, _running(script), what, only_assertions=True)
            return


def _expression(line: str) -> str | None:
    """Return the call that a line shows: alone, or printed."""
    module = _parsed(line.strip())
    if module is None or len(module.body) != 1 or not isinstance(module.body[0], ast.Expr):
        return None
    value = module.body[0].value
    match value:
        case ast.Call(func=ast.Name(id="print"), args=[printed], keywords=[]):
            return ast.unparse(printed)
        case _:
            return ast.unparse(value)


def _literal(text: str) -> str | None:
    """Return the Python literal `text` begins with, written our way; None when there is none."""
    text = text.strip().strip("`")
    ends = [len(text), *(m.start() for m in re.finditer(r"[,.;]?\s|[,.;)]$|,|\.$|;", text))]
    for end in sorted(set(ends), reverse=True):
        try:
            return repr(ast.literal_eval(text[:end].strip().strip("`")))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return None


# --- examples: a call and what it should have given ---


def _from_examples(report: BugReport, sources: Mapping[str, str]) -> Iterator[Reproduction]:
    text = "\n".join((report.title, report.description, *report.reproduction_steps))
    yield from _from_prompts(text)
    for sentence in re.split(r"\n\s*\n|(?<=[.!?])\s+(?=[A-Z])", text)[:200]:
        call = _INLINE_CALL.search(sentence)
        expected = _EXPECTED.search(sentence, call.end()) if call else None
        value = _literal(expected["value"]) if expected else None
        imports = _imports_for(call["call"], sources) if call else None
        if call is None or value is None or imports is None:
            continue
        script = f"{imports}\nassert {call['call']} == {value}"
        if _parsed(script) is not None:
            what = f"expects the result the report asks for ({value[:60]})"
            yield Reproduction(OracleKind.SNIPPET, _running(script), what, only_assertions=True)


def _from_prompts(text: str) -> Iterator[Reproduction]:
    """Turn a Python session, and "expected X" after it, into a test of its last expression."""
    try:
        examples = doctest.DocTestParser().get_examples(_sessions(text))[:EXAMPLES_MAX]
    except ValueError:
        return
    if not examples or "Traceback" in examples[-1].want:
        return
    *before, last = [example.source.rstrip("\n") for example in examples]
    expression = _expression(last)
    after = text[text.rfind(last.splitlines()[-1]) :]
    expected = _EXPECTED.search(after)
    value = _literal(expected["value"]) if expected else None
    if expression is None:
        return
    if value is not None and examples[-1].want.strip() != value:
        script = "\n".join([*before, f"assert {expression} == {value}"])
        what = "types the report's session and expects what the report asks for"
        yield Reproduction(OracleKind.SNIPPET, _running(script), what, only_assertions=True)


def _sessions(text: str) -> str:
    """Return the Python sessions of `text`, without fences: a fence would end their output."""
    return re.sub(r"^\s*(?:```|~~~).*$", "", text, flags=re.MULTILINE)


def _imports_for(expression: str, sources: Mapping[str, str]) -> str | None:
    """Return import lines for the names `expression` starts from; None if one is unknown."""
    module = _parsed(expression)
    if module is None:
        return None
    lines = []
    for name in sorted({n.id for n in ast.walk(module) if isinstance(n, ast.Name)}):
        if name in _BUILTINS:
            continue
        line = _import_of(name, sources)
        if line is None:
            return None
        lines.append(line)
    return "\n".join(lines) if lines else None


_BUILTINS = frozenset(
    {*("abs", "all", "any", "bool", "bytes", "dict", "enumerate", "float", "frozenset", "int")}
    | {*("len", "list", "map", "max", "min", "range", "repr", "reversed", "round", "set")}
    | {*("sorted", "str", "sum", "tuple", "type", "zip")}
)


def _import_of(name: str, sources: Mapping[str, str]) -> str | None:
    """Return how to import `name`, if just one module of the tree defines it."""
    modules = []
    for path, text in sources.items():
        module = _module_of(path, sources)
        if module is None or name not in text:
            continue
        if module.rpartition(".")[2] == name:
            return f"import {module}" if "." not in module else None
        tree = _parsed(text)
        if tree is not None and name in _defined(tree):
            modules.append(module)
    return f"from {modules[0]} import {name}" if len(modules) == 1 else None


def _defined(tree: ast.Module) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def _module_of(path: str, sources: Mapping[str, str]) -> str | None:
    """Return the name a file is imported by from the root of the tree (or from `src`)."""
    pure = PurePosixPath(path)
    parts = pure.with_suffix("").parts
    if pure.suffix != ".py" or not all(part.isidentifier() for part in parts):
        return None
    if parts[0] in ("src", "lib") and f"{parts[0]}/__init__.py" not in sources:
        parts = parts[1:]
    if parts[-1:] == ("__init__",):
        parts = parts[:-1]
    return ".".join(parts) or None


# --- stack traces ---


def _from_traces(report: BugReport, sources: Mapping[str, str]) -> Iterator[Reproduction]:
    """Turn a frame's line into a test, if it calls into the tree with literals alone."""
    tried: set[str] = set()
    for trace in reversed(report.stack_traces):
        for frame, inner in pairwise(trace.frames):
            script = _call_script(frame, inner, sources)
            if script is None or script in tried or len(tried) == CALLS_MAX:
                continue
            tried.add(script)
            what = f"makes the call of the traceback into {inner.function}"
            yield Reproduction(OracleKind.TRACEBACK_TEST, _running(script), what)


def _call_script(frame: Frame, inner: Frame, sources: Mapping[str, str]) -> str | None:
    path = match_path(inner.path, sources)
    module = _parsed(frame.code.strip().removesuffix(":")) if path else None
    if path is None or module is None:
        return None
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _called(node) == inner.function.rpartition(".")[2]:
            script = _importing(node, path, sources)
            if script is not None:
                return script
    return None


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _importing(call: ast.Call, path: str, sources: Mapping[str, str]) -> str | None:
    """Return a script that makes `call`, all of whose values stand in the call itself."""
    names = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
    tree, module = _parsed(sources[path]), _module_of(path, sources)
    if tree is None or module is None or not names:
        return None
    own = _defined(tree)
    lines = []
    for name in sorted(names - _BUILTINS):
        line = f"from {module} import {name}" if name in own else _import_of(name, sources)
        if line is None:
            return None
        lines.append(line)
    return "\n".join([*lines, "", ast.unparse(call)])
