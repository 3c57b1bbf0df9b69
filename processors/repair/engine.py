"""The template proposer: no model, no network, no key. A search that the tests decide."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from processors.ports import Declined, FixTask, Progress, Proposed, Sandbox
from processors.repair.harness import Crash, Harness, Report, Run, command_parts
from processors.repair.measuring import (
    BASE_CPU_S_PER_TEST,
    TRACED_TESTS_MAX,
    Base,
    disabled,
    measure,
)
from processors.repair.ranking import Suspect, ochiai, rank
from processors.repair.search import Candidate, candidates, compiles, decides, overfit, size, turns
from processors.repair.source import Source
from schemas.diffs import unified
from schemas.fixes import FileEdit, Oracle, OracleKind, Proposal
from schemas.target_tests import is_test

CPU_FACTOR = 10
"""Of what the slowest passing test takes; what ran out of a lesser budget is tried again with it,
once everything else has been tried. CPU time, not wall time: a busy machine kills no good patch."""
CPU_FACTOR_FIRST = 2
CPU_S_MIN, CPU_S_MAX = 0.5, 4.0
CPU_S_RETRY_MIN, CPU_S_RETRY_MAX = 4.0, 20.0
WALL_S_PER_TEST_MIN = 2.0
"""For a test that waits, beside the CPU time it may take and what the slowest one took."""
CPU_SHARE_MIN = 0.25
"""Of a processor: what a test gets on a busy machine."""
EXTRA_CANDIDATES = 30
EXTRA_WALL_S_MAX = 5.0
"""How long a better patch is looked for once there is one."""
PLAUSIBLE_MAX = 8
SOURCE_BYTES_MAX = 400_000


@dataclass(slots=True)
class _Search:
    """One search: its harness, its limits and what it has found."""

    harness: Harness
    oracle: Oracle
    base: Base
    suite: tuple[str, ...]
    deadline_s: float
    cpu_s_max: float
    progress: Progress | None
    feedback: str = ""
    """What verification said of earlier patches, those patches included."""
    tried: int = 0
    rejected: list[str] = field(default_factory=list)
    plausible: list[Candidate] = field(default_factory=list)
    best: float = 0.0
    """The quality of the best plausible candidate."""
    stopped: str = ""
    order: list[str] = field(default_factory=list)

    def go(self, found: Sequence[Candidate]) -> None:
        """Try `found` in order, then what ran out of CPU time once more with more of it."""
        slow = {o.node_id: (o.over, o.cpu_s) for o in self.base.red.outcomes}
        self.order = sorted(self.oracle.node_ids, key=lambda node: slow.get(node, (False, 0.0)))
        first_s = self.base.slowest_s * CPU_FACTOR_FIRST
        late = self._pass(found, min(max(first_s, CPU_S_MIN), CPU_S_MAX))
        if not self.plausible and late and not self.stopped:
            retry_s = self.base.slowest_s * CPU_FACTOR
            self._pass(late, min(max(retry_s, CPU_S_RETRY_MIN), CPU_S_RETRY_MAX))
        if not self.stopped and not self.plausible:
            self.stopped = "all candidates were tried"

    def _pass(self, found: Sequence[Candidate], cpu_s: float) -> list[Candidate]:
        late: list[Candidate] = []
        extra_until_s, extra_left = float("inf"), EXTRA_CANDIDATES
        for number, candidate in enumerate(found):
            now = time.monotonic()
            if now > self.deadline_s or self.harness.cpu_s > self.cpu_s_max:
                self.stopped = "the time was up"
                break
            if now > extra_until_s or extra_left <= 0 or len(self.plausible) >= PLAUSIBLE_MAX:
                break
            if candidate.score <= self.best:
                break  # Quality is at most the score, and no later candidate has a higher one.
            if not compiles(candidate):
                continue
            if self.progress:
                self.progress(number, len(found), candidate.edit.template)
            if self.plausible:
                extra_left -= 1
            if not self._try(candidate, cpu_s, late):
                continue
            self.best = max(self.best, _quality(candidate))
            if len(self.plausible) == 1:
                spent_s = self.base.suite_wall_s
                extra_until_s = time.monotonic() + EXTRA_WALL_S_MAX + spent_s
        return late

    def _try(self, candidate: Candidate, cpu_s: float, late: list[Candidate]) -> bool:
        """Run the oracle, then the suite. Returns whether the candidate is plausible."""
        self.tried += 1
        report = self.harness.run(self._run(candidate, cpu_s, self.order))
        if not report.green(self.order):
            if any(outcome.over for outcome in report.outcomes) or report.ended == "cpu":
                late.append(candidate)
            else:
                self._first(report.first_failed_id)
            return False
        if why := overfit(candidate) or self._doubt(candidate):
            self.rejected.append(why)
            return False
        if self.base.passed and not self._suite_green(candidate, cpu_s):
            return False
        if why := disabled(self.harness, self.base, candidate, self.order, self.suite):
            self.rejected.append(why)
            return False
        self.plausible.append(candidate)
        return True

    def _doubt(self, candidate: Candidate) -> str:
        """Return why the tests say too little for this edit, or ''."""
        if _diff(candidate) in self.feedback:
            return "verification rejected it before"
        red, path, line = self.base.red, candidate.source.path, candidate.statement.lineno
        traced_all = red.finished and len(self.base.passed) <= TRACED_TESTS_MAX
        if red.lines is None or not traced_all or not (decides(candidate) or turns(candidate)):
            return ""
        reach = sum(of.get(path, {}).get(line, 0) for of in (red.lines.passed, red.lines.failed))
        # Which way it goes for any other input nobody would notice.
        return "only one test reaches the condition it changes" if reach <= 1 else ""

    def _suite_green(self, candidate: Candidate, cpu_s: float) -> bool:
        limit_s = max(cpu_s, BASE_CPU_S_PER_TEST)
        run = self._run(candidate, cpu_s, self.suite)
        files = list(dict.fromkeys(node.partition("::")[0] for node in self.oracle.node_ids))
        report = self.harness.run(
            Run(
                select=self.suite,
                first=files,
                path=run.path,
                source=run.source,
                stop_at_first=all("::" in node for node in self.base.failed),
                skip=tuple(self.base.failed | set(self.oracle.node_ids)),
                cpu_s_per_test=limit_s,
                wall_s_per_test=run.wall_s_per_test,
                cpu_s_max=self.base.suite_wall_s * CPU_FACTOR + 20,
                wall_s_max=self.base.suite_wall_s * CPU_FACTOR + 20,
            )
        )
        return report.passed_ids >= self.base.passed

    def _run(self, candidate: Candidate, cpu_s: float, tests: Sequence[str]) -> Run:
        base_s = self.base.red.cpu_s
        return Run(
            select=tests,
            path=candidate.source.path,
            source=candidate.text,
            cpu_s_per_test=cpu_s,
            wall_s_per_test=WALL_S_PER_TEST_MIN + cpu_s / CPU_SHARE_MIN + self.base.waits_s * 2,
            cpu_s_max=base_s + cpu_s * 2 + 1,
            wall_s_max=(base_s + cpu_s * 2) * CPU_FACTOR + 5 + self.base.waits_s * 2,
        )

    def declined(self, found: int) -> Declined:
        """Return what was tried in vain, and why it stopped."""
        rejected = f"; {len(self.rejected)} only looked right" if self.rejected else ""
        return Declined(
            f"no edit from the templates makes the failing test pass: {self.stopped}",
            candidates_tried=self.tried,
            detail=f"{self.tried} of {found} candidates tried{rejected}",
        )

    def proposal(self) -> Proposal:
        """Return the best of what is plausible."""
        chosen = max(self.plausible, key=_quality)
        return Proposal(
            proposer="template",
            edits=(_edit(chosen),),
            diff=_diff(chosen),
            oracle=self.oracle,
            explanation=self._explanation(chosen),
            template=chosen.edit.template,
            candidates_tried=self.tried,
        )

    def _explanation(self, chosen: Candidate) -> str:
        line = chosen.source.line_at(chosen.edit.changes[0].start)
        others = len(self.plausible) - 1
        suite = self.oracle.kind is OracleKind.SUITE_TEST
        test = "the failing test" if suite else "the reproducing test"
        text = (
            f"{chosen.source.path}, line {line}: {chosen.edit.explanation}."
            f" Found by trying {self.tried} edits ({chosen.edit.template});"
            f" with this one {test} passes, and so do {len(self.base.passed)} others"
            " that passed before."
        )
        return f"{text} Other edits that would pass the same tests: {others}." if others else text

    def _first(self, node_id: str | None) -> None:
        """Run the test that killed a candidate first next time: it kills the next one soonest."""
        if node_id in self.order and self.order[0] != node_id:
            self.order.remove(node_id)
            self.order.insert(0, node_id)


@dataclass(frozen=True, slots=True)
class Measured:
    """An answer and the processor seconds spent on it, in the sandbox and here."""

    answer: Proposed | Declined
    cpu_s: float


@dataclass(frozen=True, slots=True)
class TemplateProposer:
    """Edits from templates, tried against the failing test and then against the whole suite."""

    sandbox: Sandbox
    wall_s_max: float
    candidates_max: int
    progress: Progress | None = None
    cpu_s_max: float = float("inf")
    """Processor seconds in the sandbox: unlike wall time the same on a busy machine."""
    name: str = "template"

    def propose(self, task: FixTask) -> Proposed | Declined:
        """Return the plausible edit that looks least like an accident.

        Raises `TransientError` when the fork server keeps dying, `SandboxUnavailableError`.
        """
        return self.measure(task).answer

    def measure(self, task: FixTask) -> Measured:
        """Propose, and say what it took. Raises like `propose`."""
        if task.oracle is None or not task.oracle.node_ids:
            return Measured(Declined("there is no failing test, so no edit can be judged"), 0.0)
        began_s = time.thread_time()
        deadline_s = time.monotonic() + self.wall_s_max
        _write_files(task.tree, task.oracle)
        args, suite = command_parts(task.project.test_command, task.tree)
        with Harness(self.sandbox, task.python, task.tree, deadline_s, args) as harness:
            base = measure(harness, task.oracle.node_ids, suite, self.wall_s_max)
            search = _Search(
                harness,
                task.oracle,
                base,
                suite,
                deadline_s,
                self.cpu_s_max,
                self.progress,
                task.feedback,
            )
            answer = self._answer(task, search)
            return Measured(answer, harness.cpu_s + time.thread_time() - began_s)

    def _answer(self, task: FixTask, search: _Search) -> Proposed | Declined:
        red = search.base.red
        if red.green(search.oracle.node_ids):
            return Declined("the failing test passes here: it depends on more than the code")
        suspects = _suspects(task, red)
        if not suspects:
            return Declined("no line of the project is executed by the failing test")
        crashes = _crashes(red)
        found = candidates(
            suspects,
            kinds=red.lines.kinds if red.lines else {},
            failure=crashes[0] if crashes else None,
            candidates_max=self.candidates_max,
        )
        search.go(found)
        if not search.plausible:
            return search.declined(len(found))
        return Proposed(search.proposal())


def _write_files(tree: Path, oracle: Oracle) -> None:
    for path, content in oracle.files.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def _crashes(red: Report) -> list[Crash]:
    return [o.crash for o in red.outcomes if not o.green and o.crash is not None]


def _suspects(task: FixTask, red: Report) -> list[Suspect]:
    crashes = _crashes(red)
    failed_total = max(1, sum(not o.green for o in red.outcomes))
    scores = ochiai(red.lines, failed_total) if red.lines else {}
    paths = {*scores, *(f.path for c in crashes for f in c.frames)}
    paths |= {location.path for location in task.locations}
    added = set(task.oracle.files) if task.oracle else set()
    sources = {}
    for path in sorted(paths - added):
        source = None if is_test(path) else _source(task.tree, path)
        if source is not None:
            sources[path] = source
    return rank(sources, scores=scores, crashes=crashes, locations=task.locations)


def _source(tree: Path, path: str) -> Source | None:
    file = (tree / path).resolve()
    if not file.is_relative_to(tree.resolve()) or file.suffix != ".py" or not file.is_file():
        return None
    if file.stat().st_size > SOURCE_BYTES_MAX:
        return None
    try:
        return Source(path, file.read_bytes().decode("utf-8"))
    except (SyntaxError, ValueError):
        return None


def _edit(chosen: Candidate) -> FileEdit:
    source = chosen.source
    return FileEdit(path=source.path, before=source.text, after=chosen.text)


def _diff(chosen: Candidate) -> str:
    return unified([_edit(chosen)])


def _quality(candidate: Candidate) -> float:
    return candidate.score / (1 + size(candidate) / 12)
