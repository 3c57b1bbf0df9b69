"""The standard bug report: one shape for every channel. Written by normalize, read by dedupe."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from schemas.event import BlobRef, Event, Model, Sha256
from schemas.raw import Origin

NOTE_CHARS_MAX = 200
Happened = Literal["fix_merged"]
"""What of a note changes how its bug is looked at: our fix is in the project's own branch."""
UNASSIGNED = "unassigned"
"""The project of reports that settings map to none: triaged, never dropped, never fixed."""


class Severity(StrEnum):
    """How bad it is. `unknown` is an answer; a guess dressed up as one is not."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


PRIORITY_OF = {
    Severity.CRITICAL: 1,
    Severity.HIGH: 2,
    Severity.MEDIUM: 3,
    Severity.LOW: 4,
    Severity.UNKNOWN: 5,
}


class Trust(StrEnum):
    """Whether the reporter belongs to the project: a stranger's report waits for a person."""

    MEMBER = "member"
    STRANGER = "stranger"


class Frame(Model):
    """One line of a stack trace, as printed."""

    path: str
    line: int | None = None
    function: str = ""
    code: str = ""


class StackTrace(Model):
    """One exception with its frames, outermost call first."""

    language: str
    exception: str
    message: str = ""
    frames: tuple[Frame, ...] = ()
    role: Literal["raised", "cause", "context", "suppressed", "member"] = "raised"
    """What it was to the exception the program died of ("raised"): what that one says it comes
    from, what was being handled meanwhile, what was put aside, one of the group it is."""


class Snippet(Model):
    """A piece of code quoted in a report. Data: it only ever runs inside the sandbox."""

    language: str
    code: str


class BugReport(Model):
    """The standard bug event: what a report says, whatever channel it came through."""

    report_id: UUID
    origin: Origin
    title: str
    description: str = ""
    severity: Severity = Severity.UNKNOWN
    severity_reason: str = ""
    priority: int = Field(default=5, ge=1, le=5)
    status: Literal["open", "closed"] = "open"
    reproduction_steps: tuple[str, ...] = ()
    expected: str = ""
    actual: str = ""
    environment: dict[str, str] = Field(default_factory=dict)
    file: str | None = None
    line: int | None = None
    commit: str | None = None
    attachments: tuple[str, ...] = ()
    error_log: str = ""
    stack_traces: tuple[StackTrace, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    reporter: str = ""
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    metadata: dict[str, str] = Field(default_factory=dict)
    """What else is known, such as `version`, and in `hidden` what people would not have seen."""
    truncated: bool = False
    """Whether texts were cut to fit an event; the blob holds them whole."""


class ReportLink(Model):
    """A report as a bug knows it: where it came from, and its text as a blob."""

    report_id: UUID
    origin: Origin
    report_blob: BlobRef
    reporter: str
    """Subject id, not a name."""
    trust: Trust
    severity: Severity
    content_sha256: str


class ReportNormalized(Event):
    """A delivery was understood as a bug report, new or edited."""

    type: Literal["report.normalized"] = "report.normalized"
    report: BugReport
    """Texts may be cut (`report.truncated`); `report_blob` holds the whole."""
    report_blob: BlobRef
    """JSON of a `BugReport`, encrypted for the reporter."""
    trust: Trust
    trust_reason: str
    project_reason: str
    """Which rule of the settings mapped it to its project."""
    content_sha256: Sha256
    """Of the meaning (title and texts), so that an edit that changes nothing is seen as such."""


class ReportCommented(Event):
    """Somebody commented on a report's item. Kept with the bug; decides nothing by itself."""

    type: Literal["report.commented"] = "report.commented"
    report_id: UUID
    origin: Origin
    comment_blob: BlobRef
    trust: Trust
    note: str = Field(default="", max_length=NOTE_CHARS_MAX)
    """What happened, in a sentence of ours, where nobody's words are the news."""
    happened: Happened | None = None
    bug_name: str | None = None
    """The bug it belongs to, where the item is no report: a pull request of ours, a check."""


ReportEvent = ReportNormalized | ReportCommented
