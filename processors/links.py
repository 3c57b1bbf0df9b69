"""What dedupe knows of people's word: what must be one bug, what must not, and where bugs went.

A person's word is about two reports. It is never carried on to a third one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar
from uuid import UUID

from processors.base import StateChange
from schemas.bugs import BugEvent, BugOpened, ReportLinked, ReportUpdated
from schemas.codec import decode, encode
from schemas.errors import FatalError
from schemas.event import caused_by, subject_id
from schemas.identity import CameFrom
from schemas.links import LINKS, LinkEvent, ReportMoved, ReportsJoined, ReportsParted, key_of
from schemas.reports import ReportLink, ReportNormalized

KEY = "link/"
"""How the keys of its records begin, in a state topic that holds other records too."""
_BUG_KEY = f"{KEY}bug/"
HOPS_MAX = 1_000
"""Bugs that one after the other became part of the next one."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Undo = Callable[[], None]


class Links:
    """People's word about the reports of one partition. The newest one about a pair counts."""

    def __init__(self) -> None:
        self._word: dict[UUID, dict[UUID, bool]] = {}
        self._into: dict[UUID, UUID] = {}
        self._back_as: dict[UUID, UUID] = {}

    def must(self, report_id: UUID) -> tuple[UUID, ...]:
        """Return the reports that a person said to be of the same fault, oldest word first."""
        return tuple(other for other, same in self._word.get(report_id, {}).items() if same)

    def parted(self, report_id: UUID) -> tuple[UUID, ...]:
        """Return the reports that a person said to be of another fault."""
        return tuple(other for other, same in self._word.get(report_id, {}).items() if not same)

    def home(self, bug_id: UUID) -> UUID:
        """Return the bug that `bug_id` has become part of, or itself."""
        for _ in range(HOPS_MAX):
            into = self._into.get(bug_id)
            if into is None:
                return bug_id
            bug_id = into
        raise FatalError(f"bug {bug_id} is merged in circles, or too often")

    def newest(self, bug_id: UUID) -> UUID:
        """Return the bug that new reports of this fault belong to: it may have come back as one."""
        bug_id = self.home(bug_id)
        seen = {bug_id}
        while (back := self._back_as.get(bug_id)) is not None:
            bug_id = self.home(back)
            if bug_id in seen:
                break  # A person said that it is no regression after all.
            seen.add(bug_id)
        return bug_id

    def take(self, event: LinkEvent) -> Undo:
        """Take a word in. Returns what undoes it, newest first where there are several."""
        match event:
            case ReportsJoined():
                return _both(self._said(event.report_ids, same=True), self._merged(event))
            case ReportsParted():
                return self._said(event.report_ids, same=False)
            case ReportMoved():
                if event.founds and event.why == "regression":
                    return _put(self._back_as, event.from_bug_id, event.to_bug_id)
                return lambda: None

    def apart(self, report_id: UUID, bug_of: Callable[[UUID], UUID | None]) -> frozenset[UUID]:
        """Return the bugs that the report must not join by itself, as new reports see them."""
        found = (bug_of(other) for other in self.parted(report_id))
        return frozenset(self.newest(bug_id) for bug_id in found if bug_id is not None)

    def answer(self, event: ReportMoved, stage: str, fingerprints: tuple[str, ...]) -> BugEvent:
        """Return what `stage` says at the bug that the report belongs to now."""
        envelope, bug_id = caused_by(event, stage), self.home(event.to_bug_id)
        if event.founds and event.why != "merged":
            return BugOpened(
                **envelope,
                bug_id=event.to_bug_id,
                report=event.report,
                fingerprints=fingerprints,
                came_from=CameFrom(bug_id=event.from_bug_id, name=event.from_name, why=event.why),
            )
        if event.is_edit:
            return ReportUpdated(**envelope, bug_id=bug_id, report=event.report)
        return ReportLinked(
            **envelope,
            bug_id=bug_id,
            report=event.report,
            rule=f"moved-{event.why}",
            similarity=1.0,
            matched_report_id=event.beside_report_id,
            evidence=(f"it was taken for {event.from_name} first",),
        )

    def load(self, key: str, value: bytes) -> None:
        """Take a record of the state topic. Raises `PoisonError` and `FatalError`."""
        event = decode(value)
        if key.startswith(_BUG_KEY) and isinstance(event, ReportsJoined):
            self._merged(event)
            return
        if not isinstance(event, LINKS):
            raise FatalError(f"{event.type} is no link")
        self.take(event)

    def _merged(self, event: ReportsJoined) -> Undo:
        return _put(self._into, event.merged_bug_id, event.into_bug_id)

    def _said(self, pair: tuple[UUID, UUID], *, same: bool) -> Undo:
        one, other = pair
        first = {**_without(self._word.get(one, {}), other), other: same}
        undo = _put(self._word, one, first)
        second = {**_without(self._word.get(other, {}), one), one: same}
        return _both(undo, _put(self._word, other, second))


def records_of(event: LinkEvent) -> tuple[StateChange, ...]:
    """Return the state records that keep the word.

    A merge has one of its own: later words about the pair take back the word, not the merge.
    """
    kept = StateChange(f"{KEY}{key_of(event)}", encode(event))
    if isinstance(event, ReportsJoined):
        return (kept, StateChange(f"{_BUG_KEY}{event.merged_bug_id}", encode(event)))
    return (kept,)


def report_link(event: ReportNormalized) -> ReportLink:
    """Return the report as its bug knows it."""
    return ReportLink(
        report_id=event.report.report_id,
        origin=event.report.origin,
        report_blob=event.report_blob,
        reporter=subject_id(event.report.reporter),
        trust=event.trust,
        severity=event.report.severity,
        content_sha256=event.content_sha256,
    )


def _without(words: Mapping[UUID, bool], other: UUID) -> dict[UUID, bool]:
    return {report: same for report, same in words.items() if report != other}


def _put(table: dict[K, V], key: K, value: V) -> Undo:
    before = table.get(key)
    table[key] = value

    def undo() -> None:
        if before is None:
            table.pop(key, None)
        else:
            table[key] = before

    return undo


def _both(first: Undo, second: Undo) -> Undo:
    def undo() -> None:
        second()
        first()

    return undo
