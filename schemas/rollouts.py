"""How a fix reaches users: facts of the bug's life, in its topic and in its union.

They are said from the start, because a topic kept for ever cannot be mended;
later work writes them.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.event import BlobRef, BugScoped


class RolloutRequested(BugScoped):
    """Rollout is asked to bring a released fix to users."""

    type: Literal["rollout.requested"] = "rollout.requested"
    attempt: int
    strategy: Literal["canary", "blue_green", "flag", "plain"]
    commit: str


class RolloutStarted(BugScoped):
    """A fix began to reach users."""

    type: Literal["rollout.started"] = "rollout.started"
    attempt: int
    rollout_id: UUID
    share_percent: int = Field(ge=0, le=100)


class RolloutPromoted(BugScoped):
    """The watched figures held, and more users get the fix."""

    type: Literal["rollout.promoted"] = "rollout.promoted"
    attempt: int
    rollout_id: UUID
    share_percent: int = Field(ge=0, le=100)
    evidence: BlobRef | None = None


class RolloutHalted(BugScoped):
    """A watched figure broke, or could not be seen: the fix is going back."""

    type: Literal["rollout.halted"] = "rollout.halted"
    attempt: int
    rollout_id: UUID
    reason: str
    evidence: BlobRef | None = None


class RolloutCompleted(BugScoped):
    """The fix is everywhere, or everywhere gone."""

    type: Literal["rollout.completed"] = "rollout.completed"
    attempt: int
    rollout_id: UUID
    outcome: Literal["live", "rolled_back"]


RolloutEvent = (
    RolloutRequested | RolloutStarted | RolloutPromoted | RolloutHalted | RolloutCompleted
)
