"""What a patch does, read from its two sides: does it fit the tree, and does it spare the tests."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from schemas.fixes import FileEdit, Oracle
from schemas.target_tests import is_test, runs_by_itself
from schemas.trees import UnsafePathError, read_file, remove_file, safe_path, write_file

EDITS_MAX = 50
EDIT_CHARS_MAX = 2_000_000

_CONFIGURATION = frozenset({"pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "setup.cfg"})
_KNOWS_TESTS = re.compile(r"PYTEST_|[\"']pytest[\"']|\bsys\._getframe\b.*test|_pytest\b")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def misfits(tree: Path, edits: Sequence[FileEdit]) -> list[str]:
    """Return why `edits` cannot be applied to `tree` as it is; empty when they fit exactly."""
    if not edits or len(edits) > EDITS_MAX:
        return [f"the patch changes {len(edits)} files; it may change 1 to {EDITS_MAX}"]
    paths = [edit.path for edit in edits]
    doubled = {path for path in paths if paths.count(path) > 1}
    return [
        *(f"{path} is changed twice" for path in sorted(doubled)),
        *(why for edit in edits for why in _misfit(tree, edit)),
    ]


def _misfit(tree: Path, edit: FileEdit) -> Iterator[str]:
    if ".git" in PurePosixPath(edit.path).parts:
        yield f"{edit.path!r} is not a path a patch may change"
        return
    try:
        current = _text(tree, edit.path)
        if safe_path(edit.path) != edit.path:
            yield f"{edit.path!r} is not written as git writes it"
    except UnsafePathError as error:
        yield str(error)
        return
    except UnicodeDecodeError:
        yield f"{edit.path} is not text"
        return
    if len(edit.after or "") > EDIT_CHARS_MAX:
        yield f"{edit.path} would become larger than {EDIT_CHARS_MAX} characters"
    elif current != edit.before:
        yield f"{edit.path} is not what the patch was made for"
    elif edit.before == edit.after:
        yield f"{edit.path} is not changed at all"


def _text(tree: Path, path: str) -> str | None:
    try:
        return read_file(tree, path).decode("utf-8")
    except FileNotFoundError:
        return None


def apply(tree: Path, edits: Sequence[FileEdit]) -> None:
    """Write `edits` into `tree`; to be called when `misfits` found nothing."""
    for edit in edits:
        if edit.after is None:
            remove_file(tree, edit.path)
        else:
            write_file(tree, edit.path, edit.after.encode())


def unfit_oracle(tree: Path, oracle: Oracle) -> list[str]:
    """Return why the oracle's own files may not be added to `tree`."""
    problems = []
    for path in oracle.files:
        name = PurePosixPath(path).name
        try:
            if safe_path(path) != path or not name.endswith(".py") or runs_by_itself(path):
                problems.append(f"{path!r} is no file a reproducing test may bring")
            elif _text(tree, path) is not None:
                problems.append(f"{path} exists already, and a reproducing test may not change it")
        except (UnsafePathError, UnicodeDecodeError) as error:
            problems.append(f"{path!r}: {error}")
    if not oracle.node_ids:
        problems.append("it names no test")
    return problems


# --- does it spare the tests ---


def weakenings(edits: Sequence[FileEdit]) -> list[str]:
    """Return how `edits` weaken the tests, or what decides which tests run; empty when not at all.

    Strict on purpose: in a test file what is there stays as it is, and only tests may be added.
    """
    return [why for edit in edits for why in _weakening(edit)]


def _weakening(edit: FileEdit) -> Iterator[str]:
    name = PurePosixPath(edit.path).name
    if runs_by_itself(edit.path):
        yield f"{edit.path} decides how tests run, and must stay as it is"
    elif name in _CONFIGURATION or name == "pyproject.toml":
        if _pytest_settings(name, edit.before) != _pytest_settings(name, edit.after):
            yield f"{edit.path}: the settings of the tests must stay as they are"
    elif is_test(edit.path):
        yield from _changed_tests(edit)
    elif edit.path.endswith(".py"):
        yield from _test_detection(edit)


def _pytest_settings(name: str, text: str | None) -> object:
    """Return what pytest reads from a file of settings; the whole text where it is malformed."""
    if text is None:
        return None
    if name in ("pytest.ini", ".pytest.ini", "pytest.toml"):
        return text
    try:
        if name == "pyproject.toml":
            return tomllib.loads(text).get("tool", {}).get("pytest")
        parser = configparser.RawConfigParser()
        parser.read_string(text)
    except (tomllib.TOMLDecodeError, configparser.Error):
        return text
    sections = [s for s in ("tool:pytest", "pytest") if parser.has_section(s)]
    return [(section, parser.items(section)) for section in sections] or None


def _changed_tests(edit: FileEdit) -> Iterator[str]:
    if edit.before is None:
        yield from _new_test_file(edit)
        return
    if edit.after is None:
        yield f"{edit.path} is deleted"
        return
    before, after = _module(edit.before), _module(edit.after)
    if before is None or after is None:
        yield f"{edit.path} is changed and cannot be compared"
        return
    yield from _changed_body(edit.path, before.body, after.body)


def _new_test_file(edit: FileEdit) -> Iterator[str]:
    # A new file beside the tests can only weaken them by taking the place of what they import.
    name = PurePosixPath(edit.path).name
    module = _module(edit.after or "") if name.endswith(".py") else None
    if name == "__init__.py" or (name.endswith(".py") and module is None):
        yield f"{edit.path} is new and may change what tests import"


def _changed_body(
    path: str, before: Sequence[ast.stmt], after: Sequence[ast.stmt]
) -> Iterator[str]:
    left = [ast.dump(node) for node in after]
    for node in before:
        if ast.dump(node) in left:
            left.remove(ast.dump(node))
        elif isinstance(node, ast.ClassDef):
            yield from _changed_class(path, node, after)
        else:
            yield f"{path}: {_name(node)} is changed or removed"
    names = {_name(node) for node in before}
    kept = [ast.dump(node) for node in before]
    for node in after:
        if ast.dump(node) in kept:
            kept.remove(ast.dump(node))
        elif not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)):
            yield f"{path}: {_name(node)} is added, which is no test"
        elif _name(node) in names and not isinstance(node, ast.ClassDef):
            yield f"{path}: {_name(node)} is defined a second time"
        elif isinstance(node, _FUNCTIONS) and "autouse" in ast.dump(node):
            yield f"{path}: {_name(node)} would act on every test"


def _changed_class(path: str, node: ast.ClassDef, after: Sequence[ast.stmt]) -> Iterator[str]:
    same = [n for n in after if isinstance(n, ast.ClassDef) and n.name == node.name]
    if len(same) != 1:
        yield f"{path}: {_name(node)} is removed or defined a second time"
        return
    head = (same[0].bases, same[0].keywords, same[0].decorator_list)
    was = (node.bases, node.keywords, node.decorator_list)
    if [[ast.dump(n) for n in part] for part in head] != [[ast.dump(n) for n in p] for p in was]:
        yield f"{path}: {_name(node)} has another base or decorator"
    yield from _changed_body(path, node.body, same[0].body)


def _name(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return f"function {name}"
        case ast.ClassDef(name=name):
            return f"class {name}"
        case _:
            return f"`{ast.unparse(node).splitlines()[0][:80]}`"


def _module(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _test_detection(edit: FileEdit) -> Iterator[str]:
    """Find code that asks whether it is being tested: it would pass tests and mend nothing."""
    before = set((edit.before or "").splitlines())
    for line in (edit.after or "").splitlines():
        if line not in before and _KNOWS_TESTS.search(line):
            yield f"{edit.path}: new code asks whether it is being tested"
            return
