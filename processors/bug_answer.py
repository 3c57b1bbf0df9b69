"""What every answer to an event or a command is made of: envelopes, requests, who is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count
from uuid import UUID

from processors import evidence
from processors.bug_state import BugState
from processors.moments import AT_ONCE, MACHINES, Outcome
from schemas import bugs
from schemas.bugs import USD_MICROS, BugEvent
from schemas.errors import FatalError
from schemas.event import BlobRef, Caused, Event, caused_by
from schemas.identity import ApartRequested, MergeRequested
from schemas.projects import Project
from schemas.reports import ReportLink
from schemas.tell import Audience, Moment, Tell

STAGE = "lifecycle"
LOCATIONS_TOLD_MAX = 5


class Answer:
    """The answer to one event or command: reads the state, numbers the events it yields."""

    def __init__(
        self, state: BugState | None, cause: Event, project: Project | None, tell: Tell
    ) -> None:
        self._known = state
        self._cause = cause
        self._project = project
        self._tell = tell
        self._index = count()

    def _locate(self, attempt: int) -> Iterator[BugEvent]:
        if self._project is None:
            return  # Unassigned: triaged and kept, never fixed.
        yield bugs.LocateRequested(
            **self._next(),
            bug_id=self._state.bug_id,
            attempt=attempt,
            report=self._state.founder,
            others=evidence.others(self._state.reports),
        )

    def _fix(self, attempt: int, feedback: BlobRef | None = None) -> BugEvent:
        budget = self._project.budget_usd_per_bug if self._project else 0.0
        return bugs.FixRequested(
            **self._next(),
            bug_id=self._state.bug_id,
            attempt=attempt,
            report=self._state.founder,
            others=evidence.others(self._state.reports),
            base_commit=self._state.base_commit,
            locations=tuple(place.bare() for place in self._state.locations),
            budget_usd_micros=round(budget * USD_MICROS),
            feedback=feedback,
        )

    def _close(
        self, outcome: Outcome, reason: str, *, told: Collection[UUID] = ()
    ) -> Iterator[BugEvent]:
        """Yield that the work has ended, and the answers to all reporters but those of `told`."""
        yield bugs.BugClosed(
            **self._next(),
            bug_id=self._state.bug_id,
            attempt=self._state.attempt,
            outcome=outcome,
            reason=reason,
        )
        untold = (link for link in self._state.reports if link.report_id not in told)
        yield from self._told_reporters(untold, outcome, reason)
        yield from self._told_others(outcome, reason)

    # --- who is told ---

    def _told_reporter(
        self, report: ReportLink, moment: Moment, reason: str = ""
    ) -> Iterator[BugEvent]:
        if moment in AT_ONCE and report.origin.channel in MACHINES:
            return  # A program was told when it delivered.
        if "reporter" in self._tell.whom(moment):
            yield self._notify(report, moment, reason, "reporter")

    def _told_reporters(
        self, reports: Iterable[ReportLink], moment: Moment, reason: str = ""
    ) -> Iterator[BugEvent]:
        answered: set[str] = set()
        for report in reports:
            if report.origin.key not in answered:
                answered.add(report.origin.key)
                yield from self._told_reporter(report, moment, reason)

    def _told_others(self, moment: Moment, reason: str) -> Iterator[BugEvent]:
        project = self._project
        reachable = {
            "assignee": bool(project and project.contacts),
            "team": bool(project and project.team),
        }
        for audience in self._tell.whom(moment):
            if reachable.get(audience):
                yield self._notify(self._state.founder, moment, reason, audience)

    def _notify(
        self, report: ReportLink, moment: Moment, reason: str, audience: Audience
    ) -> BugEvent:
        state = self._state
        return bugs.NotifyRequested(
            **self._next(),
            bug_id=state.bug_id,
            attempt=state.attempt,
            name=state.name,
            origin=report.origin,
            outcome=moment,
            audience=audience,
            reason=reason,
            branch=state.branch,
            commit=state.commit,
            url=state.url,
            checks=state.checks,
            locations=tuple(p.bare() for p in state.locations[:LOCATIONS_TOLD_MAX]),
            patch=state.patch if moment == "fixed" else None,
            report=report.report_blob if audience == "assignee" else None,
        )

    @property
    def _may_go_on(self) -> bool:
        """Return whether another attempt may be made without a person's word."""
        attempts_max = self._project.attempts_max if self._project else 0
        return self._state.trusted and self._state.attempt < attempts_max

    @property
    def _knows_more(self) -> bool:
        """Return whether a member has reported the bug since this attempt began."""
        known = evidence.others(self._state.reports)
        return any(link.report_id not in self._state.heard for link in known)

    def _refuse(self, reason: str) -> BugEvent:
        cause = self._cause
        if cause.bug_id is None:
            raise FatalError(f"command {cause.event_id} names no bug")
        bug_id, asked, envelope = cause.bug_id, cause.type, self._next()
        if isinstance(cause, MergeRequested):
            asked = "bug.merge"
        elif isinstance(cause, ApartRequested):
            # Whoever asked looks at the bug that was asked, and it may be of another project.
            bug_id, asked, reason = cause.other_bug_id, "bug.keep_apart", f"bug {bug_id}: {reason}"
            envelope |= {"project": cause.project}
        return bugs.CommandRefused(**envelope, bug_id=bug_id, command=asked, reason=reason)

    # --- envelopes ---

    @property
    def _state(self) -> BugState:
        if self._known is None:
            raise FatalError(f"{self._cause.type} was answered without a bug")
        return self._known

    def _next(self) -> Caused:
        envelope = caused_by(self._cause, STAGE, next(self._index))
        return envelope | {"project": self._known.project} if self._known else envelope

    def _by_person(self) -> Caused:
        return self._next() | {"actor": self._cause.actor}
