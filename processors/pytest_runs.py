"""Runs a tree's tests in the sandbox and tells what came of each. Nothing of it runs outside.

What is reported comes from the process that ran strangers' code: it can lie about that code, as
any test can. It cannot end early and count as passed: without the last line nothing counts.
"""

from __future__ import annotations

import inspect
import json
import re
import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from processors import pytest_reporter
from processors.ports import Sandbox, SandboxLimits, SandboxResult, SandboxSpec
from processors.reach import Ran
from schemas.values import SANDBOX_WORKDIR

REPORT_BYTES_MAX = 32_000_000
OUTPUT_CHARS_MAX = 20_000
TEST_WALL_S_MAX = 60.0
"""For each test; what a test may take at most of a run is a half, so that the rest can run, too."""
MEMORY_MB = 2048
PROCESSES = 128

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed"]
Ended = Literal[
    "finished", "no_tests", "no_pytest", "no_python", "refused", "timeout", "killed", "cut_off"
]

_WORST_FIRST: tuple[Outcome, ...] = ("error", "failed", "xfailed", "skipped", "passed")
_OPTIONS = (
    f"--rootdir={SANDBOX_WORKDIR}",  # Names of tests stay the same, whatever is selected.
    "--tb=short",
    "--color=no",
    "--maxfail=0",
    "--continue-on-collection-errors",
    "-ocache_dir=/tmp/pytest-cache",
    *("-p", "no:randomly"),
)
_NOT_STARTED = (126, 127)
_STATUS: Mapping[int, Ended] = {0: "finished", 1: "finished", 5: "no_tests"}
_EXCEPTION = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?::\s*(?P<message>.*)|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A line of the tree that a failure ran through."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class TestResult:
    """What came of one test, all its phases together."""

    __test__ = False  # Its name is no invitation to pytest.

    node_id: str
    outcome: Outcome
    crash: str = ""
    """What it died of, such as "KeyError: 'x'"; of a plain assert its explanation."""
    text: str = ""
    frames: tuple[CodePlace, ...] = ()
    wall_s: float = 0.0

    @property
    def red(self) -> bool:
        """Return whether it failed, in its setup or later."""
        return self.outcome in ("failed", "error")

    @property
    def exception(self) -> str:
        """Return the name of the exception without its module; AssertionError for an assert."""
        if self.crash.startswith("assert "):
            return "AssertionError"
        match = _EXCEPTION.match(self.crash)
        return match["type"].rpartition(".")[2] if match else ""

    @property
    def message(self) -> str:
        """Return what the exception said."""
        match = _EXCEPTION.match(self.crash)
        return (match["message"] or "").strip() if match else ""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which lines of the watched files tests ran, and which tests ran any of them."""

    ran: Mapping[str, Ran]
    tests: tuple[str, ...]
    count: int
    """How many tests were watched."""
    disturbed: int
    """How many of them watched something themselves, which ends ours."""

    def of(self, path: str) -> Ran:
        """Return what ran of `path`."""
        return self.ran.get(path, Ran())


@dataclass(frozen=True, slots=True)
class PytestRun:
    """One run of pytest. Only `finished` and `no_tests` are a whole answer."""

    command: str
    ended: Ended
    reason: str
    """For people: why it is no whole answer. Empty when it is."""
    results: Mapping[str, TestResult]
    uncollected: Mapping[str, TestResult]
    """Files whose tests could not even be collected, each as if it were one test."""
    output: str
    wall_s: float
    reach: Reach | None = None
    """What was seen of the files to watch; None when there were none, or there is no answer."""

    @property
    def whole(self) -> bool:
        """Return whether it says of every test what came of it."""
        return self.ended in ("finished", "no_tests")

    @property
    def passed(self) -> frozenset[str]:
        """Return the tests that passed."""
        return frozenset(n for n, result in self.results.items() if result.outcome == "passed")

    @property
    def red(self) -> tuple[TestResult, ...]:
        """Return the tests that failed, and the files that could not be collected."""
        return (*(r for r in self.results.values() if r.red), *self.uncollected.values())

    def of(self, node_id: str) -> tuple[TestResult, ...]:
        """Return the results `node_id` stands for: itself, its parameters, a file's tests."""
        exact = self.results.get(node_id) or self.uncollected.get(node_id)
        if exact is not None:
            return (exact,)
        inside = (f"{node_id}[", f"{node_id}::")
        return tuple(r for name, r in self.results.items() if name.startswith(inside))

    def all_red(self, node_ids: Iterable[str]) -> bool:
        """Return whether each of `node_ids` was run and failed, at least for one parameter."""
        return self.whole and all(any(r.red for r in self.of(name)) for name in node_ids)

    def all_green(self, node_ids: Iterable[str]) -> bool:
        """Return whether each of `node_ids` was run and passed, for every parameter."""
        groups = [self.of(name) for name in node_ids]
        return self.whole and all(
            group and all(r.outcome == "passed" for r in group) for group in groups
        )


@dataclass(frozen=True, slots=True)
class Pytest:
    """How one project's tests are run."""

    sandbox: Sandbox
    python: Path
    test_command: Sequence[str] = ("-m", "pytest")
    """The project's setting; `wrong_command` says whether it can be used."""
    limits: SandboxLimits = field(
        default_factory=lambda: SandboxLimits(
            wall_s=600.0, cpu_s=600, memory_mb=MEMORY_MB, processes=PROCESSES
        )
    )

    test_wall_s: float = TEST_WALL_S_MAX

    def of_examples(self, files: Sequence[str], *, wall_s: float) -> Pytest:
        """Return what runs the examples in the docstrings of `files`, and nothing else.

        Plugins are on or off as for the tests.
        """
        before, options = _split(self.test_command)
        command = (*before, "-m", "pytest", *_plugins(options), "--doctest-modules", *files)
        limits = replace(self.limits, wall_s=min(self.limits.wall_s, wall_s))
        return replace(self, test_command=command, limits=limits)

    def run(
        self,
        tree: Path,
        node_ids: Sequence[str] = (),
        *,
        wall_s: float | None = None,
        watch: Sequence[str] = (),
    ) -> PytestRun:
        """Run the whole suite of `tree`, or only `node_ids`, noting what runs of `watch`.

        `watch` are files of the tree; it makes everything slower. `tree` may be changed by what
        runs. Raises `SandboxUnavailableError`.
        """
        before, options = _split(self.test_command)
        files = list(dict.fromkeys(name.partition("::")[0] for name in node_ids))
        arguments = [*options, *_OPTIONS, *files]
        mark = f"@{secrets.token_hex(8)} "
        wall_s = min(self.limits.wall_s, wall_s or self.limits.wall_s)
        plan = {
            "mark": mark,
            "args": arguments,
            "only": list(node_ids),
            "watch": list(watch),
            "test_wall_s": min(self.test_wall_s, wall_s / 2),
        }
        limits = replace(self.limits, wall_s=wall_s, output_bytes=REPORT_BYTES_MAX)
        result = self.sandbox.run(
            SandboxSpec(
                (
                    str(self.python.expanduser().absolute()),
                    *before,
                    "-c",
                    inspect.getsource(pytest_reporter),
                ),
                tree,
                python=self.python,
                stdin=json.dumps(plan).encode() + b"\n",
                limits=limits,
            )
        )
        shown = ["python", *before, "-m", "pytest", *options, *(node_ids or ())]
        return _read(result, shlex.join(shown), mark.encode(), limits.wall_s)


def wrong_command(test_command: Sequence[str]) -> str:
    """Return what is wrong with a project's `test_command`; empty when it can be used."""
    try:
        _split(test_command)
    except ValueError:
        return "test_command must run pytest, as in ['-m', 'pytest', '-q']"
    return ""


def _split(test_command: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what stands before `-m pytest`, and what after it."""
    words = list(test_command)
    at = words.index("-m")
    if words[at + 1 : at + 2] != ["pytest"]:
        raise ValueError("no pytest")
    return words[:at], words[at + 2 :]


def _plugins(options: Sequence[str]) -> list[str]:
    """Return what of `options` turns plugins on or off."""
    pairs = zip(("", *options), options, strict=False)
    return [word for before, word in pairs if before == "-p" or word.startswith("-p")]


def _read(result: SandboxResult, command: str, mark: bytes, wall_s: float) -> PytestRun:
    records, rest = _records(result.stderr, mark)
    tests: dict[str, TestResult] = {}
    uncollected: dict[str, TestResult] = {}
    status: int | None = None
    expected = 0
    missing = False
    reach: Reach | None = None
    for record in records:
        match record.get("kind"):
            case "test" if _tells(record):
                result_of = _test(record)
                tests[result_of.node_id] = _worse(tests.get(result_of.node_id), result_of)
            case "collect":
                name, text = str(record["id"]) or "(collection)", str(record["text"])
                uncollected[name] = TestResult(name, "error", _last_error(text), text)
            case "finish":
                status = int(record["status"])
                expected = int(record["collected"])
            case "no_pytest":
                missing = True
            case "reach":
                reach = _reach(record)
            case _:
                continue
    output = (result.stdout.decode("utf-8", "replace") + rest)[-OUTPUT_CHARS_MAX:]
    if len(tests) < expected:
        status = None  # A test called pytest.exit: the rest never ran.
    ended, reason = _ended(result, status, output, missing=missing, wall_s=wall_s)
    return PytestRun(command, ended, reason, tests, uncollected, output, result.wall_s, reach)


def _records(stderr: bytes, mark: bytes) -> tuple[list[dict[str, Any]], str]:
    records: list[dict[str, Any]] = []
    rest: list[bytes] = []
    for line in stderr.split(b"\n"):
        if not line.startswith(mark):
            rest.append(line)
            continue
        try:
            records.append(json.loads(line[len(mark) :]))
        except ValueError:  # Cut off where the output ended.
            continue
    return records, b"\n".join(line for line in rest if line.strip()).decode("utf-8", "replace")


def _last_error(text: str) -> str:
    """Return what a collection died of, from pytest's lines marked with E."""
    errors = [line[1:].strip() for line in text.splitlines() if line.startswith("E  ")]
    return errors[-1] if errors else ""


def _tells(record: Mapping[str, Any]) -> bool:
    """Return whether a phase says what came of its test; a setup or teardown gone well does not."""
    outcome = record.get("outcome")
    return outcome in ("failed", "skipped") or (outcome == "passed" and record["when"] == "call")


def _test(record: Mapping[str, Any]) -> TestResult:
    outcome: Outcome = record["outcome"]
    if record["outcome"] == "failed" and record["when"] != "call":
        outcome = "error"
    elif record["outcome"] == "skipped" and record["xfail"]:
        outcome = "xfailed"
    places = [(str(path), int(line)) for path, line in record.get("frames", ())]
    return TestResult(
        node_id=str(record["id"]),
        outcome=outcome,
        crash=str(record.get("crash", "")),
        text=str(record.get("text", "")),
        frames=tuple(CodePlace(p.removeprefix(f"{SANDBOX_WORKDIR}/"), n) for p, n in places),
        wall_s=float(record["wall_s"]),
    )


def _reach(record: Mapping[str, Any]) -> Reach:
    passed, some = record["passed"], record["some"]
    ran = {path: Ran(frozenset(passed[path]), frozenset(some[path])) for path in some}
    return Reach(ran, tuple(record["tests"]), int(record["count"]), int(record["disturbed"]))


def _worse(one: TestResult | None, other: TestResult) -> TestResult:
    if one is None:
        return other
    worse = min(one, other, key=lambda result: _WORST_FIRST.index(result.outcome))
    return replace(worse, wall_s=one.wall_s + other.wall_s)


def _ended(
    result: SandboxResult, status: int | None, output: str, *, missing: bool, wall_s: float
) -> tuple[Ended, str]:
    if missing:
        return "no_pytest", (
            "the project's interpreter has no pytest: install it there, or set `python` to the"
            " one that has it"
        )
    if result.ended == "wall_timeout":
        return "timeout", f"the tests did not end within {wall_s:.0f} s"
    if result.ended != "exited":
        return "killed", "the tests were killed: too much memory, processor time or disk"
    if status is None or status != result.exit_code or result.truncated:
        return _no_end(result)
    if status in _STATUS:
        return _STATUS[status], ""
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "")
    return "refused", f"pytest gave up with status {status}: {last[:200]}"


def _no_end(result: SandboxResult) -> tuple[Ended, str]:
    if result.exit_code in _NOT_STARTED:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        return "no_python", (
            "the project's interpreter could not be started by the sandbox's user (it must be"
            f" readable for everyone): {said[-1][:200] if said else 'no reason given'}"
        )
    return "cut_off", "pytest ended before its end: something in the tree ended the process"
