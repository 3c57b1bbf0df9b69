"""What is known, as people and programs get it: the CLI's `--json` and the API say the same."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from processors.ports import Blobs
from projections.budget import Budget
from projections.bugs import Bug
from projections.effects import WorldEffect
from projections.timeline import Moment
from projections.views import LIMIT_MAX, Filter, NotReadyError, UnknownBugError, Views
from schemas.errors import PoisonError, UserError
from schemas.event import BlobRef
from schemas.fixes import Verdict
from schemas.lifecycle import Status
from schemas.reports import BugReport, Severity, Trust
from schemas.values import ErasedError
from streams.audit import Replay, replay
from streams.log import Log

ERASED = "[erased]"
UNREADABLE = "[unreadable]"
LIMIT = 50
_BUG_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


class Answer(BaseModel):
    """A value that goes out."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ReportAnswer(Answer):
    """One report of a bug."""

    report_id: UUID
    origin: str
    url: str | None
    trust: Trust
    severity: Severity


class BugState(Answer):
    """A bug, without the title: that is a person's text and can be erased."""

    bug_id: UUID
    human_id: str
    project: str
    status: Status
    reason: str
    severity: Severity
    trust: Trust
    reports: tuple[ReportAnswer, ...]
    report_count: int
    absorbed: tuple[UUID, ...]
    merged_into: UUID | None
    split_from: UUID | None
    """The bug that its founding report was taken out of, by a person's word."""
    regression_of: UUID | None
    """The fixed bug that may be back as this one."""
    channels: tuple[str, ...]
    """Where it was reported, of the reports that are listed."""
    reporters: int
    """How many people or programs reported it, of the reports that are listed."""
    attempt: int
    base_commit: str | None
    proposer: str | None
    model: str | None
    verdict: Verdict | None
    branch: str | None
    commit: str | None
    failures: int
    opened_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, bug: Bug, **more: Any) -> Self:
        """Return the answer for a row."""
        made = {"reports", "channels", "reporters"}
        shown = {name: getattr(bug, name) for name in BugState.model_fields if name not in made}
        shown["channels"] = tuple(dict.fromkeys(link.origin.channel for link in bug.reports))
        shown["reporters"] = len({link.reporter for link in bug.reports})
        reports = [
            ReportAnswer(
                report_id=link.report_id,
                origin=link.origin.key,
                url=link.origin.url,
                trust=link.trust,
                severity=link.severity,
            )
            for link in bug.reports
        ]
        return cls.model_validate(shown | {"reports": reports} | more)


class BugAnswer(BugState):
    """A bug as it stands."""

    title: str
    merged_from: UUID | None = None
    """The bug that was asked for, where it has become part of this one."""


class BugsAnswer(Answer):
    """One page of bugs, newest first."""

    bugs: tuple[BugAnswer, ...]
    next_cursor: str | None
    """Give it back as `cursor` for the next page; null: this was the last."""


class MomentAnswer(Answer):
    """One event of a bug."""

    position: int
    event_id: UUID
    type: str
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    causation_id: UUID | None
    sentence: str


class TimelineAnswer(Answer):
    """What happened to a bug, oldest first."""

    bug_id: UUID
    human_id: str
    timeline: tuple[MomentAnswer, ...]
    next_after: int | None
    """Give it back as `after` for the next page; null: this was the last."""


class EffectAnswer(Answer):
    """One thing done to the world."""

    position: int
    event_id: UUID
    kind: str
    attempt: int
    target: str
    receipt: str
    cost_usd_micros: int
    occurred_at: datetime
    recorded_at: datetime


class EffectsAnswer(Answer):
    """What was done to the world for a bug, oldest first."""

    bug_id: UUID
    human_id: str
    effects: tuple[EffectAnswer, ...]
    next_after: int | None


class SpentAnswer(Answer):
    """Money of all bugs of a project. Millionths of a US dollar."""

    bugs: int
    budget_usd_micros: int
    spent_usd_micros: int
    model_calls: int


class BudgetAnswer(Answer):
    """Money of one bug, and of its project. Millionths of a US dollar."""

    bug_id: UUID
    human_id: str
    project: str
    budget_usd_micros: int
    spent_usd_micros: int
    model_calls: int
    tokens_in: int
    tokens_out: int
    project_total: SpentAnswer


class StoryAnswer(Answer):
    """Everything about one bug, in the words of the other answers."""

    bug: BugAnswer
    timeline: TimelineAnswer
    effects: EffectsAnswer
    budget: BudgetAnswer


class CommandAnswer(Answer):
    """A command that was taken; its bug's timeline will say what came of it."""

    command_id: UUID
    command: str
    bug_id: UUID
    human_id: str
    about: UUID | None = None
    """The bug that is merged into this one or kept apart from it, or the report taken out of it."""


class DifferenceAnswer(Answer):
    """A value that the live view and the log do not agree on."""

    view: str
    position: int | None
    field: str
    live: Any
    replayed: Any


class AuditAnswer(Answer):
    """A bug as its stored events have it."""

    bug_id: UUID
    at: datetime | None
    partition: int
    state: BugState | None
    """As of `at`; null: there was no such bug then."""
    timeline: tuple[MomentAnswer, ...]
    effects: tuple[EffectAnswer, ...]
    equals_live: bool
    """Whether the live views were compared, as of now, and say the same."""
    not_compared: str
    differences: tuple[DifferenceAnswer, ...]


class ProjectionAnswer(Answer):
    """How one view stands."""

    name: str
    generation: int
    version: str
    is_current: bool
    """Whether this program's fold made it; if not, it must be rebuilt."""
    rows: int
    next_offsets: dict[int, int]


class ProjectionsAnswer(Answer):
    """How all views stand."""

    projections: tuple[ProjectionAnswer, ...]


class Answers:
    """Every question, answered once for the command line and for HTTP."""

    def __init__(self, views: Views, blobs: Blobs) -> None:
        self._views = views
        self._blobs = blobs

    def bugs(self, asked: Filter, *, limit: int = LIMIT, cursor: str | None = None) -> BugsAnswer:
        """Return a page of bugs. Raises `UserError` for a cursor that we did not give."""
        after = _place(cursor) if cursor else None
        limit = min(limit, LIMIT_MAX)
        found = self._views.bugs(asked, limit=limit + 1, after=after)
        page = found[:limit]
        more = _cursor(page[-1]) if len(found) > limit else None
        return BugsAnswer(
            bugs=tuple(BugAnswer.of(bug, title=self.title(bug.report)) for bug in page),
            next_cursor=more,
        )

    def bug(self, given: str, *, follow: bool = True) -> BugAnswer:
        """Return the bug that `given` leads to; with `follow` off, the merged one itself."""
        asked = self._views.find(given)
        bug = self._views.survivor(asked) if follow else asked
        merged_from = asked.bug_id if bug.bug_id != asked.bug_id else None
        return BugAnswer.of(bug, title=self.title(bug.report), merged_from=merged_from)

    def timeline(self, given: str, *, limit: int = LIMIT, after: int = -1) -> TimelineAnswer:
        """Return what happened to this very bug: a merge does not lead on, history stays."""
        bug, limit = self._views.find(given), min(limit, LIMIT_MAX)
        found: list[Moment] = self._views.timeline(bug.bug_id, limit=limit + 1, after=after)
        return TimelineAnswer(
            bug_id=UUID(bug.bug_id),
            human_id=bug.human_id,
            timeline=self._named(found[:limit]),
            next_after=found[limit - 1].position if len(found) > limit else None,
        )

    def effects(self, given: str, *, limit: int = LIMIT, after: int = -1) -> EffectsAnswer:
        """Return what was done to the world for this very bug."""
        bug, limit = self._views.find(given), min(limit, LIMIT_MAX)
        found: list[WorldEffect] = self._views.effects(bug.bug_id, limit=limit + 1, after=after)
        return EffectsAnswer(
            bug_id=UUID(bug.bug_id),
            human_id=bug.human_id,
            effects=tuple(EffectAnswer.model_validate(each) for each in found[:limit]),
            next_after=found[limit - 1].position if len(found) > limit else None,
        )

    def budget(self, given: str) -> BudgetAnswer:
        """Return the money of this very bug and of its project."""
        bug = self._views.find(given)
        money = self._views.budget(bug.bug_id) or Budget(bug.bug_id, bug.project, 0, 0, 0, 0, 0)
        spent = self._views.spent(bug.project)
        shown = {name: getattr(money, name) for name in Budget.__slots__}
        return BudgetAnswer(
            **shown, human_id=bug.human_id, project_total=SpentAnswer.model_validate(spent)
        )

    def story(self, given: str, *, follow: bool = True) -> StoryAnswer:
        """Return the bug that `given` leads to, with all about it (`LIMIT_MAX` events at most)."""
        bug = self.bug(given, follow=follow)
        itself = str(bug.bug_id)
        return StoryAnswer(
            bug=bug,
            timeline=self.timeline(itself, limit=LIMIT_MAX),
            effects=self.effects(itself, limit=LIMIT_MAX),
            budget=self.budget(itself),
        )

    def projections(self) -> ProjectionsAnswer:
        """Return how the views stand."""
        found = (ProjectionAnswer.model_validate(each) for each in self._views.standings())
        return ProjectionsAnswer(projections=tuple(found))

    def audit(self, log: Log, given: str, *, at: datetime | None = None) -> AuditAnswer:
        """Return the bug as its stored events have it. Raises `UnknownBugError`.

        A full id is enough where there are no views to find the bug by.
        """
        found = replay(log, self._views, self._bug_id(given), at=at)
        if not found.recorded and found.at is None:
            raise UnknownBugError(f"The log knows no bug {given!r}. `bugstream bugs` lists them.")
        return _audited(found)

    def title(self, report: BlobRef) -> str:
        """Return the title of a report, or a word for why there is none to show."""
        try:
            return BugReport.model_validate_json(self._blobs.get(report)).title
        except ErasedError:
            return ERASED
        except (PoisonError, ValidationError):
            return UNREADABLE

    def _named(self, moments: Sequence[Moment]) -> tuple[MomentAnswer, ...]:
        """Return the moments, with bugs called as people call them: events know ids alone."""
        ids = {found for each in moments for found in _BUG_ID.findall(each.sentence)}
        names = self._views.names(ids) if ids else {}

        def called(found: re.Match[str]) -> str:
            return names.get(found[0], found[0])

        shown = (MomentAnswer.model_validate(each) for each in moments)
        return tuple(
            each.model_copy(update={"sentence": _BUG_ID.sub(called, each.sentence)})
            for each in shown
        )

    def _bug_id(self, given: str) -> UUID:
        try:
            return UUID(self._views.find(given).bug_id)
        except (NotReadyError, UnknownBugError):
            try:
                return UUID(given)
            except ValueError:
                pass
            raise


def _audited(found: Replay) -> AuditAnswer:
    bugs = [BugState.of(row) for row in found.rows["bugs"]]
    differing = found.differences or ()
    return AuditAnswer(
        bug_id=found.bug_id,
        at=found.at,
        partition=found.partition,
        state=bugs[0] if bugs else None,
        timeline=tuple(MomentAnswer.model_validate(row) for row in found.rows["timeline"]),
        effects=tuple(EffectAnswer.model_validate(row) for row in found.rows["effects"]),
        equals_live=found.equals_live,
        not_compared=found.not_compared,
        differences=tuple(DifferenceAnswer.model_validate(each) for each in differing),
    )


def _cursor(bug: Bug) -> str:
    place = f"{bug.opened_at.isoformat()} {bug.bug_id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        opened_at, _, bug_id = place.partition(" ")
        return datetime.fromisoformat(opened_at).astimezone(UTC), str(UUID(bug_id))
    except (ValueError, OverflowError) as error:
        raise UserError(
            "cursor: this is not one we gave; start without it, and go on with next_cursor"
        ) from error
