"""What lifecycle knows of a bug, folded from its events. Pure: `evolve(state, event) -> state`."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from schemas import bugs
from schemas.commands import COMMANDS
from schemas.event import BlobRef, Event, Model, human_id
from schemas.fixes import CheckResult
from schemas.lifecycle import Status, status_after
from schemas.places import Location
from schemas.raw import Origin
from schemas.reports import ReportLink, Trust

LOCATIONS_KEPT_MAX = 10
REPORTS_TOLD_MAX = 10


class BugState(Model):
    """What has to be known of a bug to decide what happens next."""

    bug_id: UUID
    name: str
    project: str
    status: Status = Status.OPEN
    attempt: int = 0
    reports: tuple[ReportLink, ...]
    fix_approved: bool = False
    release_approvals: tuple[str, ...] = ()
    """Distinct people who approved the verified patch of this attempt."""
    waits_for: Literal["fix", "release"] | None = None
    base_commit: str = ""
    locations: tuple[Location, ...] = ()
    patch: BlobRef | None = None
    verification: UUID | None = None
    checks: tuple[CheckResult, ...] = ()
    heard: tuple[UUID, ...] = ()
    """Ids of the reports whose evidence this attempt has."""
    branch: str | None = None
    commit: str | None = None
    url: str | None = None
    """Of the pull request."""
    reason: str = ""
    failed_stage: str | None = None
    """Its record went to the dead letters; once requeued, its outcome still counts."""
    merged_into: UUID | None = None

    @property
    def trusted(self) -> bool:
        """Return whether a fix may be worked on: a member reported it, or a person approved."""
        return self.fix_approved or any(r.trust is Trust.MEMBER for r in self.reports)

    @property
    def founder(self) -> ReportLink:
        """Return the report that founded the bug, as last edited."""
        return self.reports[0]

    @property
    def first_origins(self) -> tuple[Origin, ...]:
        """Return the first items it was reported in, as many as people are told of."""
        return tuple(report.origin for report in self.reports[:REPORTS_TOLD_MAX])


def evolve(state: BugState | None, event: Event) -> BugState | None:
    """Return the state after `event`; None as long as the bug was not opened."""
    if isinstance(event, bugs.BugOpened):
        return BugState(
            bug_id=event.bug_id,
            name=human_id(event.bug_id, event.occurred_at.year),
            project=event.project,
            reports=(event.report,),
        )
    if state is None or isinstance(event, COMMANDS):
        return state  # A command is a wish; only facts change anything.
    moved = {"status": status_after(state.status, event)}
    return state.model_copy(
        update=moved | _reports(state, event) | _requests(state, event) | _outcomes(state, event)
    )


def _reports(state: BugState, event: Event) -> dict[str, object]:
    match event:
        case bugs.ReportLinked() | bugs.ReportUpdated():
            return {"reports": _with_report(state.reports, event.report)}
        case bugs.BugAbsorbed():
            reports = state.reports
            for link in event.reports:
                reports = _with_report(reports, link)
            return {"reports": reports}
        case bugs.BugMerged():
            return {"merged_into": event.into_bug_id}
        case bugs.BugSplit():
            left = tuple(r for r in state.reports if r.report_id != event.report_id)
            return {"reports": left or state.reports}
        case _:
            return {}


def _requests(state: BugState, event: Event) -> dict[str, object]:
    match event:
        case bugs.LocateRequested():
            return _fresh_attempt(event.attempt)
        case bugs.FixRequested():
            heard = tuple(link.report_id for link in (event.report, *event.others))
            fresh: dict[str, object] = {"patch": None, "checks": (), "waits_for": None}
            return {"attempt": event.attempt, "heard": heard, **fresh}
        case bugs.ApprovalRequested():
            return {"waits_for": event.subject}
        case bugs.ApprovalGranted():
            return _granted(state, event)
        case bugs.BugClosed():
            return {"reason": event.reason, "waits_for": None}
        case _:
            return {}


def _outcomes(state: BugState, event: Event) -> dict[str, object]:
    changes: dict[str, object] = {}
    match event:
        case bugs.StageFailed():
            return {"failed_stage": event.stage}
        case bugs.BugLocated():
            places = event.locations[:LOCATIONS_KEPT_MAX]
            changes = {"base_commit": event.base_commit, "locations": places}
        case bugs.FixProposed():
            changes = {"patch": event.patch}
        case bugs.FixVerified():
            changes = {"checks": event.checks, "verification": event.event_id}
        case bugs.FixRejected():
            changes = {"checks": event.checks}
        case bugs.FixReleased():
            changes = {"branch": event.branch, "commit": event.commit, "url": event.url}
        case _:
            return {}
    return changes if event.attempt == state.attempt else {}  # Else of a superseded attempt.


def _fresh_attempt(attempt: int) -> dict[str, object]:
    return {
        "attempt": attempt,
        "locations": (),
        "patch": None,
        "verification": None,
        "checks": (),
        "branch": None,
        "commit": None,
        "url": None,
        "reason": "",
        "release_approvals": (),
        "waits_for": None,
        "failed_stage": None,
    }


def _granted(state: BugState, event: bugs.ApprovalGranted) -> dict[str, object]:
    if event.subject == "fix":
        return {"fix_approved": True, "waits_for": None}
    return {"release_approvals": tuple(dict.fromkeys((*state.release_approvals, event.actor.id)))}


def _with_report(reports: tuple[ReportLink, ...], link: ReportLink) -> tuple[ReportLink, ...]:
    if any(known.report_id == link.report_id for known in reports):
        return tuple(link if known.report_id == link.report_id else known for known in reports)
    return (*reports, link)
