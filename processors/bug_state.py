"""What lifecycle knows of a bug, folded from its events. Pure: `evolve(state, event) -> state`."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from schemas import bugs, identity
from schemas.commands import COMMANDS
from schemas.event import BlobRef, Event, Model, human_id
from schemas.fixes import CheckResult
from schemas.lifecycle import Status, status_after
from schemas.links import LINKS
from schemas.places import Location
from schemas.raw import Origin
from schemas.reports import ReportLink, Trust
from schemas.rollouts import RolloutCompleted

LOCATIONS_KEPT_MAX = 10
REPORTS_TOLD_MAX = 10


class BugState(Model):
    """What has to be known of a bug to decide what happens next."""

    bug_id: UUID
    name: str
    project: str
    opened_at: AwareDatetime | None = None
    """None in the records of the first releases."""
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
    parted: dict[UUID, UUID] = Field(default_factory=dict)
    """Report -> the bug it was taken out into."""
    came_back_as: UUID | None = None
    """The bug that reports of this one have founded since it was fixed."""
    fixed_at: AwareDatetime | None = None
    is_live: bool = False
    """Whether the fix is known to be merged, or to have reached all users."""

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
            opened_at=event.occurred_at,
            reports=(event.report,),
        )
    if state is None or isinstance(event, (*COMMANDS, *LINKS)):
        return state  # A command is a wish, and a link a word to dedupe: only facts change it.
    moved = {"status": status_after(state.status, event)}
    return state.model_copy(
        update=moved | _reports(state, event) | _requests(state, event) | _outcomes(state, event)
    )


def _reports(state: BugState, event: Event) -> dict[str, object]:
    match event:
        case bugs.ReportLinked() | bugs.ReportUpdated():
            if event.report.report_id in state.parted:
                return {}  # On its way to the bug it belongs to now.
            return {"reports": _with_report(state.reports, event.report)}
        case identity.BugAbsorbed():
            return _absorbed(state, event)
        case identity.BugMerged():
            return {"merged_into": event.into_bug_id, "waits_for": None}
        case identity.BugSplit():
            return _split(state, event)
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
            at = event.occurred_at if event.outcome == "fixed" else None
            return {"reason": event.reason, "waits_for": None, "fixed_at": at}
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
        case bugs.CommentAdded() if event.happened == "fix_merged":
            return {"is_live": True}
        case RolloutCompleted():
            changes = {"is_live": event.outcome == "live"}
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
        "fixed_at": None,
        "is_live": False,
    }


def _absorbed(state: BugState, event: identity.BugAbsorbed) -> dict[str, object]:
    reports = state.reports
    for link in event.reports:
        reports = _with_report(reports, link)
    back = {link.report_id for link in event.reports}
    parted = {report: bug for report, bug in state.parted.items() if report not in back}
    again = None if state.came_back_as == event.merged_bug_id else state.came_back_as
    changes: dict[str, object] = {"reports": reports, "parted": parted, "came_back_as": again}
    if event.fix is None or state.status is Status.FIXED:
        return changes
    names = ("branch", "commit", "url", "patch", "checks")
    return changes | {name: getattr(event.fix, name) for name in names}


def _split(state: BugState, event: identity.BugSplit) -> dict[str, object]:
    left = tuple(r for r in state.reports if r.report_id != event.report_id) or state.reports
    changes: dict[str, object] = {
        "reports": left,
        "parted": {**state.parted, event.report_id: event.new_bug_id},
    }
    if event.why == "regression":
        return changes | {"came_back_as": event.new_bug_id}
    # What was approved is work on the founder's words.
    is_same = left[0].report_id == state.founder.report_id
    return changes | {"fix_approved": state.fix_approved and is_same}


def _granted(state: BugState, event: bugs.ApprovalGranted) -> dict[str, object]:
    if event.subject == "fix":
        return {"fix_approved": True, "waits_for": None}
    return {"release_approvals": tuple(dict.fromkeys((*state.release_approvals, event.actor.id)))}


def _with_report(reports: tuple[ReportLink, ...], link: ReportLink) -> tuple[ReportLink, ...]:
    if any(known.report_id == link.report_id for known in reports):
        return tuple(link if known.report_id == link.report_id else known for known in reports)
    return (*reports, link)
