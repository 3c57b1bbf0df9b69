"""Where a bug stands after each event: the one table that lifecycle and the views both go by."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from schemas.bugs import BugClosed
from schemas.event import Event


class Status(StrEnum):
    """Where a bug stands."""

    OPEN = "open"
    LOCATING = "locating"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    FIXING = "fixing"
    VERIFYING = "verifying"
    RELEASING = "releasing"
    FIXED = "fixed"
    COULD_NOT = "could_not"
    NOT_VERIFIED = "not_verified"
    ABANDONED = "abandoned"
    REJECTED = "rejected"
    MERGED = "merged"


CLOSED = frozenset(
    {
        Status.FIXED,
        Status.COULD_NOT,
        Status.NOT_VERIFIED,
        Status.ABANDONED,
        Status.REJECTED,
        Status.MERGED,
    }
)
"""No stage works on the bug; a retry or a new report may open it again, except after a merge."""

UNCHANGED: Final = "unchanged"
OUTCOME: Final = "outcome"
"""The status has the name of the event's `outcome`."""

# Only lifecycle moves a bug on: what other stages report changes nothing by itself, so an outcome
# of a superseded attempt, however late, moves no bug.
STATUS_AFTER: Mapping[str, Status | str] = {
    "bug.opened": Status.OPEN,
    "report.linked": UNCHANGED,
    "report.updated": UNCHANGED,
    "comment.added": UNCHANGED,
    "link.suggested": UNCHANGED,
    "merge.requested": UNCHANGED,
    "bug.merged": Status.MERGED,
    "bug.absorbed": UNCHANGED,
    "bug.split": UNCHANGED,
    "apart.requested": UNCHANGED,
    "bug.kept_apart": UNCHANGED,
    "locate.requested": Status.LOCATING,
    "fix.requested": Status.FIXING,
    "verify.requested": Status.VERIFYING,
    "approval.requested": Status.WAITING_FOR_APPROVAL,
    "approval.granted": UNCHANGED,
    "approval.rejected": UNCHANGED,
    "retry.accepted": Status.OPEN,
    "command.refused": UNCHANGED,
    "release.requested": Status.RELEASING,
    "notify.requested": UNCHANGED,
    "bug.closed": OUTCOME,
    "rollout.requested": UNCHANGED,
    "bug.located": UNCHANGED,
    "locate.declined": UNCHANGED,
    "fix.proposed": UNCHANGED,
    "fix.declined": UNCHANGED,
    "budget.spent": UNCHANGED,
    "fix.verified": UNCHANGED,
    "fix.rejected": UNCHANGED,
    "fix.released": UNCHANGED,
    "release.declined": UNCHANGED,
    "reporter.notified": UNCHANGED,
    "stage.failed": UNCHANGED,
    "rollout.started": UNCHANGED,
    "rollout.promoted": UNCHANGED,
    "rollout.halted": UNCHANGED,
    "rollout.completed": UNCHANGED,
}


def status_after(before: Status, event: Event) -> Status:
    """Return where the bug stands after `event`. A type missing from the table is a KeyError."""
    after = STATUS_AFTER[event.type]
    if after == UNCHANGED:
        return before
    if isinstance(event, BugClosed):
        return Status(event.outcome)
    return Status(after)
