"""What people, timers and tools ask of a bug. A command may be refused; it is never an order."""

from __future__ import annotations

from typing import Annotated, Literal

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


COMMANDS = (ApproveBug, RejectBug, RetryBug, AbandonBug)
BugCommand = Annotated[ApproveBug | RejectBug | RetryBug | AbandonBug, Field(discriminator="type")]
