"""Decide which bug a report belongs to: opened, linked or updated. One writer per project.

Only near-identity merges by itself, and a merge is a link that can be taken back. Matching is
against single reports, never transitive: a chain of small differences must not join two bugs.
"""

from __future__ import annotations

import base64
import json
from array import array
from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from uuid import UUID

from processors.base import Decision, StateChange, StatefulProcessor
from processors.likeness import (
    bands,
    facts_of,
    jaccard,
    negations_of,
    sketch,
    stack_fingerprints,
    text_key,
    words_of,
)
from processors.links import KEY, Links, records_of, report_link
from schemas import topics
from schemas.bugs import (
    BugEvent,
    BugOpened,
    CommentAdded,
    LinkSuggested,
    ReportLinked,
    ReportUpdated,
)
from schemas.errors import BugstreamError, FatalError
from schemas.event import Event, caused_by, derived_id, human_id
from schemas.links import LINKS, LinkEvent, ReportMoved
from schemas.reports import BugReport, ReportCommented, ReportNormalized

NAME = "dedupe"
NEAR_IDENTICAL = 0.9
"""Share of word shingles in common from which two reports are the same, unless vetoed."""
SUGGESTED = 0.6
MUST = "must-link"
WORDS_MIN = 8
"""Below, a text is too generic ("it crashes") to merge anything by itself."""
SUGGESTIONS_MAX = 5
CANDIDATES_PER_KEY_MAX = 32
"""Compared under one key, oldest first: a thousand copies of a report cost no more than 32."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the stage keeps of a report: hashes, not text."""

    order: int
    report_id: UUID
    bug_id: UUID
    project: str
    content_sha256: str
    text_key: str
    words: int
    stacks: tuple[str, ...]
    sketch: array[int]
    bands: tuple[str, ...]
    facts: frozenset[int]
    negations: frozenset[str]
    updated_at: datetime | None = None
    """As its channel says; None: it does not say."""

    def is_newer_than(self, at: datetime | None) -> bool:
        """Return whether what is known is of a later time than `at`."""
        return self.updated_at is not None and at is not None and self.updated_at > at

    def name_key(self) -> str:
        """Return the key under which the name of its bug finds it."""
        return _name_key(self.project, human_id(self.bug_id, 0))

    def index_keys(self) -> Iterator[str]:
        """Yield the keys under which similar reports of the same project find this one."""
        for kind, values in (("b", self.bands), ("s", self.stacks), ("t", (self.text_key,))):
            for value in values:
                yield f"{self.project}/{kind}/{value}"


@dataclass(frozen=True, slots=True)
class Match:
    """A known report that looks the same, and why."""

    known: Known
    rule: str
    similarity: float
    evidence: tuple[str, ...]
    vetoes: tuple[str, ...]

    @property
    def merges(self) -> bool:
        """Return whether it is near enough to be the same without asking anybody."""
        return self.rule != "similar" and not self.vetoes


def make() -> StatefulProcessor:
    """Return the stage."""
    return StatefulProcessor(
        NAME, topics.SOURCES[NAME], state=topics.BUGS_EMBEDDINGS, open=DedupeState
    )


class DedupeState:
    """The known reports of one partition, with an undo journal as the overlay."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._reports: dict[UUID, Known] = {}
        self._index: dict[str, list[tuple[int, UUID]]] = {}
        self._links = Links()
        self._journal: list[Callable[[], None]] = []

    def load(self, key: str, value: bytes | None) -> None:
        """Take one record of the state topic. Raises `FatalError` for one it cannot read."""
        try:
            if value is None:
                self._forget(UUID(key))
            elif key.startswith(KEY):
                self._links.load(key, value)
            else:
                self._remember(_decode(value))
        except (ValueError, KeyError, TypeError, BugstreamError) as error:
            raise FatalError(
                f"state record {key!r} of partition {self._partition} is not readable"
            ) from error

    def decide(self, event: Event) -> Decision:
        """Return opened, linked or updated for a report; a repeated delivery decides nothing."""
        if isinstance(event, ReportCommented):
            return self._comment(event)
        if isinstance(event, LINKS):
            return self._told(event)
        if not isinstance(event, ReportNormalized):
            return Decision()
        before = self._reports.get(event.report.report_id)
        if before is not None:
            return self._again(event, before)
        known, events = self._place(event)
        return self._decided(known, events, None)

    def _again(self, event: ReportNormalized, before: Known) -> Decision:
        """Decide on a report that is known: no channel promises order, so an older state is none.

        Of two states of the same second the one that came later counts.
        """
        at = event.report.updated_at
        if before.is_newer_than(at):
            return Decision()
        if before.content_sha256 != event.content_sha256:
            updated = ReportUpdated(
                **caused_by(event, NAME),
                bug_id=self._links.home(before.bug_id),
                report=report_link(event),
            )
            known = _known(event, before.bug_id, order=before.order)
            return self._decided(known, (updated,), before)
        if at is None or before.updated_at == at:
            return Decision()
        return self._decided(replace(before, updated_at=at), (), before)

    def commit(self) -> None:
        """Keep what was decided."""
        self._journal.clear()

    def rollback(self) -> None:
        """Undo what was decided since the last commit, newest first."""
        while self._journal:
            self._journal.pop()()

    def _place(self, event: ReportNormalized) -> tuple[Known, tuple[BugEvent, ...]]:
        bug_id = derived_id(event.report.report_id, "bug")
        fresh = _known(event, bug_id, order=len(self._reports))
        matches = self._matches(fresh)
        index = count()
        if matches and matches[0].merges:
            best = matches[0]
            known = _known(event, self._links.newest(best.known.bug_id), order=fresh.order)
            linked = ReportLinked(
                **caused_by(event, NAME, next(index)),
                bug_id=known.bug_id,
                report=report_link(event),
                rule=best.rule,
                similarity=best.similarity,
                matched_report_id=best.known.report_id,
                evidence=best.evidence,
            )
            return known, (linked,)
        opened = BugOpened(
            **caused_by(event, NAME, next(index)),
            bug_id=bug_id,
            report=report_link(event),
            fingerprints=fresh.stacks,
        )
        suggested = (
            LinkSuggested(
                **caused_by(event, NAME, next(index)),
                bug_id=bug_id,
                other_bug_id=self._links.newest(match.known.bug_id),
                similarity=match.similarity,
                evidence=(*match.evidence, *(f"but {veto}" for veto in match.vetoes)),
            )
            for match in _one_per_bug(matches)
        )
        return fresh, (opened, *suggested)

    def _matches(self, fresh: Known) -> list[Match]:
        near = {
            place[1]
            for key in fresh.index_keys()
            for place in self._index.get(key, ())[:CANDIDATES_PER_KEY_MAX]
        }
        found = [match for i in near if (match := _match(fresh, self._reports[i])) is not None]
        apart = self._links.apart(fresh.report_id, self._bug_of)
        found = [m for m in found if self._links.newest(m.known.bug_id) not in apart]
        must = (self._reports[i] for i in self._links.must(fresh.report_id) if i in self._reports)
        found += [Match(one, MUST, 1.0, ("a person said so",), ()) for one in must]
        # Ties go to the oldest report, so that a verdict cannot depend on how batches were cut.
        found.sort(key=lambda m: (m.rule != MUST, not m.merges, -m.similarity, m.known.order))
        return found

    def _bug_of(self, report_id: UUID) -> UUID | None:
        known = self._reports.get(report_id)
        return known.bug_id if known else None

    def _told(self, event: LinkEvent) -> Decision:
        """Take a person's word in; a moved report belongs to its new bug from here on."""
        self._journal.append(self._links.take(event))
        if not isinstance(event, ReportMoved):
            return Decision((), records_of(event))
        before = self._reports.get(event.report.report_id)
        said = (self._links.answer(event, NAME, before.stacks if before else ()),)
        if before is None:
            return Decision(said, records_of(event))
        moved = self._decided(replace(before, bug_id=event.to_bug_id), said, before)
        return Decision(said, (*moved.changes, *records_of(event)))

    def _comment(self, event: ReportCommented) -> Decision:
        known = self._reports.get(event.report_id)
        if event.bug_name is not None:
            known = self._founder(_name_key(event.project, event.bug_name))
        if known is None:
            return Decision()
        return Decision(
            (
                CommentAdded(
                    **caused_by(event, NAME),
                    bug_id=self._links.home(known.bug_id),
                    report_id=known.report_id,
                    comment_blob=event.comment_blob,
                    trust=event.trust,
                    note=event.note,
                    happened=event.happened,
                ),
            )
        )

    def _founder(self, name_key: str) -> Known | None:
        """Return the first report of the bug so called; None where two share the name."""
        found = [self._reports[report_id] for _, report_id in self._index.get(name_key, ())]
        return found[0] if len({known.bug_id for known in found}) == 1 else None

    def _decided(
        self, known: Known, events: tuple[BugEvent, ...], before: Known | None
    ) -> Decision:
        self._remember(known)
        self._journal.append(
            lambda: self._forget(known.report_id) if before is None else self._remember(before)
        )
        return Decision(events, (StateChange(str(known.report_id), _encode(known)),))

    def _remember(self, known: Known) -> None:
        self._forget(known.report_id)
        self._reports[known.report_id] = known
        for key in (*known.index_keys(), known.name_key()):
            insort(self._index.setdefault(key, []), (known.order, known.report_id))

    def _forget(self, report_id: UUID) -> None:
        known = self._reports.pop(report_id, None)
        if known is None:
            return
        for key in (*known.index_keys(), known.name_key()):
            self._index[key].remove((known.order, report_id))
            if not self._index[key]:
                del self._index[key]


def _match(fresh: Known, known: Known) -> Match | None:
    shared = set(fresh.stacks) & set(known.stacks)
    similarity = jaccard(fresh.sketch, known.sketch)
    if shared:
        evidence = (f"same stack trace and message template {min(shared)[:12]}",)
        return Match(known, "same-stack", 1.0, evidence, ())
    if similarity < SUGGESTED:
        return None
    evidence = (f"{similarity:.2f} of the word triples in common",)
    if min(fresh.words, known.words) < WORDS_MIN:
        return Match(known, "similar", similarity, evidence, ("the text is too short to tell",))
    if fresh.text_key == known.text_key:
        return Match(known, "same-text", 1.0, ("the same words in the same order",), ())
    vetoes = tuple(_vetoes(fresh, known))
    rule = "near-identical" if similarity >= NEAR_IDENTICAL else "similar"
    return Match(known, rule, similarity, evidence, vetoes)


def _vetoes(fresh: Known, known: Known) -> Iterator[str]:
    if facts := fresh.facts ^ known.facts:
        yield f"numbers, versions, ids or hosts differ: {len(facts)}"
    if words := fresh.negations ^ known.negations:
        yield f"words that turn the meaning round differ: {', '.join(sorted(words))}"
    if fresh.stacks and known.stacks:
        yield "the stack traces differ"


def _name_key(project: str, name: str) -> str:
    # Without the year: it is that of the bug's opening, which this stage does not keep.
    return f"{project}/n/{name.rpartition('-')[2]}"


def _one_per_bug(matches: list[Match]) -> list[Match]:
    best: dict[UUID, Match] = {}
    for match in matches:
        best.setdefault(match.known.bug_id, match)
    return list(best.values())[:SUGGESTIONS_MAX]


def _known(event: ReportNormalized, bug_id: UUID, *, order: int) -> Known:
    report: BugReport = event.report
    words = words_of(report)
    hashes = sketch(words)
    return Known(
        order=order,
        report_id=report.report_id,
        bug_id=bug_id,
        project=event.project,
        content_sha256=event.content_sha256,
        text_key=text_key(words),
        words=len(words),
        stacks=stack_fingerprints(report),
        sketch=hashes,
        bands=bands(hashes),
        facts=facts_of(report),
        negations=negations_of(words),
        updated_at=report.updated_at,
    )


def _encode(known: Known) -> bytes:
    return json.dumps(
        {
            "v": 1,
            "order": known.order,
            "report": str(known.report_id),
            "bug": str(known.bug_id),
            "project": known.project,
            "content": known.content_sha256,
            "text": known.text_key,
            "words": known.words,
            "stacks": known.stacks,
            "sketch": base64.b64encode(known.sketch.tobytes()).decode(),
            "facts": sorted(known.facts),
            "negations": sorted(known.negations),
            "updated": known.updated_at.isoformat() if known.updated_at else None,
        }
    ).encode()


def _decode(value: bytes) -> Known:
    fields = json.loads(value)
    hashes = array("I")
    hashes.frombytes(base64.b64decode(fields["sketch"]))
    updated = fields.get("updated")  # Not in the records of the first releases.
    return Known(
        order=fields["order"],
        report_id=UUID(fields["report"]),
        bug_id=UUID(fields["bug"]),
        project=fields["project"],
        content_sha256=fields["content"],
        text_key=fields["text"],
        words=fields["words"],
        stacks=tuple(fields["stacks"]),
        sketch=hashes,
        bands=bands(hashes),
        facts=frozenset(fields["facts"]),
        negations=frozenset(fields["negations"]),
        updated_at=datetime.fromisoformat(updated) if updated else None,
    )
