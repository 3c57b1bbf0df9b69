"""What people, timers and tools ask of a bug. A command may be refused; it is never an order."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.event import BlobRef, BugScoped


class ApproveBug(BugScoped):
    """Let the bug go on from where it waits for a person."""

    type: Literal["bug.approve"] = "bug.approve"
    note: BlobRef | None = None


class RejectBug(BugScoped):
    """Say no to what is waiting, and end the attempt."""

    type: Literal["bug.reject"] = "bug.reject"
    note: BlobRef | None = None


class RetryBug(BugScoped):
    """Start another attempt."""

    type: Literal["bug.retry"] = "bug.retry"


class AbandonBug(BugScoped):
    """Stop all work on the bug."""

    type: Literal["bug.abandon"] = "bug.abandon"
    note: BlobRef | None = None


class MergeBugs(BugScoped):
    """Make this bug and another one of its project one; the older of the two stays."""

    type: Literal["bug.merge"] = "bug.merge"
    other_bug_id: UUID
    note: BlobRef | None = None


class SplitReport(BugScoped):
    """Take a report out of the bug: it is another fault."""

    type: Literal["bug.split_report"] = "bug.split_report"
    report_id: UUID
    note: BlobRef | None = None


class KeepApart(BugScoped):
    """Say that this bug and another one of its project are two faults, however alike they look."""

    type: Literal["bug.keep_apart"] = "bug.keep_apart"
    other_bug_id: UUID
    note: BlobRef | None = None


COMMANDS = (ApproveBug, RejectBug, RetryBug, AbandonBug, MergeBugs, SplitReport, KeepApart)
BugCommand = Annotated[
    ApproveBug | RejectBug | RetryBug | AbandonBug | MergeBugs | SplitReport | KeepApart,
    Field(discriminator="type"),
]
