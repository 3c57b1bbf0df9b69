"""The life of a bug: every fact about it, from the first report to the answer.

Keyed by bug id and kept for ever, so no free text and no personal data stand here: those are blobs.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.event import BlobRef, BugScoped
from schemas.fixes import CheckResult, OracleKind
from schemas.identity import CameFrom, IdentityEvent
from schemas.places import Location
from schemas.raw import Origin
from schemas.reports import Happened, ReportLink, Trust
from schemas.rollouts import RolloutEvent
from schemas.tell import Audience, Moment

USD_MICROS = 1_000_000
"""Money is counted in whole millionths of a US dollar: sums stay exact."""


# --- dedupe ---


class BugOpened(BugScoped):
    """A report that matches no known bug founded a new one."""

    type: Literal["bug.opened"] = "bug.opened"
    report: ReportLink
    fingerprints: tuple[str, ...] = ()
    came_from: CameFrom | None = None
    """The bug that its report was taken out of; None: the report is new."""


class ReportLinked(BugScoped):
    """Another report of a known bug. A merge is this link, and it can be taken back."""

    type: Literal["report.linked"] = "report.linked"
    report: ReportLink
    rule: str
    similarity: float = Field(ge=0, le=1)
    matched_report_id: UUID
    evidence: tuple[str, ...] = ()
    scores: dict[str, float] = Field(default_factory=dict)
    """By signal: meaning, words, letters. None of them decides."""
    model: str = ""
    """What the vectors were made by; empty: a person said so."""


class ReportUpdated(BugScoped):
    """A known report was edited or delivered again with other content."""

    type: Literal["report.updated"] = "report.updated"
    report: ReportLink


class CommentAdded(BugScoped):
    """Somebody commented on one of the bug's reports."""

    type: Literal["comment.added"] = "comment.added"
    report_id: UUID
    comment_blob: BlobRef
    trust: Trust
    note: str = ""
    """What happened, in a sentence of ours: of its pull request, its checks, its item."""
    happened: Happened | None = None


class LinkSuggested(BugScoped):
    """Perhaps the same as another bug; a person decides."""

    type: Literal["link.suggested"] = "link.suggested"
    other_bug_id: UUID
    similarity: float = Field(ge=0, le=1)
    evidence: tuple[str, ...] = ()
    rule: str = "similar"
    vetoes: tuple[str, ...] = ()
    """Why they were not merged by themselves, beside being merely alike."""
    scores: dict[str, float] = Field(default_factory=dict)
    model: str = ""
    matched_report_id: UUID | None = None
    probability: float | None = Field(default=None, ge=0, le=1)
    """That a person confirms it, by what people said before; None: uncalibrated."""


# --- lifecycle ---


class LocateRequested(BugScoped):
    """Locate is asked where the fault is."""

    type: Literal["locate.requested"] = "locate.requested"
    attempt: int
    report: ReportLink
    others: tuple[ReportLink, ...] = ()
    """Reports of members about the same bug: what they say counts as well."""


class FixRequested(BugScoped):
    """Fix is asked for a patch, within a budget."""

    type: Literal["fix.requested"] = "fix.requested"
    attempt: int
    report: ReportLink
    others: tuple[ReportLink, ...] = ()
    base_commit: str
    locations: tuple[Location, ...] = ()
    budget_usd_micros: int
    feedback: BlobRef | None = None
    """What verification said of the attempt before."""


class VerifyRequested(BugScoped):
    """Verify is asked to judge a proposed patch."""

    type: Literal["verify.requested"] = "verify.requested"
    attempt: int
    base_commit: str
    patch: BlobRef
    """JSON of a `Proposal`."""


class ApprovalRequested(BugScoped):
    """A person has to decide before the bug moves on."""

    type: Literal["approval.requested"] = "approval.requested"
    attempt: int
    subject: Literal["fix", "release"]
    reason: str
    approvals_needed: int = 1


class ApprovalGranted(BugScoped):
    """A person said yes."""

    type: Literal["approval.granted"] = "approval.granted"
    attempt: int
    subject: Literal["fix", "release"]
    note: BlobRef | None = None


class ApprovalRejected(BugScoped):
    """A person said no."""

    type: Literal["approval.rejected"] = "approval.rejected"
    attempt: int
    subject: Literal["fix", "release"]
    note: BlobRef | None = None


class RetryAccepted(BugScoped):
    """A person asked for another attempt."""

    type: Literal["retry.accepted"] = "retry.accepted"
    attempt: int


class CommandRefused(BugScoped):
    """A command could not be carried out in the state the bug was in."""

    type: Literal["command.refused"] = "command.refused"
    command: str
    reason: str


class ReleaseRequested(BugScoped):
    """Release is asked to put a verified patch on a branch."""

    type: Literal["release.requested"] = "release.requested"
    attempt: int
    base_commit: str
    patch: BlobRef
    verification: UUID
    """Event id of the `fix.verified` it rests on."""
    name: str
    """What people call the bug, `BUG-2026-7F3K2`: its year is that of its opening, for ever."""
    checks: tuple[CheckResult, ...] = ()
    """What that verification saw, for the people who are offered the patch."""
    reports: tuple[Origin, ...] = ()
    """The first reports of the bug, for the same people."""


class NotifyRequested(BugScoped):
    """Notify is asked to answer one report where it came from."""

    type: Literal["notify.requested"] = "notify.requested"
    attempt: int
    name: str
    origin: Origin
    """The report; it is answered there, unless others are told of it."""
    outcome: Moment
    audience: Audience = "reporter"
    reason: str
    branch: str | None = None
    commit: str | None = None
    url: str | None = None
    """Of the pull request."""
    checks: tuple[CheckResult, ...] = ()
    locations: tuple[Location, ...] = ()
    patch: BlobRef | None = None
    """JSON of the released `Proposal`, so that the answer can say who wrote the lines."""
    report: BlobRef | None = None
    """The founding report, where its assignee is to be told."""


class BugClosed(BugScoped):
    """The work on the bug has ended; a new report or a retry opens it again."""

    type: Literal["bug.closed"] = "bug.closed"
    attempt: int
    outcome: Literal["fixed", "could_not", "not_verified", "abandoned", "rejected"]
    reason: str


# --- the stages that work ---


class BugLocated(BugScoped):
    """Where the fault may be, best first, at a pinned commit."""

    type: Literal["bug.located"] = "bug.located"
    attempt: int
    base_commit: str
    locations: tuple[Location, ...]
    method: str


class LocateDeclined(BugScoped):
    """Nothing can be located: no repository, or no place fits."""

    type: Literal["locate.declined"] = "locate.declined"
    attempt: int
    reason: str


class FixProposed(BugScoped):
    """A patch was written. It proves nothing until verify has run."""

    type: Literal["fix.proposed"] = "fix.proposed"
    attempt: int
    base_commit: str
    patch: BlobRef
    """JSON of a `Proposal`."""
    proposer: str
    model: str | None = None
    oracle: OracleKind | None = None
    files: tuple[str, ...]
    cost_usd_micros: int = 0
    candidates_tried: int = 0


class FixDeclined(BugScoped):
    """No patch was written, and trying again with the same input would not help."""

    type: Literal["fix.declined"] = "fix.declined"
    attempt: int
    outcome: Literal["could_not", "not_verified"]
    reason: str
    detail: BlobRef | None = None
    cost_usd_micros: int = 0
    candidates_tried: int = 0


class BudgetSpent(BugScoped):
    """A copy of the ledger: what one paid call cost."""

    type: Literal["budget.spent"] = "budget.spent"
    attempt: int
    effect_key: UUID
    model: str
    cost_usd_micros: int
    tokens_in: int = 0
    tokens_out: int = 0


class FixVerified(BugScoped):
    """Red before, green after, and nothing that worked broke."""

    type: Literal["fix.verified"] = "fix.verified"
    attempt: int
    base_commit: str
    patch: BlobRef
    checks: tuple[CheckResult, ...]


class FixRejected(BugScoped):
    """The patch did not pass (`failed`), or nothing could show that it does (`not_run`)."""

    type: Literal["fix.rejected"] = "fix.rejected"
    attempt: int
    verdict: Literal["failed", "not_run"]
    reason: str
    checks: tuple[CheckResult, ...]
    feedback: BlobRef | None = None


class FixReleased(BugScoped):
    """The patch is a commit on a branch of the target's remote."""

    type: Literal["fix.released"] = "fix.released"
    attempt: int
    branch: str
    commit: str
    remote: str
    trace_id: UUID
    """Id of the Agent Trace record in `refs/notes/agent-trace`."""
    url: str | None = None
    """Of the pull request; None: there is none."""
    note: str | None = None
    """What else was wanted on the other side and refused, in a sentence."""


class ReleaseDeclined(BugScoped):
    """The branch could not be made: the remote refuses, or the base has moved under the patch."""

    type: Literal["release.declined"] = "release.declined"
    attempt: int
    reason: str


class ReporterNotified(BugScoped):
    """The answer was accepted where the report came from."""

    type: Literal["reporter.notified"] = "reporter.notified"
    attempt: int
    origin: Origin
    """The report it is about. Where others were told stands in no event: addresses are personal."""
    outcome: str
    audience: Audience = "reporter"
    receipt: str
    """The other side's id of the comment or message."""
    shown: str | None = None
    """What else the item shows since then, such as a label; None: nothing."""


class StageFailed(BugScoped):
    """A record of this bug went to the dead letters of a stage: no bug stops in silence."""

    type: Literal["stage.failed"] = "stage.failed"
    stage: str
    error: str
    """The kind of error, never its text, which may quote a report."""
    dead_letter: str
    """`topic/partition/offset` of the record that failed."""


BugEvent = Annotated[
    BugOpened
    | ReportLinked
    | ReportUpdated
    | CommentAdded
    | LinkSuggested
    | LocateRequested
    | FixRequested
    | VerifyRequested
    | ApprovalRequested
    | ApprovalGranted
    | ApprovalRejected
    | RetryAccepted
    | CommandRefused
    | ReleaseRequested
    | NotifyRequested
    | BugClosed
    | BugLocated
    | LocateDeclined
    | FixProposed
    | FixDeclined
    | BudgetSpent
    | FixVerified
    | FixRejected
    | FixReleased
    | ReleaseDeclined
    | ReporterNotified
    | StageFailed
    | RolloutEvent
    | IdentityEvent,
    Field(discriminator="type"),
]
