"""What release and notify need of the world, as simple as it can be, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from schemas.errors import FatalError
from schemas.fixes import Proposal
from schemas.projects import Project
from schemas.values import Done, Effect, EffectOutcome, Offer, Release

DONE_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""When the ledger settled: another time than the event's."""


@dataclass
class FakeLedger:
    """Remembers outcomes by key; enough where no crash is played."""

    done: dict[UUID, Done] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)

    def perform(
        self, effect: Effect, *, look: Callable[[], Done | None], do: Callable[[], Done]
    ) -> EffectOutcome:
        """Return the outcome, doing it if neither ledger nor world has it."""
        for before in self.effects:
            if before.key == effect.key and before.request_sha256 != effect.request_sha256:
                raise FatalError("another request")
        self.effects.append(effect)
        reused = effect.key in self.done
        if not reused:
            self.done[effect.key] = look() or do()
        result: dict[str, Any] = dict(self.done[effect.key].result)
        return EffectOutcome(result, 0, DONE_AT, reused)


@dataclass
class FakeForge:
    """A remote with branches only."""

    branches: dict[str, Release] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    offers: list[Offer | None] = field(default_factory=list)
    url: str | None = None
    fails: Exception | None = None

    def find(self, project: Project, branch: str) -> Release | None:
        """Return what is there."""
        del project
        return self.branches.get(branch)

    def release(
        self,
        project: Project,
        *,
        branch: str,
        base_commit: str,
        proposal: Proposal,
        message: str,
        when: datetime,
        trace_id: UUID,
        offer: Offer | None = None,
    ) -> Release:
        """Keep the branch."""
        self.offers.append(offer)
        del base_commit, proposal, when
        if self.fails:
            raise self.fails
        self.messages.append(message)
        made = Release(branch, "c" * 40, str(project.git_url), trace_id, self.url)
        self.branches[branch] = made
        return made
