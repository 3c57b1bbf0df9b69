"""Judge a proposed patch in a fresh sandbox, by nothing but what its tests do before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from processors.base import Task
from processors.diffs import apply, misfits, unfit_oracle, weakenings
from processors.disuse import Disuse, disuse
from processors.fix import NO_REPRODUCTION, UnusableError, usable
from processors.ports import Blobs, Checkouts, ErasedError, Sandbox, SandboxUnavailableError
from processors.pytest_runs import Pytest, PytestRun
from processors.regressions import Comparison, compare, with_examples
from schemas import topics
from schemas.bugs import FixRejected, FixVerified, VerifyRequested
from schemas.errors import PoisonError
from schemas.event import BlobRef, Event, caused_by
from schemas.fixes import CheckResult, FileEdit, Oracle, Proposal, Verdict
from schemas.projects import Project
from schemas.trees import UnsafePathError, read_file, write_file

NAME = "verify"
GREEN_RUNS = 3
ORACLE_WALL_S_MAX = 120.0
PROBLEMS_SHOWN_MAX = 5
SUMMARY_CHARS_MAX = 600
OUTPUT_CHARS_MAX = 8_000
FEEDBACK_CHARS_MAX = 40_000

APPLIES = "the patch applies to the base commit"
SPARES_TESTS = "the patch weakens no test"
RED_BEFORE = "the reproduction is red before"
GREEN_AFTER = "the reproduction is green after"
SUITE = "tests that passed before still pass"
CHECKS = (APPLIES, SPARES_TESTS, RED_BEFORE, GREEN_AFTER, SUITE)
"""In the order they are made. One that does not pass ends it; the rest is "not run"."""


def make(
    checkouts: Checkouts,
    sandbox: Sandbox,
    blobs: Blobs,
    project_of: Callable[[str], Project | None],
) -> Task:
    """Return the stage, bound to the repositories and the sandbox."""

    def handle(event: Event) -> Iterator[FixVerified | FixRejected]:
        if isinstance(event, VerifyRequested):
            trial = _Trial(checkouts, sandbox, blobs, event)
            yield trial.judge(project_of(event.project))

    return Task(NAME, (topics.BUGS_EVENTS,), (VerifyRequested,), handle, concurrency=1)


class _EndedError(Exception):
    """A check did not pass, so that no further one makes sense."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is judged, and how its tests are run."""

    project: Project
    pytest: Pytest
    proposal: Proposal


@dataclass(slots=True)
class _Trial:
    """One `verify.requested`, and what its checks have given so far."""

    checkouts: Checkouts
    sandbox: Sandbox
    blobs: Blobs
    event: VerifyRequested
    checks: list[CheckResult] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)

    def judge(self, project: Project | None) -> FixVerified | FixRejected:
        """Return the verdict. Raises `TransientError`."""
        reason = "not reached"
        try:
            self._work(self._subject(project))
        except _EndedError:
            reason = "an earlier check did not pass"
        except (UnusableError, PoisonError) as error:
            reason = str(error)
        except ErasedError:
            reason = "the patch was erased at somebody's wish"
        except SandboxUnavailableError as error:
            reason = f"there is no sandbox to run tests in: {error}"
        for name in CHECKS[len(self.checks) :]:
            self._add(name, Verdict.NOT_RUN, reason)
        return self._verdict()

    def _subject(self, project: Project | None) -> _Subject:
        project, python = usable(project, self.event.project)
        proposal = Proposal.model_validate_json(self.blobs.get(self.event.patch))
        self.feedback.append(f"The patch was:\n{proposal.diff}")
        self.sandbox.check()
        return _Subject(project, Pytest(self.sandbox, python, project.test_command), proposal)

    def _work(self, subject: _Subject) -> None:
        edits, oracle = subject.proposal.edits, subject.proposal.oracle
        with self._copy(subject) as tree:
            self._static(APPLIES, misfits(tree, edits), "it fits exactly")
            self._static(SPARES_TESTS, weakenings(edits), "what the tests ask for is unchanged")
            if oracle is None:
                self._ends(RED_BEFORE, Verdict.NOT_RUN, NO_REPRODUCTION)
            unfit = unfit_oracle(tree, oracle)
            if unfit:
                self._ends(RED_BEFORE, Verdict.NOT_RUN, f"{NO_REPRODUCTION}: {_some(unfit)}")
            self._red(subject, tree, oracle)
        with self._copy(subject, edits) as tree:
            self._green(subject, tree, oracle)
        with self._copy(subject) as before, self._copy(subject, edits) as after:
            suite = self._suite(subject, before, after)
        with self._copy(subject) as before, self._copy(subject, edits) as after:
            found = disuse(subject.pytest, edits, oracle, before, after)
        self._suite_done(suite, found)

    @contextmanager
    def _copy(self, subject: _Subject, edits: Sequence[FileEdit] = ()) -> Iterator[Path]:
        """Yield a tree nothing has run in yet, with `edits` applied."""
        with self.checkouts.work_copy(subject.project, self.event.base_commit) as tree:
            apply(tree, edits)
            yield tree

    # --- the checks ---

    def _static(self, name: str, problems: Sequence[str], good: str) -> None:
        if problems:
            self._ends(name, Verdict.FAILED, _some(problems), output="\n".join(problems))
        self._add(name, Verdict.PASSED, good)

    def _red(self, subject: _Subject, tree: Path, oracle: Oracle) -> None:
        run = _run_oracle(subject, tree, oracle)
        if not run.whole:
            self._ends(RED_BEFORE, Verdict.NOT_RUN, run.reason, run=run)
        if not run.all_red(oracle.node_ids):
            why = f"{NO_REPRODUCTION}: it does not fail at the base commit"
            self._ends(RED_BEFORE, Verdict.NOT_RUN, why, run=run)
        self._add(RED_BEFORE, Verdict.PASSED, oracle.description or "it fails", run=run)

    def _green(self, subject: _Subject, tree: Path, oracle: Oracle) -> None:
        runs: list[PytestRun] = []
        for number in range(1, GREEN_RUNS + 1):
            run = _run_oracle(subject, tree, oracle)
            self._untouched(GREEN_AFTER, subject, tree)
            runs.append(run)
            if not run.all_green(oracle.node_ids):
                why = run.reason or f"it still fails with the patch, in run {number}"
                self._ends(GREEN_AFTER, Verdict.FAILED, why, run=run, runs=number)
        summary = f"it passes {GREEN_RUNS} times out of {GREEN_RUNS}"
        wall_s = sum(run.wall_s for run in runs)
        passed = Verdict.PASSED
        self._add(GREEN_AFTER, passed, summary, run=runs[-1], runs=GREEN_RUNS, wall_s=wall_s)

    def _suite(self, subject: _Subject, before: Path, after: Path) -> Comparison:
        """Return what passes as yet; what does not pass ends it here."""
        found = compare(subject.pytest, before, after)
        self._untouched(SUITE, subject, after)
        files = [edit.path for edit in subject.proposal.edits if _has_examples(edit)]
        if found.verdict is Verdict.PASSED and files:
            found = with_examples(found, subject.pytest, files, before, after)
        if found.verdict is not Verdict.PASSED:
            self._suite_ends(found)
        return found

    def _suite_done(self, suite: Comparison, found: Disuse) -> None:
        wall_s = suite.wall_s + found.wall_s
        if found.lost:
            summary = f"the patch takes code out of use: {found.lost}"
            failed = replace(suite, verdict=Verdict.FAILED, summary=summary, wall_s=wall_s)
            self._suite_ends(failed)
        summary = f"{suite.summary}; {found.said}" if found.said else suite.summary
        self._add_suite(replace(suite, summary=summary, wall_s=wall_s))

    def _suite_ends(self, found: Comparison) -> NoReturn:
        self._add_suite(found)
        raise _EndedError

    def _add_suite(self, found: Comparison) -> None:
        self._add(
            SUITE,
            found.verdict,
            found.summary,
            run=found.shown,
            runs=found.runs,
            wall_s=found.wall_s,
        )

    def _untouched(self, name: str, subject: _Subject, tree: Path) -> None:
        """End the check when tests put other text in the place of the patch: what ran is unknown.

        A file that is changed and put back in the same run is not noticed.
        """
        changed = [edit.path for edit in subject.proposal.edits if not _holds(tree, edit)]
        if changed:
            why = f"the project's own tests rewrite {_some(changed)}, which the patch changes"
            self._ends(name, Verdict.NOT_RUN, why)

    # --- what comes of them ---

    def _ends(
        self,
        name: str,
        verdict: Verdict,
        summary: str,
        *,
        run: PytestRun | None = None,
        output: str = "",
        runs: int = 1,
    ) -> NoReturn:
        self._add(name, verdict, summary, run=run, output=output, runs=runs)
        raise _EndedError

    def _add(
        self,
        name: str,
        verdict: Verdict,
        summary: str,
        *,
        run: PytestRun | None = None,
        output: str = "",
        runs: int = 1,
        wall_s: float | None = None,
    ) -> None:
        text = (run.output if run else output)[-OUTPUT_CHARS_MAX:]
        self.checks.append(
            CheckResult(
                name=name,
                verdict=verdict,
                summary=summary[:SUMMARY_CHARS_MAX],
                command=run.command if run else "",
                output=self._put(text) if text else None,
                runs=runs,
                wall_s=round(run.wall_s if run and wall_s is None else wall_s or 0.0, 3),
            )
        )
        if verdict is not Verdict.PASSED:
            self.feedback.append(f"{name}: {verdict.value}: {summary}\n{text}".rstrip())

    def _put(self, text: str) -> BlobRef:
        subject = f"bug:{self.event.bug_id}"
        return self.blobs.put(text.encode(), media_type="text/plain", subject=subject)

    def _verdict(self) -> FixVerified | FixRejected:
        bad = [check for check in self.checks if check.verdict is not Verdict.PASSED]
        if not bad:
            return FixVerified(
                **caused_by(self.event, NAME),
                bug_id=self.event.bug_id,
                attempt=self.event.attempt,
                base_commit=self.event.base_commit,
                patch=self.event.patch,
                checks=tuple(self.checks),
            )
        failed = any(check.verdict is Verdict.FAILED for check in bad)
        first = bad[0].summary
        said = first if first.startswith(NO_REPRODUCTION) else f"{bad[0].name}: {first}"
        return FixRejected(
            **caused_by(self.event, NAME),
            bug_id=self.event.bug_id,
            attempt=self.event.attempt,
            verdict="failed" if failed else "not_run",
            reason=said,
            checks=tuple(self.checks),
            feedback=self._put("\n\n".join(self.feedback)[:FEEDBACK_CHARS_MAX]),
        )


def _run_oracle(subject: _Subject, tree: Path, oracle: Oracle) -> PytestRun:
    for path, text in oracle.files.items():
        write_file(tree, path, text.encode())
    return subject.pytest.run(tree, oracle.node_ids, wall_s=ORACLE_WALL_S_MAX)


def _holds(tree: Path, edit: FileEdit) -> bool:
    try:
        return edit.after is not None and read_file(tree, edit.path) == edit.after.encode()
    except FileNotFoundError:
        return edit.after is None
    except UnsafePathError:
        return False


def _has_examples(edit: FileEdit) -> bool:
    return edit.path.endswith(".py") and ">>> " in (edit.before or "")


def _some(problems: Sequence[str]) -> str:
    shown = "; ".join(problems[:PROBLEMS_SHOWN_MAX])
    more = len(problems) - PROBLEMS_SHOWN_MAX
    return f"{shown}; and {more} more" if more > 0 else shown
