"""Dedupe and lifecycle with all their partitions, without a log: what the one says the other hears.

Other stages are played by the test.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from processors.bug_state import BugState
from processors.dedupe import DedupeState
from processors.lifecycle import LifecycleState
from projections.base import Recorded
from projections.bugs import Bug, evolve
from schemas import bugs, commands, topics
from schemas.event import Event
from schemas.projects import Project
from schemas.registry import place_of
from schemas.tell import Tell
from tests.factories import BLOB, CHECK, EPOCH, PERSON, PLACE, SEED, envelope, normalized

SHOP = Project(id="shop", git_url="file:///srv/shop.git", regression_after_days=14)
STEPS_MAX = 2_000


class World:
    """Everything that is said, heard by whom it concerns, one after the other."""

    def __init__(self, pick: Callable[[int], int] = lambda _: 0) -> None:
        """`pick` chooses among the partitions that have something to read."""
        numbers = range(topics.PARTITIONS)
        self.dedupe = {n: DedupeState(n) for n in numbers}
        self.lifecycle = {
            n: LifecycleState(n, {"shop": SHOP, "till": SHOP}.get, Tell()) for n in numbers
        }
        self.said: list[Event] = []
        self.steps_max = STEPS_MAX
        self._pick = pick
        self._waiting: dict[tuple[str, int], deque[Event]] = {}
        self._hours = 0

    # --- what happens ---

    def report(
        self, item: str, text: str = "", *, title: str = "", project: str = "shop", days: int = 0
    ) -> UUID:
        """Let a report come in; return its id. Without a `text` it is like no other."""
        self._hours += 1
        words = text or " ".join(f"word{item}x{n}" for n in range(30))
        named = title or f"title {item if not text else 'same'}"
        event = normalized(words, item=item, title=named)
        at = EPOCH + timedelta(days=days, hours=self._hours)
        event = event.model_copy(update={"project": project, "occurred_at": at})
        self.hear(event)
        return event.report.report_id

    def command(self, model: Any, bug_id: UUID, **fields: Any) -> None:
        self._hours += 1
        at = EPOCH + timedelta(hours=self._hours)
        name = f"command {self._hours}"
        made = envelope(name, bug_id=bug_id, actor=PERSON, occurred_at=at)
        self.hear(model(**made, **fields))

    def merge(self, one: UUID, other: UUID) -> None:
        self.command(commands.MergeBugs, one, other_bug_id=other)

    def split(self, bug_id: UUID, report_id: UUID) -> None:
        self.command(commands.SplitReport, bug_id, report_id=report_id)

    def keep_apart(self, one: UUID, other: UUID) -> None:
        self.command(commands.KeepApart, one, other_bug_id=other)

    def edit(self, item: str, text: str) -> None:
        self.hear(normalized(text, item=item, title="edited"))

    def outcome(self, model: Any, bug_id: UUID, **fields: Any) -> None:
        """Let another stage report about the newest attempt."""
        self._hours += 1
        at = EPOCH + timedelta(hours=self._hours)
        made = envelope(f"outcome {self._hours}", bug_id=bug_id, occurred_at=at)
        if model is not bugs.CommentAdded:
            made["attempt"] = self.bug(bug_id).attempt
        self.hear(model(**made, **fields))

    def fix(self, bug_id: UUID) -> None:
        """Let the bug be fixed, from locate to release."""
        base = {"base_commit": "a" * 40}
        self.outcome(bugs.BugLocated, bug_id, **base, locations=(PLACE,), method="m")
        more = {"patch": BLOB, "files": (), "proposer": "template"}
        self.outcome(bugs.FixProposed, bug_id, **base, **more)
        self.outcome(bugs.FixVerified, bug_id, **base, patch=BLOB, checks=(CHECK,))
        to = {"branch": f"fix/{bug_id}", "commit": "b" * 40, "remote": "r", "trace_id": SEED}
        self.outcome(bugs.FixReleased, bug_id, **to)

    def hear(self, *events: Event) -> None:
        """Let `events` be said, and `steps_max` of what is waiting be heard."""
        for event in events:
            self._say(event)
        for _ in range(self.steps_max):
            if not self._step():
                return
        assert self.steps_max < STEPS_MAX, "the bugs talk for ever"

    def settle(self) -> None:
        """Let all be heard."""
        self.steps_max = STEPS_MAX
        self.hear()

    def _say(self, event: Event) -> None:
        topic, _, partition = place_of(event)
        self.said.append(event)
        self._waiting.setdefault((topic.name, partition), deque()).append(event)

    def _step(self) -> bool:
        ready = [place for place, queue in self._waiting.items() if queue]
        if not ready:
            return False
        place = ready[self._pick(len(ready)) % len(ready)]
        event = self._waiting[place].popleft()
        topic, number = place
        is_dedupe = topic in {topics.BUGS_NORMALIZED.name, topics.BUGS_LINKS.name}
        state = (self.dedupe if is_dedupe else self.lifecycle)[number]
        decision = state.decide(event)
        state.commit()
        for follow in decision.events:
            self._say(follow)
        return True

    # --- what is known ---

    def opened_by(self, report_id: UUID) -> UUID:
        """Return the bug that the report founded last."""
        found = [e for e in self.said if isinstance(e, bugs.BugOpened)]
        return [e.bug_id for e in found if e.report.report_id == report_id][-1]

    def bug(self, bug_id: UUID) -> BugState:
        for state in self.lifecycle.values():
            known = state._bugs.get(str(bug_id))  # there is no other way to look
            if known is not None:
                return known
        raise KeyError(bug_id)

    def view(self, bug_id: UUID) -> Bug:
        """Return the bug as the views show it."""
        row: Bug | None = None
        for event in self.said:
            if isinstance(event, bugs.BugScoped) and event.bug_id == bug_id:
                if isinstance(event, commands.COMMANDS):
                    continue
                row = evolve(row, Recorded(event, 0, 0, event.occurred_at))
        assert row is not None
        return row

    def of(self, model: type[Event], bug_id: UUID | None = None) -> list[Any]:
        found = [e for e in self.said if isinstance(e, model)]
        return [e for e in found if bug_id is None or e.bug_id == bug_id]

    def told(self, report_id: UUID) -> list[tuple[str, str]]:
        """Return what the reporter of a report was told, and under which name."""
        asked = self.of(bugs.NotifyRequested)
        return [
            (e.outcome, e.name)
            for e in asked
            if e.audience == "reporter" and e.origin.report_id == report_id
        ]

    def homes(self) -> dict[UUID, set[UUID]]:
        """Return report -> the bugs it is in, without those that are part of another one."""
        found: dict[UUID, set[UUID]] = {}
        for state in self.lifecycle.values():
            for bug in state._bugs.values():  # there is no other way to look
                if bug.merged_into is None:
                    for link in bug.reports:
                        found.setdefault(link.report_id, set()).add(bug.bug_id)
        return found


def other(n: int) -> UUID:
    """Return the id of a bug that there is not."""
    return uuid5(SEED, f"nowhere/{n}")
