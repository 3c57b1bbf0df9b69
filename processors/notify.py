"""Answer a report where it came from. Reads `notify.requested`, writes `reporter.notified`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import ValidationError

from processors.answer_words import comment
from processors.base import Task
from processors.ports import Blobs, Done, Effect, ErasedError, Ledger, Messenger, Tracker
from schemas import topics
from schemas.bugs import NotifyRequested, ReporterNotified
from schemas.errors import PoisonError
from schemas.event import Event, caused_by, derived_id
from schemas.fixes import Proposal
from schemas.projects import Project
from schemas.raw import Origin
from schemas.reports import BugReport

NAME = "notify"
PLACES_TOLD_MAX = 10


@dataclass(frozen=True, slots=True)
class Outlets:
    """What notify writes to."""

    messenger: Messenger
    reaches: Callable[[Origin], bool]
    """Whether the messenger has any way to write there."""
    tracker: Callable[[Origin], Tracker | None] = lambda _: None
    """What can show on this item how its bug stands."""
    project_of: Callable[[str], Project | None] = lambda _: None


def make(blobs: Blobs, ledger: Ledger, outlets: Outlets) -> Task:
    """Return the stage. Where nothing reaches a place nothing is posted, and nothing is claimed."""

    def handle(event: Event) -> Iterator[ReporterNotified]:
        if isinstance(event, NotifyRequested):
            yield from _Telling(event, blobs, ledger, outlets).all()

    return Task(NAME, (topics.BUGS_EVENTS,), (NotifyRequested,), handle, concurrency=2)


@dataclass(slots=True)
class _Telling:
    """One `notify.requested`: a message to each place, and a mark on the reported item."""

    event: NotifyRequested
    blobs: Blobs
    ledger: Ledger
    outlets: Outlets

    def all(self) -> Iterator[ReporterNotified]:
        """Yield what was posted. Raises `TransientError`; what was posted before then stays so."""
        for index, place in enumerate(self._places()):
            if self.outlets.reaches(place):
                yield self._post(place, index)

    def _places(self) -> tuple[Origin, ...]:
        event = self.event
        if event.audience == "reporter":
            return (event.origin,)
        project = self.outlets.project_of(event.project)
        if project is None:
            return ()
        if event.audience == "team":
            return project.team_places[:PLACES_TOLD_MAX]
        return project.places_of(self._assignees())[:PLACES_TOLD_MAX]

    def _assignees(self) -> tuple[str, ...]:
        if self.event.report is None:
            return ()
        with suppress(ErasedError, PoisonError, ValidationError):
            report = BugReport.model_validate_json(self.blobs.get(self.event.report))
            if report.assignee:
                return (f"{report.origin.channel}:{report.assignee}",)
        return ()

    def _post(self, place: Origin, index: int) -> ReporterNotified:
        event = self.event
        own = "" if event.audience == "reporter" else f"/{place.key}"
        key = derived_id(event.event_id, f"message.post{own}")

        def look() -> Done | None:
            receipt = self.outlets.messenger.find(place, key)
            return None if receipt is None else Done({"receipt": receipt})

        def do() -> Done:
            text = comment(event, _proposal(event, self.blobs))
            return Done({"receipt": self.outlets.messenger.post(place, text, key)})

        # Of what it is about, not of its words: those may be better in the next release.
        request = f"{place.key}\n{event.outcome}\n{event.branch}\n{event.commit}"
        outcome = self.ledger.perform(self._effect(key, "message.post", request), look=look, do=do)
        envelope = caused_by(event, NAME, index)
        envelope["occurred_at"] = outcome.occurred_at
        return ReporterNotified(
            **envelope,
            bug_id=event.bug_id,
            attempt=event.attempt,
            origin=event.origin,
            outcome=event.outcome,
            audience=event.audience,
            receipt=str(outcome.result["receipt"]),
            shown=self._mark(place) if event.audience == "reporter" else None,
        )

    def _mark(self, place: Origin) -> str | None:
        """Show the outcome on the item. What can never be marked keeps nobody from the answer."""
        tracker = self.outlets.tracker(place)
        if tracker is None:
            return None

        def do() -> Done:
            try:
                return Done({"shown": tracker.mark(place, self.event.outcome)})
            except PoisonError as error:
                return Done({"shown": None, "refused": str(error)[:200]})

        key = derived_id(self.event.event_id, "item.mark")
        request = f"{place.key}\n{self.event.outcome}"
        effect = self._effect(key, "item.mark", request)
        # Marking twice changes nothing, so there is no need to look first.
        shown = self.ledger.perform(effect, look=lambda: None, do=do).result.get("shown")
        return str(shown) if shown else None

    def _effect(self, key: UUID, kind: Literal["message.post", "item.mark"], said: str) -> Effect:
        return Effect(
            key=key,
            kind=kind,
            project=self.event.project,
            bug_id=self.event.bug_id,
            attempt=self.event.attempt,
            request_sha256=hashlib.sha256(said.encode()).hexdigest(),
        )


def _proposal(event: NotifyRequested, blobs: Blobs) -> Proposal | None:
    # An answer that cannot say who wrote the lines is better than none.
    with suppress(ErasedError, PoisonError, ValidationError):
        if event.patch is not None:
            return Proposal.model_validate_json(blobs.get(event.patch))
    return None
