"""One trial of the template engine: a broken tree in, what came of it out. For the benchmarks."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from processors.ports import Declined, FixTask, Progress, Sandbox
from processors.repair.engine import TemplateProposer
from processors.repair.harness import failing_tests
from schemas.fixes import Oracle, OracleKind
from schemas.projects import Project
from schemas.raw import Origin
from schemas.reports import BugReport

NOBODY = UUID(int=0)
COLUMNS = ("program", "patched", "same as known", "template", "tried", "cpu s", "wall s", "note")
CONFIRM_CPU_S_PER_TEST = 20.0
CPU_S_PER_TEST = 1.0
"""Of a test of the broken program: most that fail by looping would loop for ever."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all trials of a benchmark share."""

    sandbox: Sandbox
    python: Path
    cpu_s_per_program: float = 60.0
    """What ends a search. Processor time, so that a busy machine gives the same figures."""
    wall_s_per_program: float = 600.0
    candidates_max: int = 5000
    workers: int = 2


@dataclass(frozen=True, slots=True)
class Case:
    """A broken program: how to write it into a folder, its file, and the file as it should be."""

    name: str
    write: Callable[[Path], None]
    path: str
    known: str
    tests: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a case. `cpu_s` are processor seconds, in the sandbox and here."""

    name: str
    cpu_s: float
    wall_s: float
    patched: bool = False
    same: bool = False
    """Whether the patched program has the same syntax tree as the known one."""
    template: str = ""
    tried: int = 0
    note: str = ""


def row(trial: Trial) -> tuple[str | int | float | bool, ...]:
    """Return `trial` as a row under `COLUMNS`."""
    return (
        trial.name,
        trial.patched,
        trial.same,
        trial.template,
        trial.tried,
        round(trial.cpu_s, 2),
        round(trial.wall_s, 2),
        trial.note,
    )


def summary(trials: Sequence[Trial]) -> dict[str, int | float]:
    """Return the sums over all trials."""
    seconds = sorted(trial.cpu_s for trial in trials)
    return {
        "programs": len(trials),
        "patched": sum(trial.patched for trial in trials),
        "same_as_known": sum(trial.same for trial in trials),
        "cpu_s_total": round(sum(seconds), 1),
        "cpu_s_median": round(seconds[len(seconds) // 2], 2) if seconds else 0.0,
        "candidates_tried": sum(trial.tried for trial in trials),
    }


def counted(trials: Sequence[Trial]) -> str:
    """Return the outcome in words."""
    same = sum(trial.same for trial in trials)
    return f"{sum(t.patched for t in trials)} of {len(trials)}, {same} of them the known fix"


def run_all(bench: Bench, cases: Sequence[Case], progress: Progress | None) -> list[Trial]:
    """Return a trial of every case, in order; `bench.workers` at a time."""
    done: list[str] = []

    def one(case: Case) -> Trial:
        trial = run(bench, case)
        done.append(case.name)
        if progress:
            progress(len(done), len(cases), case.name)
        return trial

    with ThreadPoolExecutor(max_workers=bench.workers) as pool:
        return list(pool.map(one, cases))


def run(bench: Bench, case: Case) -> Trial:
    """Let the engine repair `case`; a patch counts when every test passes in a fresh sandbox."""
    with TemporaryDirectory(prefix="bugstream-bench-") as folder:
        tree = Path(folder) / "work"
        tree.mkdir()
        case.write(tree)
        began_s = time.monotonic()
        red, cpu_s = _failing(bench, case, tree, CPU_S_PER_TEST)
        if not red:
            return Trial(case.name, cpu_s, 0.0, note="no test fails at base")
        proposer = TemplateProposer(
            bench.sandbox,
            wall_s_max=bench.wall_s_per_program,
            cpu_s_max=bench.cpu_s_per_program,
            candidates_max=bench.candidates_max,
        )
        measured = proposer.measure(_task(bench, tree, red))
        cpu_s, wall_s = cpu_s + measured.cpu_s, time.monotonic() - began_s
        answer = measured.answer
        if isinstance(answer, Declined):
            tried = answer.candidates_tried
            return Trial(case.name, cpu_s, wall_s, tried=tried, note=answer.reason)
        proposal = answer.proposal
        for edit in proposal.edits:
            (tree / edit.path).write_text(edit.after or "", encoding="utf-8")
        left, _ = _failing(bench, case, tree, CONFIRM_CPU_S_PER_TEST)
        return Trial(
            name=case.name,
            patched=not left,
            same=[e.path for e in proposal.edits] == [case.path]
            and meaning(proposal.edits[0].after or "") == meaning(case.known),
            template=proposal.template or "",
            tried=proposal.candidates_tried,
            cpu_s=cpu_s,
            wall_s=wall_s,
            note=f"{len(left)} tests still fail" if left else "",
        )


def _failing(
    bench: Bench, case: Case, tree: Path, cpu_s_per_test: float
) -> tuple[tuple[str, ...], float]:
    return failing_tests(
        bench.sandbox,
        python=bench.python,
        tree=tree,
        select=case.tests,
        cpu_s_per_test=cpu_s_per_test,
    )


def _task(bench: Bench, tree: Path, red: tuple[str, ...]) -> FixTask:
    origin = Origin(channel="http", container="bench", item="case")
    return FixTask(
        bug_id=NOBODY,
        attempt=1,
        cause=NOBODY,
        project=Project(id="bench"),
        python=bench.python,
        tree=tree,
        report=BugReport(report_id=NOBODY, origin=origin, title="A test fails"),
        locations=(),
        oracle=Oracle(kind=OracleKind.SUITE_TEST, node_ids=red),
        failing_output="",
        budget_usd_micros=0,
    )


def meaning(text: str) -> str:
    """Return the syntax tree of `text` without texts that stand alone."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [n for n in body if not _is_text(n)] or body  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
