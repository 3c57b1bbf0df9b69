"""What happens next to a bug: the one pure function every bug moves by.

Outcomes of a superseded attempt are kept in the log and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from processors.bug_identity import BETWEEN_BUGS, OPEN_ENDED, Identity
from processors.bug_state import BugState
from processors.moments import state_of
from schemas import bugs, commands
from schemas.bugs import BugEvent
from schemas.errors import FatalError
from schemas.event import BlobRef, Event
from schemas.identity import ApartRequested, BugAbsorbed, MergeRequested
from schemas.lifecycle import CLOSED, Status
from schemas.projects import Project
from schemas.rollouts import RolloutCompleted, RolloutHalted, RolloutPromoted, RolloutStarted
from schemas.tell import Tell

_WORKING = {
    "locate": Status.LOCATING,
    "fix": Status.FIXING,
    "verify": Status.VERIFYING,
    "release": Status.RELEASING,
}
_MAY_RETRY = CLOSED - {Status.FIXED, Status.MERGED}
_CAME_FROM = {
    "split": "it was taken for {0.name} before, until a person said that it is another fault",
    "regression": "it looks like {0.name}, which was fixed before: perhaps that is back",
}


def decide(
    state: BugState | None, cause: Event, project: Project | None, tell: Tell
) -> Iterator[Event]:
    """Yield what happens next after `cause`, which is already folded into `state`."""
    if isinstance(cause, (*commands.COMMANDS, MergeRequested, ApartRequested)):
        yield from _Answer(state, cause, project, tell).command()
    elif state is not None:
        yield from _Answer(state, cause, project, tell).event()


class _Answer(Identity):
    """The answer to one event or command: reads the state, numbers the events it yields."""

    # --- events of stages ---

    def event(self) -> Iterator[Event]:
        if self._state.merged_into is not None:
            yield from self._passed_on()
            return
        match self._cause:
            case bugs.BugOpened():
                yield from self._opened(self._cause)
            case bugs.ReportLinked():
                yield from self._linked(self._cause)
            case BugAbsorbed():
                yield from self._absorbed(self._cause)
            case bugs.ReportUpdated():
                yield from self._edited(self._cause)
            case bugs.StageFailed():
                yield from self._stage_failed(self._cause)
            case RolloutStarted() | RolloutPromoted() | RolloutHalted() | RolloutCompleted():
                yield from self._told_others("deployment", state_of(self._cause))
            case _:
                yield from self._outcome()

    def _opened(self, cause: bugs.BugOpened) -> Iterator[BugEvent]:
        yield from self._locate(1)
        if self._project is None:
            return
        trusted = self._state.trusted
        said = [_CAME_FROM[cause.came_from.why].format(cause.came_from)] if cause.came_from else []
        said += [] if trusted else ["a member of the project has to approve work on it"]
        yield from self._told_reporter(cause.report, "received", "; ".join(said))

    def _outcome(self) -> Iterator[BugEvent]:
        cause = self._cause
        match cause:
            case bugs.BugLocated() if self._expects("locate", cause.attempt):
                yield from self._after_locate()
            case bugs.LocateDeclined() if self._expects("locate", cause.attempt):
                yield from self._close("could_not", cause.reason)
            case bugs.FixProposed() if self._expects("fix", cause.attempt):
                yield bugs.VerifyRequested(
                    **self._next(),
                    bug_id=self._state.bug_id,
                    attempt=cause.attempt,
                    base_commit=cause.base_commit,
                    patch=cause.patch,
                )
            case bugs.FixDeclined() if self._expects("fix", cause.attempt):
                if self._knows_more and self._may_go_on:
                    yield from self._locate(self._state.attempt + 1)
                else:
                    yield from self._close(cause.outcome, cause.reason)
            case bugs.FixVerified() if self._expects("verify", cause.attempt):
                yield from self._after_verify()
            case bugs.FixRejected() if self._expects("verify", cause.attempt):
                yield from self._after_rejection(cause)
            case bugs.FixReleased() if self._expects("release", cause.attempt):
                yield from self._told_others("deployment", f"the fix is on branch {cause.branch}")
                yield from self._close("fixed", f"verified, and pushed to {cause.branch}")
            case bugs.ReleaseDeclined() if self._expects("release", cause.attempt):
                yield from self._close("could_not", cause.reason)
            case _:
                return

    def _after_locate(self) -> Iterator[BugEvent]:
        if self._state.trusted:
            yield self._fix(self._state.attempt)
            return
        reason = "the reporter is not a member of the project"
        yield from self._ask("fix", reason, approvals_needed=1)

    def _ask(
        self, subject: Literal["fix", "release"], reason: str, *, approvals_needed: int
    ) -> Iterator[BugEvent]:
        yield bugs.ApprovalRequested(
            **self._next(),
            bug_id=self._state.bug_id,
            attempt=self._state.attempt,
            subject=subject,
            reason=reason,
            approvals_needed=approvals_needed,
        )
        yield from self._told_others("approval", f"the {subject} waits for a person: {reason}")

    def _after_verify(self) -> Iterator[BugEvent]:
        yield from self._told_others("verified", "the patch passed every check")
        needed = self._project.release_approvals if self._project else 1
        if needed == 0:
            yield from self._release()
            return
        reason = "the project wants releases approved"
        yield from self._ask("release", reason, approvals_needed=needed)

    def _after_rejection(self, cause: bugs.FixRejected) -> Iterator[BugEvent]:
        attempts_max = self._project.attempts_max if self._project else 1
        if cause.verdict == "failed" and cause.attempt < attempts_max:
            yield self._fix(cause.attempt + 1, cause.feedback)
            return
        yield from self._close(
            "could_not" if cause.verdict == "failed" else "not_verified", cause.reason
        )

    def _release(self) -> Iterator[BugEvent]:
        state = self._state
        if state.patch is None or state.verification is None:
            raise FatalError(f"bug {state.bug_id} is to be released without a verified patch")
        yield bugs.ReleaseRequested(
            **self._next(),
            bug_id=state.bug_id,
            attempt=state.attempt,
            base_commit=state.base_commit,
            patch=state.patch,
            verification=state.verification,
            name=state.name,
            checks=state.checks,
            reports=state.first_origins,
        )

    def _edited(self, cause: bugs.ReportUpdated) -> Iterator[Event]:
        state = self._state
        if self._gone_from(cause.report):
            yield self._on_its_way(cause.report, is_edit=True)
        elif state.waits_for == "fix" and state.trusted:
            yield self._fix(state.attempt)
        elif state.status in OPEN_ENDED and self._may_go_on:
            yield from self._locate(state.attempt + 1)  # Perhaps it now says how to reproduce it.

    def _stage_failed(self, cause: bugs.StageFailed) -> Iterator[BugEvent]:
        if _WORKING.get(cause.stage) == self._state.status:
            yield from self._close(
                "could_not",
                f"stage {cause.stage!r} failed ({cause.error}), dead letter {cause.dead_letter}",
            )

    def _expects(self, stage: str, attempt: int) -> bool:
        """Return whether the bug waits for this outcome, or did until the stage failed."""
        state = self._state
        if attempt != state.attempt:
            return False
        revived = state.failed_stage == stage and state.status is Status.COULD_NOT
        return state.status == _WORKING[stage] or revived

    # --- commands of people ---

    def command(self) -> Iterator[Event]:
        state = self._known
        if state is None:
            yield self._refuse("there is no such bug")
        elif state.merged_into is not None:
            yield self._refuse(self._where_it_went(state.merged_into))
        elif isinstance(self._cause, BETWEEN_BUGS):
            yield from self._between(self._cause)
        else:
            match self._cause:
                case commands.ApproveBug():
                    yield from self._approve(self._cause.note)
                case commands.RejectBug():
                    yield from self._reject(self._cause.note)
                case commands.RetryBug():
                    yield from self._retry()
                case _:
                    yield from self._abandon()

    def _approve(self, note: BlobRef | None) -> Iterator[BugEvent]:
        state = self._state
        early = state.status in {Status.OPEN, Status.LOCATING} and not state.trusted
        subject = "fix" if early else state.waits_for
        if subject is None:
            yield self._refuse(f"nothing waits for approval: the bug is {state.status}")
            return
        yield bugs.ApprovalGranted(
            **self._by_person(),
            bug_id=state.bug_id,
            attempt=state.attempt,
            subject=subject,
            note=note,
        )
        if subject == "fix" and not early:
            yield self._fix(state.attempt)
        elif subject == "release":
            needed = self._project.release_approvals if self._project else 1
            if len({*state.release_approvals, self._cause.actor.id}) >= needed:
                yield from self._release()

    def _reject(self, note: BlobRef | None) -> Iterator[BugEvent]:
        state = self._state
        if state.waits_for is None:
            yield self._refuse(f"nothing waits for approval: the bug is {state.status}")
            return
        yield bugs.ApprovalRejected(
            **self._by_person(),
            bug_id=state.bug_id,
            attempt=state.attempt,
            subject=state.waits_for,
            note=note,
        )
        yield from self._close("rejected", f"a person said no to the {state.waits_for}")

    def _retry(self) -> Iterator[BugEvent]:
        state = self._state
        if state.status not in _MAY_RETRY:
            yield self._refuse(f"only an ended attempt can be retried: the bug is {state.status}")
        elif self._project is None:
            yield self._refuse(f"project {state.project!r} is not in the settings")
        else:
            if not state.trusted:
                yield bugs.ApprovalGranted(
                    **self._by_person(),
                    bug_id=state.bug_id,
                    attempt=state.attempt + 1,
                    subject="fix",
                )
            yield bugs.RetryAccepted(
                **self._by_person(), bug_id=state.bug_id, attempt=state.attempt + 1
            )
            yield from self._locate(state.attempt + 1)

    def _abandon(self) -> Iterator[BugEvent]:
        if self._state.status in CLOSED:
            yield self._refuse(f"no work is going on: the bug is {self._state.status}")
            return
        yield from self._close("abandoned", "a person stopped the work")
