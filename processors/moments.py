"""What there is to tell of a bug at which moment, and to whom it makes sense."""

from __future__ import annotations

from typing import Literal, assert_never, get_args

from schemas.lifecycle import Status
from schemas.rollouts import RolloutCompleted, RolloutHalted, RolloutPromoted, RolloutStarted

Outcome = Literal["fixed", "could_not", "not_verified", "abandoned", "rejected"]
AT_ONCE = ("received", "duplicate")
MACHINES = frozenset({"monitoring", "http"})
"""Channels of programs, which are told what came of it, and nothing before: they were answered when
they delivered."""


def ended(status: Status) -> Outcome | Literal["duplicate"]:
    """Return the outcome that a bug of this status had; of one that was merged there is none."""
    outcomes: tuple[Outcome, ...] = get_args(Outcome)
    return next((outcome for outcome in outcomes if outcome == status), "duplicate")


def state_of(
    rollout: RolloutStarted | RolloutPromoted | RolloutHalted | RolloutCompleted,
) -> str:
    """Return where a fix is on its way to users, in words."""
    match rollout:
        case RolloutStarted() | RolloutPromoted():
            return f"the fix reaches {rollout.share_percent} % of users"
        case RolloutHalted():
            return f"the rollout was halted: {rollout.reason}"
        case RolloutCompleted():
            is_live = rollout.outcome == "live"
            return "the fix has reached all users" if is_live else "the fix was rolled back"
        case _:
            assert_never(rollout)
