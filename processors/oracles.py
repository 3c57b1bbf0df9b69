"""Finds what shows a bug: red at the base commit, for the reason the report gives.

In the order of trust: a test of the suite, the report's own snippet, a test from its traceback.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from processors.pytest_reporter import TOOK_LONGER
from processors.pytest_runs import CodePlace, Pytest, PytestRun, TestResult
from processors.reproductions import FILE, TEST, Reproduction, reproductions
from schemas.fixes import Oracle, OracleKind
from schemas.places import Location
from schemas.reports import BugReport
from schemas.trees import remove_file, write_file

SUITE_TESTS_MAX = 20
REPRODUCTIONS_MAX = 12
REPRODUCTION_WALL_S = 60.0
TOP_LOCATIONS = 3

_FAILING_TEST = re.compile(
    r"\btests?\b[^.\n]{0,80}\b(?:fail|fails|failing|failed|red|broken)\b"
    r"|\b(?:fail|fails|failing|failed|red|broken)\b[^.\n]{0,80}\btests?\b",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"0x[0-9a-fA-F]+|\d+|['\"`]|\s+")
_INCOMPLETE = frozenset({"NameError", "ImportError", "ModuleNotFoundError", "SyntaxError"})
"""What a snippet dies of when it was never whole."""


@dataclass(frozen=True, slots=True)
class Found:
    """An oracle that was seen red, with what it printed."""

    oracle: Oracle
    output: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """No oracle: `reason` says what was looked at, `detail` what it printed."""

    reason: str
    detail: str = ""
    unusable: bool = False
    """Whether no test can be run at all until a setting is changed, which `reason` names."""


def find_oracle(
    pytest: Pytest,
    tree: Path,
    report: BugReport,
    locations: Sequence[Location],
    sources: Mapping[str, str],
) -> Found | NotFound:
    """Return what shows `report`'s bug in `tree`, which may be changed by what runs.

    `sources` is the text of the tree's Python files. Raises `SandboxUnavailableError`.
    """
    suite = pytest.run(tree)
    if suite.ended in ("no_pytest", "no_python", "refused"):
        return NotFound(suite.reason, suite.output, unusable=suite.ended != "refused")
    fitting = _fitting(suite, report, locations)
    if fitting:
        confirmed = _confirm(pytest, tree, fitting)
        if confirmed is not None:
            return confirmed
    if FILE in sources:
        return NotFound(f"the tree already has a file named {FILE}")
    written = [*reproductions(report, sources)][:REPRODUCTIONS_MAX]
    for reproduction in written:
        found = _try(pytest, tree, report, reproduction)
        if found is not None:
            return found
    return NotFound(_why_none(suite, len(written)), suite.output)


def python_sources(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the text of the Python files among `files`: path -> content."""
    return {p: c.decode("utf-8", "replace") for p, c in files.items() if p.endswith(".py")}


def _why_none(suite: PytestRun, written: int) -> str:
    tests = "the suite has no tests"
    if not suite.whole:
        tests = f"the suite gave no whole answer ({suite.reason})"
    elif suite.results:
        red = len(suite.red) - len(suite.uncollected)
        tests = f"{red} of {len(suite.results)} tests fail, none as the report says"
        if not red:
            tests = f"all of the suite's {len(suite.results)} tests pass or are skipped"
    if suite.uncollected:
        tests = f"{tests} ({len(suite.uncollected)} files of tests cannot be imported)"
    tried = "the report has no runnable snippet, and no call that could be repeated"
    if written:
        tried = f"none of {written} tests written from the report fails as the report says"
    return f"{tests}; {tried}"


# --- (a) tests of the suite ---


def _fitting(
    suite: PytestRun, report: BugReport, locations: Sequence[Location]
) -> list[tuple[TestResult, str]]:
    """Return the red tests that fit the report best, each with the reason, by one rule alone."""
    text = _text_of(report)
    rules: tuple[tuple[str, Callable[[TestResult], bool]], ...] = (
        ("it is named in the report", lambda r: _named(r.node_id, text)),
        ("it dies of what the report's trace shows", lambda r: _same_crash(r, report)),
        (
            "it dies of the exception in the report, in code the report leads to",
            lambda r: _same_place(r, locations, text),
        ),
    )
    red = suite.red
    for reason, fits in rules:
        found = [(result, reason) for result in red if fits(result)]
        if found:
            return found[:SUITE_TESTS_MAX]
    if len(red) == 1 and _FAILING_TEST.search(text) and not _slow(red[0]):
        return [(red[0], "it is the only failing test, and the report speaks of one")]
    return []


def _confirm(pytest: Pytest, tree: Path, fitting: list[tuple[TestResult, str]]) -> Found | None:
    """Run the tests once more by themselves: what is red by chance is no oracle."""
    names = tuple(dict.fromkeys(result.node_id for result, _ in fitting))
    again = pytest.run(tree, names)
    still = tuple(name for name in names if again.all_red([name]))
    if not still:
        return None
    count = "a test of the suite fails" if len(still) == 1 else f"{len(still)} tests fail"
    oracle = Oracle(
        kind=OracleKind.SUITE_TEST,
        node_ids=still,
        description=f"{count} at the base commit; {fitting[0][1]}",
    )
    return Found(oracle, again.output)


def _text_of(report: BugReport) -> str:
    traces = "\n".join(f"{t.exception}: {t.message}" for t in report.stack_traces)
    frames = "\n".join(f.function for t in report.stack_traces for f in t.frames)
    parts = (report.title, report.description, *report.reproduction_steps, report.error_log)
    return "\n".join((*parts, traces, frames))


def _named(node_id: str, text: str) -> bool:
    bare = node_id.partition("[")[0]
    name = bare.rpartition("::")[2]
    # "test_add" is a name; "test" or "main" is a word.
    return bare in text or ("_" in name and re.search(rf"\b{re.escape(name)}\b", text) is not None)


def _same_crash(result: TestResult, report: BugReport) -> bool:
    for trace in report.stack_traces:
        if trace.exception.rpartition(".")[2] != result.exception:
            continue
        same_message = bool(trace.message) and _fits(trace.message, result.message)
        reported = {(PurePosixPath(f.path).name, f.line) for f in trace.frames}
        ran = {(PurePosixPath(f.path).name, f.line) for f in result.frames}
        if reported & ran or (same_message and _innermost_fits(result, reported)):
            return True
    return False


def _innermost_fits(result: TestResult, reported: set[tuple[str, int | None]]) -> bool:
    """Return whether the failure ended in a file of the trace; without frames there is no doubt."""
    if not result.frames or not reported:
        return True
    return PurePosixPath(result.frames[-1].path).name in {name for name, _ in reported}


def _same_place(result: TestResult, locations: Sequence[Location], text: str) -> bool:
    if not result.exception or not re.search(rf"\b{re.escape(result.exception)}\b", text):
        return False
    paths = {location.path for location in locations[:TOP_LOCATIONS]}
    return any(frame.path in paths for frame in result.frames)


def _fits(one: str, other: str) -> bool:
    """Return whether two messages are the same but for numbers, addresses and quotes."""
    left, right = _VARIABLE.sub("", one), _VARIABLE.sub("", other.partition("\n")[0])
    return left == right or bool(left and right and (left in right or right in left))


# --- (b), (c) tests written from the report ---


def _try(pytest: Pytest, tree: Path, report: BugReport, reproduction: Reproduction) -> Found | None:
    write_file(tree, FILE, reproduction.source.encode())
    node_id = f"{FILE}::{TEST}"
    try:
        run = pytest.run(tree, [node_id], wall_s=REPRODUCTION_WALL_S)
    finally:
        remove_file(tree, FILE)
    result = run.results.get(node_id)
    if not run.whole or result is None or result.outcome != "failed":
        return None
    why = _red_as_reported(result, report, reproduction)
    if why is None:
        return None
    oracle = Oracle(
        kind=reproduction.kind,
        node_ids=(node_id,),
        files={FILE: reproduction.source},
        description=f"a test that {reproduction.what} fails at the base commit: {why}",
    )
    return Found(oracle, run.output)


def _red_as_reported(
    result: TestResult, report: BugReport, reproduction: Reproduction
) -> str | None:
    """Return why the failure is the reported bug; None when it may be any other."""
    if _slow(result):
        return None
    in_script = _in_script(result.frames)
    if result.exception == "AssertionError" and in_script:
        return "its assertion does not hold"
    named = [t for t in report.stack_traces if t.exception.rpartition(".")[2] == result.exception]
    same = any(not t.message or _fits(t.message, result.message) for t in named)
    said = re.search(rf"\b{re.escape(result.exception)}\b", _text_of(report)) is not None
    doubtful = (
        reproduction.only_assertions
        or not result.exception
        or not (named or said)
        # A snippet that lacks an import dies of NameError in itself; that is not the bug.
        or (in_script and (result.exception in _INCOMPLETE or not same))
        or (reproduction.kind is OracleKind.TRACEBACK_TEST and not same)
    )
    return None if doubtful else f"it raises {result.exception}, as the report says"


def _slow(result: TestResult) -> bool:
    """Return whether the limit ended it: unless the report names it, it may be slow and good."""
    return result.message.startswith(TOOK_LONGER)


def _in_script(frames: Sequence[CodePlace]) -> bool:
    """Return whether the failure happened in the script itself, in no code of the tree."""
    return not frames or frames[-1].path in (FILE, "the report's snippet")
