"""Compares a suite before and after a patch, and tells what broke from what breaks by chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from processors.pytest_runs import Pytest, PytestRun
from schemas.fixes import Verdict

RERUNS_MAX = 3
RERUN_TESTS_MAX = 50
"""More than this many newly failing tests are no chance."""
NAMES_SHOWN_MAX = 5
EXAMPLES_WALL_S_MAX = 120.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict on the whole suite, and the run that shows it."""

    verdict: Verdict
    summary: str
    shown: PytestRun
    runs: int
    wall_s: float


@dataclass(slots=True)
class _Counts:
    """How often each rerun test passed on one side."""

    passed: dict[str, int]
    runs: int = 0

    def add(self, run: PytestRun) -> None:
        self.runs += 1
        for name in self.passed:
            self.passed[name] += name in run.passed

    def always(self, name: str) -> bool:
        return self.passed[name] == self.runs

    def never(self, name: str) -> bool:
        return self.passed[name] == 0


def compare(pytest: Pytest, before: Path, after: Path) -> Comparison:
    """Run the suite in both trees and return whether what passed before still passes.

    A test that newly fails is run `RERUNS_MAX` times more on both sides. It counts as flaky, and
    not as broken, if it then always passes with the patch, or fails at times without it, too.
    Without a whole answer for the base commit the verdict is "not run"; a suite that no longer
    gives one with the patch has failed. Raises `SandboxUnavailableError`.
    """
    old = pytest.run(before)
    if not old.whole:
        return Comparison(Verdict.NOT_RUN, old.reason, old, 1, old.wall_s)
    if old.uncollected and not old.passed:
        reason = "no test passes before, and some cannot be imported: are the packages installed?"
        return Comparison(Verdict.NOT_RUN, reason, old, 1, old.wall_s)
    new = pytest.run(after)
    wall_s = old.wall_s + new.wall_s
    if not new.whole:
        return Comparison(Verdict.FAILED, f"with the patch, {new.reason}", new, 1, wall_s)
    broken = sorted(old.passed - new.passed)
    if not broken:
        return Comparison(Verdict.PASSED, _all_well(old, new), new, 1, wall_s)
    if len(broken) > RERUN_TESTS_MAX:
        summary = f"{len(broken)} tests fail that passed before: {_some(broken)}"
        return Comparison(Verdict.FAILED, summary, new, 1, wall_s)
    return _rerun(pytest, before, after, broken, old, new)


def with_examples(
    suite: Comparison, pytest: Pytest, files: Sequence[str], before: Path, after: Path
) -> Comparison:
    """Return `suite`, failed if an example in a docstring of `files` held before, and not now.

    A suite often calls a function in one way only, and its docstring shows the others. Examples
    that did not run or did not hold before say nothing. Raises `SandboxUnavailableError`.
    """
    found = compare(pytest.of_examples(files, wall_s=EXAMPLES_WALL_S_MAX), before, after)
    wall_s = suite.wall_s + found.wall_s
    if found.verdict is Verdict.FAILED:
        summary = f"examples in docstrings of what the patch changes: {found.summary}"
        return replace(found, summary=summary, wall_s=wall_s)
    held = len(found.shown.passed) if found.verdict is Verdict.PASSED else 0
    also = f"; the docstrings' examples in {_some(files)} still hold" if held else ""
    return replace(suite, summary=f"{suite.summary}{also}", wall_s=wall_s)


def _rerun(
    pytest: Pytest, before: Path, after: Path, broken: list[str], old: PytestRun, new: PytestRun
) -> Comparison:
    wall_s = old.wall_s + new.wall_s
    sides = {before: _Counts(dict.fromkeys(broken, 0)), after: _Counts(dict.fromkeys(broken, 0))}
    runs = 1
    while runs <= RERUNS_MAX:
        runs += 1
        for tree, counts in sides.items():
            run = pytest.run(tree, broken)
            counts.add(run)
            wall_s += run.wall_s
        if all(sides[before].always(n) and sides[after].never(n) for n in broken) and runs > 2:
            break  # Nothing wavers.
    flaky = [n for n in broken if sides[after].always(n) or _wavers(sides, before, after, n)]
    real = [name for name in broken if name not in flaky]
    if not real:
        summary = f"{_all_well(old, new)}; flaky, with and without the patch: {_some(flaky)}"
        return Comparison(Verdict.PASSED, summary, new, runs, wall_s)
    summary = f"{len(real)} tests fail that passed before: {_some(real)}"
    if len(real) == 1:
        summary = f"one test fails that passed before: {real[0]}"
    return Comparison(Verdict.FAILED, summary, new, runs, wall_s)


def _wavers(sides: dict[Path, _Counts], before: Path, after: Path, name: str) -> bool:
    """Return whether `name` fails at times without the patch, and passes at times with it."""
    return not sides[before].always(name) and not sides[after].never(name)


def _all_well(old: PytestRun, new: PytestRun) -> str:
    if not old.passed:
        return "the project has no test that passed before, so none could break"
    mended = len(new.passed - old.passed)
    also = f", and {mended} more" if mended else ""
    return f"all {len(old.passed)} tests that passed before pass{also}"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:NAMES_SHOWN_MAX])
    return f"{shown} and {len(listed) - NAMES_SHOWN_MAX} more" if len(listed) > 5 else shown
