"""The story of one bug for people: the diff, the proof, the branch, who wrote it, what happened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Self, TypeVar

from pydantic import BaseModel
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from processors.ports import Blobs
from processors.quoting import as_lines, code, one_line, prose
from projections.timeline import sentence
from schemas import bugs
from schemas.event import BlobRef, Event, human_id
from schemas.fixes import CheckResult, Proposal
from schemas.lifecycle import Status, status_after
from schemas.places import Location
from schemas.reports import BugReport
from schemas.values import ErasedError
from streams.place_words import how_far, whose

T = TypeVar("T", bound=BaseModel)
ERASED = "[erased]"
HEADING_CHARS_MAX = 56
"""Of title and outcome above a panel: what is longer would push the outcome out of 80 columns."""
PROSE_CHARS_MAX = 2_000
_WORDS = {
    Status.FIXED: "fixed",
    Status.COULD_NOT: "could not",
    Status.NOT_VERIFIED: "not verified",
    Status.WAITING_FOR_APPROVAL: "waits for approval",
}
_STYLES = {Status.FIXED: "green", Status.COULD_NOT: "red", Status.NOT_VERIFIED: "yellow"}
_VERDICTS = {"passed": "[green]passed[/]", "failed": "[red]failed[/]", "not_run": "not run"}


class Fact(NamedTuple):
    """An event, and when the log recorded it: pure steps copy the time of their cause."""

    event: Event
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of a bug, made readable. Free text comes from blobs and may be erased."""

    bug_id: str
    human_id: str
    title: str
    status: Status
    reason: str = ""
    proposal: Proposal | None = None
    checks: tuple[CheckResult, ...] = ()
    locations: tuple[Location, ...] = ()
    release: bugs.FixReleased | None = None
    spent_usd_micros: int = 0
    facts: tuple[Fact, ...] = ()

    @classmethod
    def of(cls, facts: Sequence[Fact], blobs: Blobs) -> Self | None:
        """Return the story that the facts about one bug tell; None before it was opened."""
        events = [fact.event for fact in facts]
        first = next((e for e in events if isinstance(e, bugs.BugOpened)), None)
        if first is None:
            return None
        story = cls(
            bug_id=str(first.bug_id),
            human_id=human_id(first.bug_id, first.occurred_at.year),
            title=_title(first.report.report_blob, blobs),
            status=Status.OPEN,
            facts=tuple(facts),
        )
        for event in events:
            story = story._after(event, blobs)
        return story

    def _after(self, event: Event, blobs: Blobs) -> Self:
        changes = _changes(self, event, blobs)
        return replace(self, status=status_after(self.status, event), **changes)

    @property
    def verified(self) -> bool:
        """Return whether the last patch passed everything that was checked."""
        return any(isinstance(fact.event, bugs.FixVerified) for fact in self.facts)

    @property
    def outcome(self) -> str:
        """Return how it stands, in words."""
        if self.verified and self.status in {Status.VERIFYING, Status.WAITING_FOR_APPROVAL}:
            return "verified"
        return _WORDS.get(self.status, str(self.status).replace("_", " "))

    @property
    def author(self) -> str:
        """Return who wrote the patch."""
        if self.proposal is None:
            return "nobody: there is no patch"
        if self.proposal.model:
            return f"AI: {self.proposal.model}, through {self.proposal.proposer}"
        kind = f", template {self.proposal.template!r}" if self.proposal.template else ""
        return f"AI without a model: {self.proposal.proposer}{kind}"


def _changes(story: Story, event: Event, blobs: Blobs) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    match event:
        case bugs.BugLocated():
            changes = {"locations": event.locations}
        case bugs.FixRequested():
            changes = {"proposal": None, "checks": (), "release": None}
        case bugs.FixProposed():
            changes = {"proposal": _read(event.patch, Proposal, blobs)}
        case bugs.FixVerified() | bugs.FixRejected():
            changes = {"checks": event.checks}
        case bugs.FixReleased():
            changes = {"release": event}
        case bugs.BudgetSpent():
            changes = {"spent_usd_micros": story.spent_usd_micros + event.cost_usd_micros}
        case bugs.BugClosed():
            changes = {"reason": event.reason}
        case _:
            pass
    return changes


def panel(story: Story) -> RenderableType:
    """Return everything about the bug for a terminal."""
    parts: list[RenderableType] = []
    if story.reason:
        parts.append(_shown(story.reason))
    if story.proposal is not None:
        parts.append(
            Syntax(
                as_lines(story.proposal.diff.rstrip()),
                "diff",
                background_color="default",
                word_wrap=True,
            )
        )
    elif story.locations:
        parts.append(_places(story.locations))
    if story.checks:
        parts.append(checks_table(story.checks))
    if story.proposal is not None:
        facts = [f"Written by {story.author}"]
        if story.release is not None:
            facts.append(f"Branch {story.release.branch}, commit {story.release.commit[:12]}")
            facts.append(f"Agent Trace record {story.release.trace_id}")
        parts.append(Text(as_lines("\n".join(facts))))
    parts.append(timeline(story.facts))
    shown = one_line(story.title, chars_max=HEADING_CHARS_MAX - len(story.outcome))
    title = Text(f"{story.human_id}  {shown}  ")
    title.append(story.outcome, style=_STYLES.get(story.status, "bold"))
    return Panel(Group(*_spaced(parts)), title=title, title_align="left")


def checks_table(checks: Iterable[CheckResult]) -> Table:
    """Return the verification table."""
    table = Table("check", "verdict", "runs", "what was seen", box=None, pad_edge=False)
    for check in checks:
        verdict = _VERDICTS[check.verdict]
        table.add_row(_shown(check.name), verdict, str(check.runs), _shown(check.summary))
    return table


def timeline(facts: Iterable[Fact]) -> Table:
    """Return what happened, one line an event."""
    table = Table("when", "who", "what", box=None, pad_edge=False, show_header=False)
    for fact in facts:
        when = fact.recorded_at.strftime("%H:%M:%S")
        who = _shown(fact.event.actor.id)
        who.stylize("dim")
        table.add_row(when, who, _shown(sentence(fact.event)))
    return table


def markdown(story: Story) -> str:
    """Return the story as a Markdown report."""
    lines = [f"# {story.human_id}: {_plain(story.title)}", "", f"**{story.outcome}**"]
    if story.reason:
        lines.append(f"\n{_plain(story.reason)}")
    if story.proposal is not None:
        lines += ["", "## Patch", "", *_fenced(story.proposal.diff.rstrip(), "diff")]
        lines += ["", f"Written by {story.author}. {_plain(story.proposal.explanation)}"]
    elif story.locations:
        lines += ["", "## Where we looked", ""]
        lines += [f"* {code(_place(p))}: {_plain(', '.join(p.reasons))}" for p in story.locations]
    if story.checks:
        lines += ["", "## Verification", "", "| check | verdict | runs | what was seen |"]
        lines += ["|---|---|---|---|"]
        lines += [
            f"| {c.name} | {str(c.verdict).replace('_', ' ')} | {c.runs} | {_plain(c.summary)} |"
            for c in story.checks
        ]
    lines += ["", "## Timeline", ""]
    lines += [
        f"* {f.recorded_at:%H:%M:%S} {f.event.actor.id}: {_plain(sentence(f.event))}"
        for f in story.facts
    ]
    return "\n".join(lines) + "\n"


def as_dict(story: Story) -> dict[str, Any]:
    """Return the story for a program."""
    return {
        "bug_id": story.bug_id,
        "human_id": story.human_id,
        "title": story.title,
        "status": str(story.status),
        "outcome": story.outcome,
        "verified": story.verified,
        "reason": story.reason,
        "author": story.author,
        "diff": story.proposal.diff if story.proposal else None,
        "checks": [check.model_dump(mode="json") for check in story.checks],
        "locations": [place.model_dump(mode="json") for place in story.locations],
        "branch": story.release.branch if story.release else None,
        "commit": story.release.commit if story.release else None,
        "spent_usd_micros": story.spent_usd_micros,
        "timeline": [
            {
                "at": fact.recorded_at.isoformat(),
                "who": fact.event.actor.id,
                "type": fact.event.type,
                "what": sentence(fact.event),
            }
            for fact in story.facts
        ],
    }


def _places(locations: Iterable[Location]) -> Table:
    table = Table("where we looked", "why", box=None, pad_edge=False)
    for place in locations:
        told = (*place.reasons, whose(place.owner), how_far(place.impact))
        table.add_row(_shown(_place(place)), _shown(", ".join(each for each in told if each)))
    return table


def _place(place: Location) -> str:
    line = f":{place.line_start}" if place.line_start else ""
    return f"{place.path}{line}" + (f" {place.symbol}" if place.symbol else "")


def _spaced(parts: Sequence[RenderableType]) -> Iterable[RenderableType]:
    for number, part in enumerate(parts):
        if number:
            yield ""
        yield part


def _shown(text: str) -> Text:
    """Return `text` on one line for a terminal: as text, never as markup or escape sequence."""
    return Text(one_line(text, chars_max=PROSE_CHARS_MAX))


def _plain(text: str) -> str:
    return prose(text, chars_max=PROSE_CHARS_MAX)


def _fenced(text: str, language: str) -> tuple[str, ...]:
    """Return `text` as a code block that nothing in it can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}", text, fence


def _title(ref: BlobRef, blobs: Blobs) -> str:
    report = _read(ref, BugReport, blobs)
    return report.title if report is not None else ERASED


def _read(ref: BlobRef, model: type[T], blobs: Blobs) -> T | None:
    try:
        return model.model_validate_json(blobs.get(ref))
    except ErasedError:
        return None
