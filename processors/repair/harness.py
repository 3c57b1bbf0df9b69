"""Our end of the fork server: typed requests in, typed reports out, restarted when it dies."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from processors.ports import Sandbox, SandboxLimits, SandboxProcess, SandboxSpec
from schemas.errors import TransientError

PYTEST_ARGS = (
    "--capture=no",
    "--assert=plain",
    "--tb=no",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
)
RESTARTS_MAX = 5
ANSWER_GRACE_S = 20.0
MEMORY_MB = 1024
OUTPUT_BYTES_MAX = 256_000_000


@dataclass(frozen=True, slots=True)
class CrashFrame:
    """One frame inside the project, with the type names of its variables."""

    path: str
    line: int
    function: str
    kinds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Crash:
    """The exception that failed a test; frames outermost first."""

    exception: str
    message: str
    frames: tuple[CrashFrame, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one test did. `over` when it used up its CPU time, `idle` when its wall time."""

    node_id: str
    outcome: Literal["passed", "failed", "skipped"]
    cpu_s: float
    wall_s: float = 0.0
    over: bool = False
    idle: bool = False
    crash: Crash | None = None

    @property
    def green(self) -> bool:
        """Return whether it counts as passing; a skip does."""
        return self.outcome != "failed"


@dataclass(frozen=True, slots=True)
class Lines:
    """How often tests of one outcome executed each line: path -> line -> number of tests."""

    failed: Mapping[str, Mapping[int, int]]
    passed: Mapping[str, Mapping[int, int]]
    kinds: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Path -> function -> variable -> type name, as the tests left them."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one run gave. `finished` False: it was ended early and `outcomes` is a part."""

    outcomes: tuple[Outcome, ...]
    ended: str
    finished: bool
    cpu_s: float
    wall_s: float
    lines: Lines | None = None
    modules: tuple[str, ...] = ()

    @property
    def passed_ids(self) -> frozenset[str]:
        """Return the tests that passed (or were skipped)."""
        return frozenset(o.node_id for o in self.outcomes if o.green)

    @property
    def first_failed_id(self) -> str | None:
        """Return the first test that failed."""
        return next((o.node_id for o in self.outcomes if not o.green), None)

    def green(self, wanted: Sequence[str]) -> bool:
        """Return whether every one of `wanted` ran to a pass."""
        return self.finished and self.ended == "exited" and self.passed_ids >= set(wanted)


NO_REPORT = Report((), ended="signal", finished=False, cpu_s=0.0, wall_s=0.0)


@dataclass(frozen=True, slots=True)
class Run:
    """One request: which tests, on which version of which file, within which limits."""

    select: Sequence[str] = ()
    """Tests, files or folders; empty: what pytest finds by itself."""
    first: Sequence[str] = ()
    """Tests or files to run before all others, in this order; none: the order of `select`."""
    path: str | None = None
    source: str | None = None
    """The whole text of `path` for this run only; None: the tree as it is."""
    skip: Sequence[str] = ()
    red: Sequence[str] = ()
    """Tests known to fail: with `trace`, one of them that runs out of time counts as failed."""
    stop_at_first: bool = True
    trace: bool = False
    trace_only: str | None = None
    """The one file to trace; None: every file of the tree."""
    details: bool = False
    cpu_s_per_test: float = 10.0
    wall_s_per_test: float = 60.0
    """For what waits and so uses no CPU time. A busy machine must not reach it."""
    cpu_s_max: float = 60.0
    wall_s_max: float = 120.0


@dataclass(slots=True)
class Harness:
    """A fork server in one sandbox. Use as a context manager; `deadline_s` is monotonic."""

    sandbox: Sandbox
    python: Path
    tree: Path
    deadline_s: float
    pytest_args: tuple[str, ...] = ()
    restarts: int = 0
    cpu_s: float = 0.0
    """Processor time of all runs so far."""
    _process: SandboxProcess | None = None
    _context: AbstractContextManager[SandboxProcess] | None = None
    _preloaded: tuple[str, ...] = field(default=())

    def __enter__(self) -> Self:
        """Start the server."""
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the whole tree."""
        self._stop()

    def run(self, wanted: Run) -> Report:
        """Run tests. A server that dies is replaced; then the report is empty and unfinished.

        Raises `TransientError` when it dies more than `RESTARTS_MAX` times.
        """
        before = (self.tree / wanted.path).read_bytes() if wanted.path is not None else b""
        request = {
            "op": "run",
            "tests": list(wanted.first or wanted.select),
            "select": list(wanted.select),
            "skip": list(wanted.skip),
            "red": list(wanted.red),
            "path": wanted.path,
            "source": wanted.source,
            "trace": wanted.trace,
            "trace_only": wanted.trace_only,
            "details": wanted.details,
            "cpu_s_per_test": wanted.cpu_s_per_test,
            "wall_s_per_test": wanted.wall_s_per_test,
            "cpu_s_max": wanted.cpu_s_max,
            "wall_s_max": wanted.wall_s_max,
            "memory_mb": MEMORY_MB,
            "args": self._args(wanted),
        }
        answer = self._ask(request, wanted.wall_s_max)
        if answer is None and wanted.path is not None:
            (self.tree / wanted.path).write_bytes(before)  # Left as it was when the server died.
        report = _report(answer) if answer else NO_REPORT
        self.cpu_s += report.cpu_s
        return report

    def preload(self, modules: Sequence[str]) -> None:
        """Import `modules` in the server, so that no candidate pays for them again."""
        self._preloaded = tuple(modules)
        if modules:
            self._ask({"op": "preload", "modules": list(modules)}, 60.0)

    def restart(self) -> None:
        """Begin again with a fresh server in which nothing is preloaded."""
        self._preloaded = ()
        self._stop()
        self._start()

    def _args(self, wanted: Run) -> list[str]:
        stop = ["--maxfail=1"] if wanted.stop_at_first else ["--continue-on-collection-errors"]
        return [*self.pytest_args, *PYTEST_ARGS, *stop]

    def _ask(self, request: Mapping[str, Any], wall_s: float) -> dict[str, Any] | None:
        if self._process is None:
            raise RuntimeError("enter the harness first")
        line: bytes | None = None
        try:
            self._process.send(json.dumps(request).encode())
            line = self._process.receive(wall_s + ANSWER_GRACE_S)
        except OSError:  # It has ended; what it printed is asked for below.
            line = None
        if line is not None:
            answer: dict[str, Any] = json.loads(line)
            return answer
        tail = self._process.stderr_tail().decode("utf-8", "replace")[-500:]
        self.restarts += 1
        if self.restarts > RESTARTS_MAX:
            raise TransientError(f"the fork server died {self.restarts} times: {tail.strip()}")
        again = self._preloaded
        self.restart()
        self.preload(again)
        return None

    def _start(self) -> None:
        left_s = max(1.0, self.deadline_s - time.monotonic())
        limits = SandboxLimits(
            wall_s=left_s + ANSWER_GRACE_S,
            cpu_s=int(left_s + ANSWER_GRACE_S) * 2,
            output_bytes=OUTPUT_BYTES_MAX,
        )
        text = files(__package__).joinpath("fork_server.py").read_text(encoding="utf-8")
        spec = SandboxSpec(
            argv=(str(self.python), "-c", text),
            workdir=self.tree,
            python=self.python,
            limits=limits,
        )
        self._context = self.sandbox.start(spec)
        self._process = self._context.__enter__()

    def _stop(self) -> None:
        if self._context is not None:
            self._context.__exit__(None, None, None)
        self._context = self._process = None


def _report(answer: Mapping[str, Any]) -> Report:
    counts = answer["spectrum"]
    lines = None
    if counts:
        lines = Lines(_lines(counts["failed"]), _lines(counts["passed"]), counts["kinds"])
    return Report(
        outcomes=tuple(_outcome(result) for result in answer["results"]),
        ended=answer["ended"],
        finished=answer["finished"],
        cpu_s=answer["cpu_s"],
        wall_s=answer["wall_s"],
        lines=lines,
        modules=tuple(answer["modules"]),
    )


def _lines(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[int, int]]:
    return {path: {int(line): n for line, n in at.items()} for path, at in counts.items()}


def _outcome(result: Mapping[str, Any]) -> Outcome:
    crash = result["crash"]
    return Outcome(
        node_id=result["id"],
        outcome=result["outcome"],
        cpu_s=result["cpu_s"],
        wall_s=result["wall_s"],
        over=result["over"],
        idle=result["idle"],
        crash=crash and _crash(crash),
    )


def _crash(crash: Mapping[str, Any]) -> Crash:
    frames = tuple(
        CrashFrame(path, line, name, kinds) for path, line, name, kinds in crash["frames"]
    )
    return Crash(crash["exception"], crash["message"], frames)


def command_parts(command: Sequence[str], tree: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a project's own pytest options, and where in `tree` its tests are."""
    own = command[command.index("pytest") + 1 :] if "pytest" in command else ()
    places = tuple(a for a in own if (tree / a.partition("::")[0]).exists())
    return tuple(a for a in own if a not in places), places


def failing_tests(
    sandbox: Sandbox,
    *,
    python: Path,
    tree: Path,
    select: Sequence[str] = (),
    cpu_s_per_test: float = 2.0,
    wall_s_max: float = 120.0,
) -> tuple[tuple[str, ...], float]:
    """Return the tests that fail in `tree` as it is, and the processor seconds that it took."""
    with Harness(sandbox, python, tree, time.monotonic() + wall_s_max) as harness:
        report = harness.run(
            Run(
                select=select,
                stop_at_first=False,
                cpu_s_per_test=cpu_s_per_test,
                cpu_s_max=wall_s_max,
                wall_s_max=wall_s_max,
            )
        )
        return tuple(o.node_id for o in report.outcomes if not o.green), harness.cpu_s
