"""What was done to the world for every bug: pushes, answers, paid calls, rollouts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from projections.base import Projection, Recorded, pass_over
from schemas.bugs import BudgetSpent, FixReleased, ReporterNotified
from schemas.rollouts import RolloutCompleted, RolloutHalted, RolloutPromoted, RolloutStarted

Kind = Literal["model.call", "git.push", "message.post", "rollout"]


@dataclass(frozen=True, slots=True)
class WorldEffect:
    """One thing done to the world."""

    bug_id: str
    position: int
    event_id: str
    kind: str
    attempt: int
    target: str
    """Whom it touched: the model, the remote and branch, the item answered, the rollout."""
    receipt: str
    """How the other side can be asked about it: a commit, a message id, the idempotency key."""
    cost_usd_micros: int
    occurred_at: datetime
    recorded_at: datetime


def evolve(row: WorldEffect | None, recorded: Recorded) -> WorldEffect | None:
    """Return the row of the event; None where nothing outside was touched."""
    event = recorded.event
    match event:
        case FixReleased():
            return _row(recorded, "git.push", f"{event.remote} {event.branch}", event.commit)
        case ReporterNotified():
            return _row(recorded, "message.post", event.origin.key, event.receipt)
        case BudgetSpent():
            return _row(recorded, "model.call", event.model, str(event.effect_key))
        case RolloutStarted() | RolloutPromoted():
            return _row(recorded, "rollout", str(event.rollout_id), f"{event.share_percent} %")
        case RolloutHalted() | RolloutCompleted():
            outcome = getattr(event, "outcome", "halted")
            return _row(recorded, "rollout", str(event.rollout_id), outcome)
        case _:
            return pass_over(row, event, _TOUCH_NOTHING)


def _row(recorded: Recorded, kind: Kind, target: str, receipt: str) -> WorldEffect:
    event = recorded.event
    return WorldEffect(
        bug_id=str(event.bug_id),
        position=recorded.offset,
        event_id=str(event.event_id),
        kind=kind,
        attempt=getattr(event, "attempt", 0),
        target=target,
        receipt=receipt,
        cost_usd_micros=getattr(event, "cost_usd_micros", 0),
        occurred_at=event.occurred_at,
        recorded_at=recorded.recorded_at,
    )


_TOUCH_NOTHING = frozenset(
    {
        "bug.opened",
        "report.linked",
        "report.updated",
        "comment.added",
        "link.suggested",
        "merge.requested",
        "bug.merged",
        "bug.absorbed",
        "bug.split",
        "apart.requested",
        "bug.kept_apart",
        "locate.requested",
        "fix.requested",
        "verify.requested",
        "approval.requested",
        "approval.granted",
        "approval.rejected",
        "retry.accepted",
        "command.refused",
        "release.requested",
        "notify.requested",
        "bug.closed",
        "rollout.requested",
        "bug.located",
        "locate.declined",
        "fix.proposed",
        "fix.declined",
        "fix.verified",
        "fix.rejected",
        "release.declined",
        "stage.failed",
    }
)

EFFECTS = Projection("effects", WorldEffect, per="event", evolve=evolve)
