"""What the tests do before any edit, and whether an edit leaves the code they ran in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from processors.reach import Ran, dead, losses, said
from processors.repair.harness import Harness, Report, Run
from processors.repair.search import Candidate

SUITE_SHARE = 0.25
"""Of the time, for running the suite once as it is."""
TRACED_TESTS_MAX = 200
BASE_CPU_S_PER_TEST = 10.0
BASE_WALL_S_PER_TEST = 20.0
BASE_WALL_SHARE = 0.3
"""Of the time for the suite: one test that waits for ever must leave some for the others."""
TRACE_SHARE = 0.1
"""Of the time, for running the failing tests and some others traced."""
TRACED_CPU_S_PER_TEST = 3.0
TRACED_WALL_S_PER_TEST = 10.0
"""A failing test that waits for ever is run once for so long, and then never again."""
TRACED_WALL_FACTOR = 3
WALL_FACTOR = 10
"""Wall seconds of a run for each CPU second it may take, so that a busy machine ends none."""


@dataclass(frozen=True, slots=True)
class Base:
    """What is known of the tree before any edit."""

    passed: frozenset[str]
    failed: frozenset[str]
    red: Report
    slowest_s: float
    """CPU time of the slowest passing test."""
    suite_wall_s: float
    waits_s: float = 0.0
    """Wall time of the slowest test, but for those that had to be ended."""


def measure(
    harness: Harness, oracle: Sequence[str], suite: tuple[str, ...], wall_s_max: float
) -> Base:
    """Run the suite as it is, then the oracle and some of what passed once more, traced."""
    files = list(dict.fromkeys(node.partition("::")[0] for node in oracle))
    limit_s = max(5.0, wall_s_max * SUITE_SHARE)
    whole = harness.run(
        Run(
            select=suite,
            first=files,
            skip=tuple(oracle),
            stop_at_first=False,
            details=True,
            cpu_s_per_test=BASE_CPU_S_PER_TEST,
            wall_s_per_test=min(BASE_WALL_S_PER_TEST, limit_s * BASE_WALL_SHARE),
            cpu_s_max=limit_s,
            wall_s_max=limit_s,
        )
    )
    harness.preload(whole.modules)
    green = [outcome for outcome in whole.outcomes if outcome.green]
    slowest_s = max((outcome.cpu_s for outcome in green), default=0.0)
    waits_s = max((outcome.wall_s for outcome in green), default=0.0)
    traced_s = max(5.0, wall_s_max * TRACE_SHARE)
    run = _traced([*oracle, *_some(whole.passed_ids, oracle)], oracle, waits_s, traced_s)
    red = harness.run(run)
    ended = {o.node_id for o in red.outcomes if not o.green and not (o.over or o.idle)}
    if whole.passed_ids & ended or red.green(oracle):
        harness.restart()  # What was preloaded changed what the tests see.
        red = harness.run(run)
    failed = frozenset(o.node_id for o in whole.outcomes) - whole.passed_ids
    waits_s = max([waits_s, *(o.wall_s for o in red.outcomes if not (o.over or o.idle))])
    return Base(whole.passed_ids, failed, red, slowest_s, whole.wall_s, waits_s)


def _some(passed: frozenset[str], oracle: Sequence[str]) -> list[str]:
    """Return the tests to trace: those of the oracle's files first."""
    files = {node.partition("::")[0] for node in oracle}
    ordered = sorted(passed, key=lambda node: (node.partition("::")[0] not in files, node))
    return ordered[:TRACED_TESTS_MAX]


def _traced(select: Sequence[str], red: Sequence[str], waits_s: float, limit_s: float) -> Run:
    return Run(
        select=select,
        red=red,
        stop_at_first=False,
        trace=True,
        details=True,
        cpu_s_per_test=min(TRACED_CPU_S_PER_TEST, limit_s / 4),
        wall_s_per_test=max(min(TRACED_WALL_S_PER_TEST, limit_s), waits_s * TRACED_WALL_FACTOR),
        cpu_s_max=limit_s,
        wall_s_max=limit_s * TRACED_WALL_FACTOR,
    )


def disabled(
    harness: Harness,
    base: Base,
    candidate: Candidate,
    oracle: Sequence[str],
    suite: tuple[str, ...],
) -> str:
    """Return what a candidate that passes every test takes out of use; '' when nothing.

    Where a run has no end, or a test none, nothing is known and nothing is said: verification
    looks once more, and has more time.
    """
    path, before, after = candidate.source.path, candidate.source.text, candidate.text
    if found := dead(path, before, after):
        return said(found)
    lines = base.red.lines
    if lines is None or not base.red.finished:
        return ""
    passed, failed = frozenset(lines.passed.get(path, ())), frozenset(lines.failed.get(path, ()))
    ran, now = Ran(passed, passed | failed), frozenset[int]()
    limit_s = (base.red.cpu_s + base.suite_wall_s) * WALL_FACTOR + 5.0
    for select in ((*oracle, *_some(base.passed, oracle)), suite):
        run = _traced(select, (*oracle, *base.passed), base.waits_s, limit_s)
        seen = _lines(harness.run(_on(run, candidate)), path)
        if seen is None:
            return ""
        now |= seen
        found = losses(path, before, after, ran, now)
        if not found:
            return ""
    return said(found)


def _on(run: Run, candidate: Candidate) -> Run:
    path = candidate.source.path
    return replace(run, path=path, source=candidate.text, trace_only=path, details=False)


def _lines(report: Report, path: str) -> frozenset[int] | None:
    """Return the lines of `path` that tests ran; None where that is not the whole answer."""
    cut = not report.finished or any(outcome.over or outcome.idle for outcome in report.outcomes)
    if report.lines is None or cut:
        return None
    sides: tuple[Mapping[str, Mapping[int, int]], ...] = (report.lines.passed, report.lines.failed)
    return frozenset(line for side in sides for line in side.get(path, ()))
