"""Run what shows a report's bug, and see which lines it runs that what passes does not.

This runs the code of the repository and of the report, in the sandbox alone. Whether it may is for
the caller to say: as for a fix, somebody who is trusted must have asked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from processors.oracles import NotFound, find_oracle, python_sources
from processors.ports import (
    Checkouts,
    Sandbox,
    SandboxProcess,
    SandboxResult,
    SandboxSpec,
    SandboxUnavailableError,
)
from processors.pytest_runs import Pytest, wrong_command
from processors.repair.harness import Crash, Harness, Lines, Report, command_parts
from processors.repair.measuring import measure
from schemas.errors import PoisonError, TransientError
from schemas.fixes import Oracle
from schemas.places import Location
from schemas.projects import Project
from schemas.reports import BugReport
from schemas.trees import write_file

RUN_S_MAX = 120.0
"""For all runs together; looking for the place must not take as long as mending it."""
SUITE_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Spectrum:
    """How many failing tests, and how many of those that pass, ran each line."""

    lines: Lines
    failed: int
    passed: int
    crashes: tuple[Crash, ...] = ()


@dataclass(frozen=True, slots=True)
class NotRun:
    """Nothing is known of failing tests; `reason` says why, for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class FailingTests:
    """`Spectra` by running the project's tests in `sandbox`."""

    checkouts: Checkouts
    sandbox: Sandbox
    run_s_max: float = RUN_S_MAX

    def of(
        self, project: Project, commit: str, report: BugReport, locations: Sequence[Location]
    ) -> Spectrum | NotRun:
        """Return what ran, of the tests that show the bug and of others. Never raises."""
        python = project.python
        wrong = wrong_command(project.test_command)
        if python is None or wrong:
            return NotRun(wrong or "no `python` is set to run the tests with")
        bounded = _Bounded(self.sandbox, time.monotonic() + self.run_s_max)
        try:
            self.sandbox.check()
            oracle = self._oracle(bounded, project, commit, report, locations)
            if isinstance(oracle, NotRun):
                return oracle
            with self.checkouts.work_copy(project, commit) as tree:
                return _spectrum(bounded, python, project.test_command, tree, oracle)
        except (SandboxUnavailableError, TransientError, PoisonError) as error:
            return NotRun(str(error))

    def _oracle(
        self,
        bounded: _Bounded,
        project: Project,
        commit: str,
        report: BugReport,
        locations: Sequence[Location],
    ) -> Oracle | NotRun:
        sources = python_sources(self.checkouts.files(project, commit))
        pytest = Pytest(bounded, project.python or Path(), project.test_command)
        limits = replace(pytest.limits, wall_s=min(SUITE_S_MAX, self.run_s_max / 2))
        with self.checkouts.work_copy(project, commit) as tree:
            found = find_oracle(replace(pytest, limits=limits), tree, report, locations, sources)
        return NotRun(found.reason) if isinstance(found, NotFound) else found.oracle


def _spectrum(
    bounded: _Bounded, python: Path, command: Sequence[str], tree: Path, oracle: Oracle
) -> Spectrum | NotRun:
    for path, text in oracle.files.items():
        write_file(tree, path, text.encode())
    args, suite = command_parts(command, tree)
    with Harness(bounded, python, tree, bounded.end_s, args) as harness:
        red = measure(harness, oracle.node_ids, suite, bounded.left_s).red
    return spectrum_of(red, set(oracle.node_ids))


def spectrum_of(red: Report, wanted: set[str]) -> Spectrum | NotRun:
    """Return what a traced run of failing and passing tests says of the lines."""
    failed = [o for o in red.outcomes if not o.green]
    if red.lines is None or not any(outcome.node_id in wanted for outcome in failed):
        return NotRun("the failing test does not fail where its lines are watched")
    crashes = tuple(o.crash for o in failed if o.crash is not None)
    return Spectrum(red.lines, len(failed), len(red.outcomes) - len(failed), crashes)


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A sandbox for so long, whatever is run in it."""

    sandbox: Sandbox
    end_s: float
    """Monotonic."""

    @property
    def left_s(self) -> float:
        """Return the seconds left. Raises `SandboxUnavailableError` when there are none."""
        left_s = self.end_s - time.monotonic()
        if left_s <= 0:
            raise SandboxUnavailableError("the time for running tests was up")
        return left_s

    def check(self) -> str:
        """Prove that it isolates."""
        return self.sandbox.check()

    def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run to the end, within the limits and the time left."""
        return self.sandbox.run(self._within(spec))

    def start(self, spec: SandboxSpec) -> AbstractContextManager[SandboxProcess]:
        """Start, within the limits and the time left."""
        return self.sandbox.start(self._within(spec))

    def _within(self, spec: SandboxSpec) -> SandboxSpec:
        wall_s = min(spec.limits.wall_s, self.left_s)
        return replace(spec, limits=replace(spec.limits, wall_s=wall_s))
