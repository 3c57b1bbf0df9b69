"""What happened to every bug, in order: one row an event, with a plain sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projections.base import Projection, Recorded
from schemas.bugs import (
    USD_MICROS,
    BudgetSpent,
    BugLocated,
    BugOpened,
    CommentAdded,
    FixDeclined,
    FixProposed,
    FixReleased,
    FixVerified,
    LinkSuggested,
    ReportLinked,
)
from schemas.event import human_id
from schemas.fixes import CheckResult, Verdict
from schemas.identity import BugAbsorbed
from schemas.likeness import why
from schemas.places import Location


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a bug's life, as people read it."""

    bug_id: str
    position: int
    """Offset in the bug's partition: larger is later."""
    event_id: str
    type: str
    actor: str
    """`kind:id`; a person's id is a subject id, never a name."""
    occurred_at: datetime
    recorded_at: datetime
    causation_id: str | None
    sentence: str


def evolve(row: Moment | None, recorded: Recorded) -> Moment:
    """Return the row of the event."""
    del row
    event = recorded.event
    return Moment(
        bug_id=str(event.bug_id),
        position=recorded.offset,
        event_id=str(event.event_id),
        type=event.type,
        actor=f"{event.actor.kind}:{event.actor.id}",
        occurred_at=event.occurred_at,
        recorded_at=recorded.recorded_at,
        causation_id=str(event.causation_id) if event.causation_id else None,
        sentence=sentence(event),
    )


def sentence(event: Any) -> str:
    """Return what happened in plain words. Made from the event alone; holds no report's text."""
    wording = _SENTENCES[event.type]
    return wording.format(e=event) if isinstance(wording, str) else wording(event)


def usd(micros: int) -> str:
    """Return an amount of money as people write it."""
    return f"${micros / USD_MICROS:.4f}"


def counted(number: int, noun: str) -> str:
    """Return such as `1 bug` and `2 bugs`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _absorbed(event: BugAbsorbed) -> str:
    fixed = f"; it was fixed on branch {event.fix.branch}" if event.fix else ""
    reports = counted(len(event.reports), "report")
    return f"Took in bug {event.merged_bug_id} with {reports}{fixed}."


def _opened(event: BugOpened) -> str:
    came_from = event.came_from
    how = f", taken out of {came_from.name} ({came_from.why})" if came_from else ""
    return f"Opened by the report {event.report.origin.key} of a {event.report.trust}{how}."


def _linked(event: ReportLinked) -> str:
    because = why(
        event.rule,
        merged=True,
        evidence=event.evidence,
        scores={},  # A merge rests on its rule; the scores stand in the event.
        similarity=event.similarity,
    )
    return f"Linked the report {event.report.origin.key}. {because}"


def _suggested(event: LinkSuggested) -> str:
    because = why(
        event.rule,
        merged=False,
        evidence=event.evidence,
        vetoes=event.vetoes,
        scores=event.scores,
        similarity=event.similarity,
        probability=event.probability,
    )
    name, other = human_id(event.bug_id, event.occurred_at.year), event.other_bug_id
    return (
        f"Perhaps the same as bug {other}. {because} If it is: `bugstream bug merge {name} --into"
        f" {other}`; if it is not: `bugstream bug keep-apart {name} --from {other}`."
    )


def _place(location: Location) -> str:
    line = f":{location.line_start}" if location.line_start else ""
    return location.path + line + (f" ({location.symbol})" if location.symbol else "")


def _located(event: BugLocated) -> str:
    if not event.locations:
        return f"Found no place to look at, by {event.method}."
    best, places = _place(event.locations[0]), counted(len(event.locations), "place")
    return f"Found {places} by {event.method}, first {best}."


def _commented(event: CommentAdded) -> str:
    return event.note or f"A {event.trust} commented on a report."


def _proposed(event: FixProposed) -> str:
    who = event.proposer + (f" with {event.model}" if event.model else "")
    tried = counted(event.candidates_tried, "candidate")
    return f"Attempt {event.attempt}: {who} proposed a patch to {', '.join(event.files)} ({tried})."


def _declined(event: FixDeclined) -> str:
    tried = counted(event.candidates_tried, "candidate")
    return f"Attempt {event.attempt}: no patch after {tried}: {event.reason}"


def _spent(event: BudgetSpent) -> str:
    tokens = event.tokens_in + event.tokens_out
    return f"Paid {usd(event.cost_usd_micros)} for a call of {event.model} ({tokens} tokens)."


def _verified(event: FixVerified) -> str:
    return f"Attempt {event.attempt}: the patch passed {_checks(event.checks)}."


def _released(event: FixReleased) -> str:
    pushed = f"Attempt {event.attempt}: pushed {event.commit:.12} to the branch {event.branch}"
    offered = f", offered at {event.url}" if event.url else ""
    return f"{pushed}{offered}." + (f" {event.note}" if event.note else "")


def _checks(checks: tuple[CheckResult, ...]) -> str:
    passed = sum(check.verdict == Verdict.PASSED for check in checks)
    left_out = sum(check.verdict == Verdict.NOT_RUN for check in checks)
    not_run = f", {left_out} not run" if left_out else ""
    return f"{passed} of {counted(len(checks), 'check')}{not_run}"


_SENTENCES: Mapping[str, str | Callable[[Any], str]] = {
    "bug.opened": _opened,
    "report.linked": _linked,
    "report.updated": "The report {e.report.origin.key} was edited.",
    "comment.added": _commented,
    "link.suggested": _suggested,
    "merge.requested": "Asked to be one with bug {e.other_bug_id}.",
    "bug.merged": "Merged into bug {e.into_bug_id}: {e.reason}",
    "bug.absorbed": _absorbed,
    "bug.split": "A report was taken out, into bug {e.new_bug_id}: {e.reason}",
    "apart.requested": "Asked to be kept apart from bug {e.other_bug_id}.",
    "bug.kept_apart": "Kept apart from bug {e.other_bug_id}: {e.reason}",
    "locate.requested": "Asked where the fault is.",
    "fix.requested": "Attempt {e.attempt}: asked for a fix.",
    "verify.requested": "Attempt {e.attempt}: asked to verify the patch.",
    "approval.requested": "Waits for {e.approvals_needed} approval of the {e.subject}: {e.reason}",
    "approval.granted": "The {e.subject} was approved.",
    "approval.rejected": "The {e.subject} was rejected.",
    "retry.accepted": "Attempt {e.attempt} was asked for.",
    "command.refused": "The command {e.command} was refused: {e.reason}",
    "release.requested": "Attempt {e.attempt}: asked to release the verified patch.",
    "notify.requested": "Asked to tell the {e.audience} of {e.origin.key}: {e.outcome}.",
    "bug.closed": "Closed as {e.outcome}: {e.reason}",
    "rollout.requested": "Asked for a {e.strategy} rollout of {e.commit}.",
    "bug.located": _located,
    "locate.declined": "Could not look for the fault: {e.reason}",
    "fix.proposed": _proposed,
    "fix.declined": _declined,
    "budget.spent": _spent,
    "fix.verified": _verified,
    "fix.rejected": "Attempt {e.attempt}: verification says {e.verdict}: {e.reason}",
    "fix.released": _released,
    "release.declined": "Attempt {e.attempt}: not released: {e.reason}",
    "reporter.notified": "Told the {e.audience} of {e.origin.key}: {e.outcome}.",
    "stage.failed": "The stage {e.stage} failed ({e.error}); the record is in {e.dead_letter}.",
    "rollout.started": "The rollout began at {e.share_percent} %.",
    "rollout.promoted": "The rollout went on to {e.share_percent} %.",
    "rollout.halted": "The rollout was halted: {e.reason}",
    "rollout.completed": "The rollout ended: {e.outcome}.",
}

TIMELINE = Projection("timeline", Moment, per="event", evolve=evolve)
