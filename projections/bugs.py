"""Where every bug stands: one row a bug, without any free text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from projections.base import Projection, Recorded
from schemas.bugs import (
    ApprovalRequested,
    BugClosed,
    BugLocated,
    BugOpened,
    FixProposed,
    FixRejected,
    FixReleased,
    FixRequested,
    FixVerified,
    LocateRequested,
    ReportLinked,
    ReportUpdated,
    RetryAccepted,
)
from schemas.event import BlobRef, BugScoped, human_id
from schemas.fixes import Verdict
from schemas.identity import BugAbsorbed, BugMerged, BugSplit
from schemas.lifecycle import Status, status_after
from schemas.reports import ReportLink, Severity, Trust

REPORTS_KEPT_MAX = 50
"""Of an alert storm the rest is counted, not listed: a row must stay small."""

_WORST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug as of now. `report` is the founding report: its title is read from there when asked."""

    bug_id: str
    human_id: str
    project: str
    status: Status
    reason: str
    """Why it waits or was closed; empty while it is worked on."""
    severity: Severity
    """The worst of its reports."""
    trust: Trust
    """Whether any of its reports is by a member."""
    report: BlobRef
    reports: tuple[ReportLink, ...]
    report_count: int
    absorbed: tuple[str, ...]
    """Ids of the bugs merged into this one."""
    merged_into: str | None
    split_from: str | None
    """Id of the bug its founding report was taken out of, by a person's word."""
    regression_of: str | None
    """Id of the fixed bug that may be back as this one."""
    attempt: int
    base_commit: str | None
    proposer: str | None
    model: str | None
    verdict: Verdict | None
    """Of the newest attempt; None until verify has spoken."""
    branch: str | None
    commit: str | None
    failures: int
    """Records of this bug that went to dead letters."""
    opened_at: datetime
    """When the founding report came in."""
    updated_at: datetime
    """When the newest event was recorded."""


def evolve(row: Bug | None, recorded: Recorded) -> Bug | None:
    """Return the bug after the event."""
    event = recorded.event
    change = _CHANGES[event.type]
    if isinstance(event, BugOpened) and row is None:
        row = _opened(event)
    if row is None:
        return None
    moved = replace(change(row, event), status=status_after(row.status, event))
    return replace(moved, updated_at=recorded.recorded_at)


def _opened(event: BugOpened) -> Bug:
    came_from = event.came_from
    by = came_from.why if came_from else None
    return Bug(
        bug_id=str(event.bug_id),
        human_id=human_id(event.bug_id, event.occurred_at.year),
        project=event.project,
        status=Status.OPEN,
        reason="",
        severity=event.report.severity,
        trust=event.report.trust,
        report=event.report.report_blob,
        reports=(event.report,),
        report_count=1,
        absorbed=(),
        merged_into=None,
        split_from=str(came_from.bug_id) if came_from and by == "split" else None,
        regression_of=str(came_from.bug_id) if came_from and by == "regression" else None,
        attempt=0,
        base_commit=None,
        proposer=None,
        model=None,
        verdict=None,
        branch=None,
        commit=None,
        failures=0,
        opened_at=event.occurred_at,
        updated_at=event.occurred_at,
    )


def _linked(row: Bug, event: ReportLinked) -> Bug:
    return _judged(row, event.report)


def _updated(row: Bug, event: ReportUpdated) -> Bug:
    is_listed = any(kept.report_id == event.report.report_id for kept in row.reports)
    if not is_listed and len(row.reports) < REPORTS_KEPT_MAX:
        return row  # It was taken out, and this was said before dedupe heard of it.
    row = _judged(row, event.report, counts=False)
    return replace(row, report=row.reports[0].report_blob)


def _absorbed(row: Bug, event: BugAbsorbed) -> Bug:
    for link in event.reports:
        row = _judged(row, link)
    absorbed = tuple(dict.fromkeys((*row.absorbed, str(event.merged_bug_id))))
    if event.fix is not None and row.status is not Status.FIXED:
        row = replace(row, branch=event.fix.branch, commit=event.fix.commit)
    return replace(row, absorbed=absorbed)


def _judged(row: Bug, link: ReportLink, *, counts: bool = True) -> Bug:
    """Take `link` in, in the place of its older version, and judge severity and trust anew."""
    full = len(row.reports) >= REPORTS_KEPT_MAX
    known = any(kept.report_id == link.report_id for kept in row.reports)
    if known:
        reports = tuple(link if k.report_id == link.report_id else k for k in row.reports)
    else:
        reports = row.reports if full else (*row.reports, link)
    severities = [kept.severity for kept in (*reports, link)]
    # What is no longer listed cannot be asked again, so from there on the worst word stays.
    severities += [row.severity] if full else []
    trusted = any(kept.trust == Trust.MEMBER for kept in (*reports, link))
    return replace(
        row,
        reports=reports,
        report_count=row.report_count + (counts and not known),
        severity=min(severities, key=_WORST_FIRST.index),
        trust=Trust.MEMBER if trusted or (full and row.trust == Trust.MEMBER) else Trust.STRANGER,
    )


def _split(row: Bug, event: BugSplit) -> Bug:
    rest = tuple(link for link in row.reports if link.report_id != event.report_id)
    row = replace(row, reports=rest or row.reports, report_count=max(1, row.report_count - 1))
    return replace(_judged(row, row.reports[0]), report=row.reports[0].report_blob)


def _merged(row: Bug, event: BugMerged) -> Bug:
    return replace(row, merged_into=str(event.into_bug_id), reason=event.reason)


def _attempted(row: Bug, event: LocateRequested | FixRequested | RetryAccepted) -> Bug:
    """Start from a clean sheet where the attempt is a new one: its outcomes are its own."""
    if event.attempt > row.attempt:
        row = replace(row, base_commit=None, proposer=None, model=None, verdict=None)
        row = replace(row, attempt=event.attempt, branch=None, commit=None)
    return replace(row, reason="")


def _working(row: Bug, event: BugScoped) -> Bug:
    del event
    return replace(row, reason="")


def _waiting(row: Bug, event: ApprovalRequested) -> Bug:
    return replace(row, reason=event.reason)


def _closed(row: Bug, event: BugClosed) -> Bug:
    return replace(row, reason=event.reason)


def _located(row: Bug, event: BugLocated) -> Bug:
    return replace(row, base_commit=event.base_commit)


def _proposed(row: Bug, event: FixProposed) -> Bug:
    return replace(
        row, base_commit=event.base_commit, proposer=event.proposer, model=event.model, verdict=None
    )


def _verified(row: Bug, event: FixVerified) -> Bug:
    del event
    return replace(row, verdict=Verdict.PASSED)


def _rejected(row: Bug, event: FixRejected) -> Bug:
    return replace(row, verdict=Verdict(event.verdict))


def _released(row: Bug, event: FixReleased) -> Bug:
    return replace(row, branch=event.branch, commit=event.commit)


def _failed(row: Bug, event: BugScoped) -> Bug:
    del event
    return replace(row, failures=row.failures + 1)


def _same(row: Bug, event: BugScoped) -> Bug:
    del event
    return row


def _of_attempt(change: Callable[[Bug, Any], Bug]) -> Callable[[Bug, Any], Bug]:
    """Let outcomes of a superseded attempt change nothing."""
    return lambda row, event: change(row, event) if event.attempt == row.attempt else row


_CHANGES: Mapping[str, Callable[[Bug, Any], Bug]] = {
    "bug.opened": _same,
    "report.linked": _linked,
    "report.updated": _updated,
    "comment.added": _same,
    "link.suggested": _same,
    "merge.requested": _same,
    "bug.merged": _merged,
    "bug.absorbed": _absorbed,
    "bug.split": _split,
    "apart.requested": _same,
    "bug.kept_apart": _same,
    "locate.requested": _attempted,
    "fix.requested": _attempted,
    "verify.requested": _working,
    "approval.requested": _waiting,
    "approval.granted": _working,
    "approval.rejected": _same,
    "retry.accepted": _attempted,
    "command.refused": _same,
    "release.requested": _working,
    "notify.requested": _same,
    "bug.closed": _closed,
    "rollout.requested": _same,
    "bug.located": _of_attempt(_located),
    "locate.declined": _same,
    "fix.proposed": _of_attempt(_proposed),
    "fix.declined": _same,
    "budget.spent": _same,
    "fix.verified": _of_attempt(_verified),
    "fix.rejected": _of_attempt(_rejected),
    "fix.released": _of_attempt(_released),
    "release.declined": _same,
    "reporter.notified": _same,
    "stage.failed": _failed,
    "rollout.started": _same,
    "rollout.promoted": _same,
    "rollout.halted": _same,
    "rollout.completed": _same,
}

BUGS = Projection(
    "bugs", Bug, per="bug", evolve=evolve, indexes=(("opened_at", "bug_id"), ("human_id",))
)
