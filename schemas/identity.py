"""Which bug is which: merged, taken in, taken out, kept apart. Facts of the bugs' own topic."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from schemas.event import BlobRef, BugScoped, Model
from schemas.fixes import CheckResult
from schemas.reports import ReportLink

Parting = Literal["split", "regression"]
"""A person said that it is another fault, or it came after the fault was mended."""


class CameFrom(Model):
    """The bug that a report belonged to before it founded one of its own."""

    bug_id: UUID
    name: str
    why: Parting


class TakenFix(Model):
    """The released fix of a bug that is merged into one without any."""

    name: str
    """Of the bug that it was made for."""
    branch: str
    commit: str
    url: str | None = None
    patch: BlobRef | None = None
    checks: tuple[CheckResult, ...] = ()


class MergeRequested(BugScoped):
    """A person wants this bug and another one to be one. Said at the other one, decided here.

    The project is that of the other one.
    """

    type: Literal["merge.requested"] = "merge.requested"
    other_bug_id: UUID
    other_opened_at: AwareDatetime
    note: BlobRef | None = None


class BugMerged(BugScoped):
    """This bug is another one. Its history stays, its open work is cancelled."""

    type: Literal["bug.merged"] = "bug.merged"
    into_bug_id: UUID
    reason: str
    note: BlobRef | None = None


class BugAbsorbed(BugScoped):
    """Another bug was merged into this one. With many reports it is said in parts."""

    type: Literal["bug.absorbed"] = "bug.absorbed"
    merged_bug_id: UUID
    reports: tuple[ReportLink, ...] = ()
    fix: TakenFix | None = None


class BugSplit(BugScoped):
    """A report was taken out of this bug, into one that it founds or that others founded so."""

    type: Literal["bug.split"] = "bug.split"
    report_id: UUID
    new_bug_id: UUID
    reason: str
    why: Parting = "split"
    note: BlobRef | None = None


class ApartRequested(BugScoped):
    """A person wants this bug and another one to stay two. Said at the other one, decided here.

    The project is that of the other one.
    """

    type: Literal["apart.requested"] = "apart.requested"
    other_bug_id: UUID
    other_report_id: UUID
    """The report that founded the other one."""
    note: BlobRef | None = None


class BugsKeptApart(BugScoped):
    """This bug and another one are two faults. Said in the life of both."""

    type: Literal["bug.kept_apart"] = "bug.kept_apart"
    other_bug_id: UUID
    reason: str
    note: BlobRef | None = None


IdentityEvent = MergeRequested | BugMerged | BugAbsorbed | BugSplit | ApartRequested | BugsKeptApart
