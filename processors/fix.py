"""Write a patch for a located bug: find what shows it, then ask the proposers in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from processors import evidence
from processors.attached import Attach, Reading, nothing
from processors.base import Task
from processors.oracles import Found, NotFound, find_oracle, python_sources
from processors.ports import (
    Blobs,
    BudgetExceededError,
    Checkouts,
    Declined,
    ErasedError,
    FixTask,
    ModelCall,
    PatchProposer,
    Proposed,
    Sandbox,
    SandboxUnavailableError,
)
from processors.pytest_runs import Pytest, wrong_command
from schemas import topics
from schemas.bugs import BudgetSpent, FixDeclined, FixProposed, FixRequested
from schemas.errors import PoisonError
from schemas.event import BlobRef, Event, caused_by
from schemas.fixes import Proposal
from schemas.projects import Project

NAME = "fix"
NO_REPRODUCTION = "no reproduction"
DETAIL_CHARS_MAX = 200_000
REASON_CHARS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the stage works with."""

    checkouts: Checkouts
    sandbox: Sandbox
    blobs: Blobs
    proposers: Sequence[PatchProposer]
    project_of: Callable[[str], Project | None]
    attach: Attach


class UnusableError(Exception):
    """The work cannot be done until a setting is changed, or not at all; the text says which."""


def make(
    checkouts: Checkouts,
    sandbox: Sandbox,
    blobs: Blobs,
    proposers: Sequence[PatchProposer],
    project_of: Callable[[str], Project | None],
    attach: Attach = nothing,
) -> Task:
    """Return the stage. `proposers` in the order they are asked; settings may pick one of them."""
    parts = _Parts(checkouts, sandbox, blobs, tuple(proposers), project_of, attach)

    def handle(event: Event) -> Iterator[BudgetSpent | FixProposed | FixDeclined]:
        if isinstance(event, FixRequested):
            yield from _Attempt(parts, event).answer()

    return Task(NAME, (topics.BUGS_EVENTS,), (FixRequested,), handle, concurrency=1)


def usable(project: Project | None, project_id: str) -> tuple[Project, Path]:
    """Return the project and its interpreter. Raises `UnusableError` saying what to set."""
    if project is None or not project.git_url:
        raise UnusableError(f"project {project_id!r}: set `git_url` in the settings")
    if project.python is None:
        raise UnusableError(
            f"project {project_id!r}: set `python` to the interpreter that has its packages and"
            " pytest, or give --python"
        )
    wrong = wrong_command(project.test_command)
    if wrong:
        raise UnusableError(f"project {project_id!r}: {wrong}")
    return project, project.python


@dataclass(slots=True)
class _Attempt:
    """One `fix.requested`, and what has come of it so far."""

    parts: _Parts
    event: FixRequested
    calls: list[ModelCall] = field(default_factory=list)
    refusals: list[Declined] = field(default_factory=list)

    def answer(self) -> Iterator[BudgetSpent | FixProposed | FixDeclined]:
        """Do the work, and yield what it cost and what came of it. Raises `TransientError`."""
        try:
            last = self._work()
        except UnusableError as error:
            last = self._declined("could_not", str(error))
        except SandboxUnavailableError as error:
            last = self._declined("could_not", f"there is no sandbox to run tests in: {error}")
        yield from (self._spent(index, call) for index, call in enumerate(self.calls))
        yield last

    def _work(self) -> FixProposed | FixDeclined:
        project, python = usable(self.parts.project_of(self.event.project), self.event.project)
        proposers = self._chosen(project)
        self.parts.sandbox.check()
        task = self._task(project, python)
        found = self._oracle(task)
        if isinstance(found, Found):
            task = replace(task, oracle=found.oracle, failing_output=found.output)
        proposal = self._ask(proposers, task)
        if proposal is not None:
            # The trusted one judges: a model's own test counts only where there is no other.
            oracle = task.oracle or proposal.oracle
            return self._proposed(proposal.model_copy(update={"oracle": oracle}))
        if isinstance(found, NotFound):
            reason = f"{NO_REPRODUCTION}: {found.reason}"
            return self._declined("not_verified", reason, found.detail)
        reasons = "; ".join(refusal.reason for refusal in self.refusals)
        return self._declined("could_not", reasons, task.failing_output)

    def _task(self, project: Project, python: Path) -> FixTask:
        event, blobs = self.event, self.parts.blobs
        try:
            report = evidence.read(blobs, event.report, event.others)
            feedback = blobs.get(event.feedback).decode() if event.feedback else ""
        except ErasedError as error:
            raise UnusableError("the report was erased at its author's wish") from error
        reading = Reading(event.project, event.bug_id, event.attempt)
        return FixTask(
            bug_id=event.bug_id,
            attempt=event.attempt,
            cause=event.event_id,
            project=project,
            python=python,
            tree=Path(),
            report=self.parts.attach(report, reading),
            locations=event.locations,
            oracle=None,
            failing_output="",
            budget_usd_micros=event.budget_usd_micros,
            feedback=feedback,
        )

    def _chosen(self, project: Project) -> Sequence[PatchProposer]:
        every, wanted = self.parts.proposers, project.proposer
        chosen = [p for p in every if wanted in ("auto", p.name)]
        if not chosen:
            raise UnusableError(
                f"project {project.id!r}: the proposer {wanted!r} is not available; set `proposer`"
                " to 'template' or 'auto', or give the model's key (ANTHROPIC_API_KEY)"
            )
        return chosen

    def _oracle(self, task: FixTask) -> Found | NotFound:
        checkouts, commit = self.parts.checkouts, self.event.base_commit
        try:
            sources = python_sources(checkouts.files(task.project, commit))
            with checkouts.work_copy(task.project, commit) as tree:
                pytest = Pytest(self.parts.sandbox, task.python, task.project.test_command)
                found = find_oracle(pytest, tree, task.report, task.locations, sources)
        except PoisonError as error:
            raise UnusableError(str(error)) from error
        if isinstance(found, NotFound) and found.unusable:
            raise UnusableError(f"project {task.project.id!r}: {found.reason}")
        return found

    def _ask(self, proposers: Sequence[PatchProposer], task: FixTask) -> Proposal | None:
        for proposer in proposers:
            checkouts = self.parts.checkouts
            with checkouts.work_copy(task.project, self.event.base_commit) as tree:
                try:
                    answer = proposer.propose(replace(task, tree=tree))
                except BudgetExceededError as error:
                    answer = Declined(f"the budget is spent ({error})")
            self.calls += answer.calls
            if isinstance(answer, Proposed):
                if not answer.proposal.diff or answer.proposal.diff not in task.feedback:
                    return answer.proposal
                answer = Declined("it wrote the patch again that was rejected before")
            reason = f"{proposer.name}: {answer.reason}"
            self.refusals.append(replace(answer, reason=reason))
        return None

    def _spent(self, index: int, call: ModelCall) -> BudgetSpent:
        return BudgetSpent(
            **caused_by(self.event, NAME, index),
            bug_id=self.event.bug_id,
            attempt=self.event.attempt,
            effect_key=call.effect_key,
            model=call.model,
            cost_usd_micros=call.cost_usd_micros,
            tokens_in=call.tokens_in,
            tokens_out=call.tokens_out,
        )

    @property
    def _cost_usd_micros(self) -> int:
        return sum(call.cost_usd_micros for call in self.calls)

    def _declined(
        self, outcome: Literal["could_not", "not_verified"], reason: str, detail: str = ""
    ) -> FixDeclined:
        said = (f"{r.reason}\n{r.detail}" for r in self.refusals)
        text = "\n\n".join((*said, detail)).strip()[-DETAIL_CHARS_MAX:]
        return FixDeclined(
            **caused_by(self.event, NAME, len(self.calls)),
            bug_id=self.event.bug_id,
            attempt=self.event.attempt,
            outcome=outcome,
            reason=reason[:REASON_CHARS_MAX],
            detail=self._put(text.encode(), "text/plain") if text else None,
            cost_usd_micros=self._cost_usd_micros,
            candidates_tried=sum(refusal.candidates_tried for refusal in self.refusals),
        )

    def _proposed(self, proposal: Proposal) -> FixProposed:
        return FixProposed(
            **caused_by(self.event, NAME, len(self.calls)),
            bug_id=self.event.bug_id,
            attempt=self.event.attempt,
            base_commit=self.event.base_commit,
            patch=self._put(proposal.model_dump_json().encode(), "application/json"),
            proposer=proposal.proposer,
            model=proposal.model,
            oracle=proposal.oracle.kind if proposal.oracle else None,
            files=tuple(edit.path for edit in proposal.edits),
            cost_usd_micros=self._cost_usd_micros,
            candidates_tried=proposal.candidates_tried,
        )

    def _put(self, content: bytes, media_type: str) -> BlobRef:
        subject = f"bug:{self.event.bug_id}"
        return self.parts.blobs.put(content, media_type=media_type, subject=subject)
