"""What dedupe has to know of people's word and of moved bugs: `bugs.links.v1`, by project.

Lifecycle decides about bugs and dedupe about reports; this is how the one tells the other.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from schemas.event import Event
from schemas.reports import ReportLink


class ReportsJoined(Event):
    """A person said that two reports are of one fault: must-link. One bug took the other in."""

    type: Literal["reports.joined"] = "reports.joined"
    report_ids: tuple[UUID, UUID]
    """The smaller one first."""
    merged_bug_id: UUID
    into_bug_id: UUID


class ReportsParted(Event):
    """A person said that two reports are of different faults: cannot-link."""

    type: Literal["reports.parted"] = "reports.parted"
    report_ids: tuple[UUID, UUID]
    """The smaller one first."""


class ReportMoved(Event):
    """A report belongs to another bug from now on; dedupe says so there."""

    type: Literal["report.moved"] = "report.moved"
    report: ReportLink
    from_bug_id: UUID
    from_name: str
    to_bug_id: UUID
    beside_report_id: UUID
    """A report of the bug it goes to, or, where it founds that one, of the bug it leaves."""
    why: Literal["split", "regression", "merged"]
    founds: bool = False
    is_edit: bool = False
    """It is there already, and was edited."""


LINKS = (ReportsJoined, ReportsParted, ReportMoved)
LinkEvent = ReportsJoined | ReportsParted | ReportMoved


def pair(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """Return both, the smaller one first: a pair has one key, whichever is named first."""
    return (one, other) if one < other else (other, one)


def key_of(event: LinkEvent) -> str:
    """Return the key: a pair of reports, of which the last word counts, or a report and its way."""
    match event:
        case ReportsJoined() | ReportsParted():
            return "/".join(str(one) for one in event.report_ids)
        case ReportMoved():
            way = (event.report.report_id, event.from_bug_id, event.to_bug_id)
            return "/".join(str(one) for one in way)
