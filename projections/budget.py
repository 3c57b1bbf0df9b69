"""What every bug may cost and has cost. A project's figures are the sums of its bugs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from projections.base import Projection, Recorded, pass_over
from schemas.bugs import BudgetSpent, BugOpened, FixRequested


@dataclass(frozen=True, slots=True)
class Budget:
    """Money and paid calls of one bug. The ledger enforces the limit; this only shows it."""

    bug_id: str
    project: str
    budget_usd_micros: int
    """As the newest `fix.requested` said; 0 before the first."""
    spent_usd_micros: int
    model_calls: int
    tokens_in: int
    tokens_out: int


def evolve(row: Budget | None, recorded: Recorded) -> Budget | None:
    """Return the bug's money after the event."""
    event = recorded.event
    match event:
        case BugOpened():
            return row or Budget(str(event.bug_id), event.project, 0, 0, 0, 0, 0)
        case FixRequested():
            return row and replace(row, budget_usd_micros=event.budget_usd_micros)
        case BudgetSpent():
            return row and replace(
                row,
                spent_usd_micros=row.spent_usd_micros + event.cost_usd_micros,
                model_calls=row.model_calls + 1,
                tokens_in=row.tokens_in + event.tokens_in,
                tokens_out=row.tokens_out + event.tokens_out,
            )
        case _:
            return pass_over(row, event, _COST_NOTHING)


# Paid calls have an event of their own: even a proposed fix costs nothing by itself.
_COST_NOTHING = frozenset(
    {
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
        "fix.released",
        "reporter.notified",
        "rollout.started",
        "rollout.promoted",
        "rollout.halted",
        "rollout.completed",
    }
)


BUDGET = Projection("budget", Budget, per="bug", evolve=evolve, indexes=(("project",),))
