"""Decide which bug a report belongs to: opened, linked or updated. One writer per project.

Only near-identity merges by itself, and a merge is a link that can be taken back. A report is
compared with the first one of a bug and with no other: a chain of small differences must not join
two bugs. What is the same, and why, is said by `processors/similarity/`.
"""

from __future__ import annotations

import base64
import json
from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from uuid import UUID

from processors.base import Decision, StateChange, StatefulProcessor
from processors.links import KEY, Links, records_of, report_link
from processors.ports import VectorIndexes
from processors.similarity.answers import ANSWER_KEY, Answers
from processors.similarity.exact import ExactIndexes
from processors.similarity.features import NO_MODEL, Spaces
from processors.similarity.known import Known, known_of, name_key, read, written
from processors.similarity.matcher import Matcher
from processors.similarity.verdict import Verdict
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
from schemas.links import LINKS, LinkEvent, ReportMoved, ReportsJoined
from schemas.reports import ReportCommented, ReportNormalized

NAME = "dedupe"
SUGGESTIONS_MAX = 5
CLUSTERS_KEY = "clusters/"
"""How the keys of records begin that say by which clusters an index looks."""
SNAPSHOT_EVERY_REPORTS = 5_000


@dataclass(frozen=True, slots=True)
class Match:
    """A known report that a new one may be the same as."""

    known: Known
    verdict: Verdict


def make(
    spaces: Spaces = NO_MODEL,
    indexes: VectorIndexes | None = None,
    *,
    snapshot_every_reports: int = SNAPSHOT_EVERY_REPORTS,
) -> StatefulProcessor:
    """Return the stage. Without a model reports are compared by words and letters alone."""
    return StatefulProcessor(
        NAME,
        topics.SOURCES[NAME],
        state=topics.BUGS_EMBEDDINGS,
        open=partial(
            DedupeState,
            spaces=spaces,
            indexes=indexes,
            snapshot_every_reports=snapshot_every_reports,
        ),
    )


class DedupeState:
    """The known reports of one partition, with an undo journal as the overlay."""

    def __init__(
        self,
        partition: int,
        *,
        spaces: Spaces = NO_MODEL,
        indexes: VectorIndexes | None = None,
        snapshot_every_reports: int = SNAPSHOT_EVERY_REPORTS,
    ) -> None:
        self._partition = partition
        self._snapshot_every_reports = snapshot_every_reports
        self._spaces = spaces
        self._indexes = indexes or ExactIndexes()
        self._reports: dict[UUID, Known] = {}
        self._orders: dict[str, dict[int, UUID]] = {}
        self._names: dict[str, list[tuple[int, UUID]]] = {}
        self._matchers: dict[str, Matcher] = {}
        self._links = Links()
        self._answers = Answers()
        self._journal: list[Callable[[], None]] = []
        self._unkept = 0

    def load(self, key: str, value: bytes | None) -> None:
        """Take one record of the state topic. Raises `FatalError` for one it cannot read."""
        try:
            if value is None:
                self._forget(UUID(key))
            elif key.startswith(KEY):
                self._links.load(key, value)
            elif key.startswith(ANSWER_KEY):
                self._answers.load(value)
            elif key.startswith(CLUSTERS_KEY):
                self._load_clusters(value)
            else:
                self._remember(read(value, self._spaces.model_id))
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
            known = known_of(event, before.bug_id, self._spaces, order=before.order)
            return self._decided(known, (updated,), before)
        if at is None or before.updated_at == at:
            return Decision()
        return self._decided(replace(before, updated_at=at), (), before)

    def commit(self) -> None:
        """Keep what was decided."""
        self._unkept += len(self._journal)
        self._journal.clear()
        if self._unkept >= self._snapshot_every_reports:
            self._unkept = 0
            for matcher in self._matchers.values():
                matcher.keep()

    def rollback(self) -> None:
        """Undo what was decided since the last commit, newest first."""
        while self._journal:
            self._journal.pop()()

    def _place(self, event: ReportNormalized) -> tuple[Known, tuple[BugEvent, ...]]:
        bug_id = derived_id(event.report.report_id, "bug")
        fresh = known_of(event, bug_id, self._spaces, order=len(self._reports))
        matches = self._matches(fresh)
        if matches and matches[0].verdict.merges:
            return self._linked(event, fresh, matches[0])
        index = count()
        opened = BugOpened(
            **caused_by(event, NAME, next(index)),
            bug_id=bug_id,
            report=report_link(event),
            fingerprints=fresh.features.stacks,
        )
        curve = self._answers.curve(event.project)
        suggested = (
            LinkSuggested(
                **caused_by(event, NAME, next(index)),
                bug_id=bug_id,
                other_bug_id=self._links.newest(match.known.bug_id),
                similarity=match.verdict.similarity,
                evidence=match.verdict.evidence,
                rule=match.verdict.rule,
                vetoes=match.verdict.vetoes,
                scores=dict(match.verdict.scores),
                model=match.verdict.model_id,
                matched_report_id=match.known.report_id,
                probability=curve.probability(match.verdict.similarity) if curve else None,
            )
            for match in self._suggested(matches)
        )
        return fresh, (opened, *suggested)

    def _linked(
        self, event: ReportNormalized, fresh: Known, best: Match
    ) -> tuple[Known, tuple[BugEvent, ...]]:
        known = replace(fresh, bug_id=self._links.newest(best.known.bug_id))
        linked = ReportLinked(
            **caused_by(event, NAME, 0),
            bug_id=known.bug_id,
            report=report_link(event),
            rule=best.verdict.rule,
            similarity=best.verdict.similarity,
            matched_report_id=best.known.report_id,
            evidence=best.verdict.evidence,
            scores=dict(best.verdict.scores),
            model=best.verdict.model_id,
        )
        return known, (linked,)

    def _matches(self, fresh: Known) -> list[Match]:
        """Return what `fresh` may be the same as: those that merge before all others."""
        found = [Match(one, _said_so(one)) for one in self._must(fresh.report_id)]
        matcher = self._matchers.get(fresh.project)
        if matcher is None:
            return found
        apart = self._links.apart(fresh.report_id, self._bug_of)
        orders = self._orders[fresh.project]
        for verdict in matcher.verdicts(fresh.features):
            known = self._reports[orders[verdict.key]]
            if verdict.is_worth_asking and self._links.newest(known.bug_id) not in apart:
                found.append(Match(known, self._of_the_first(known, verdict)))
        # It is stable: what a person said comes first, and then who came first of those as near.
        return sorted(found, key=lambda match: not match.verdict.merges)

    def _of_the_first(self, known: Known, verdict: Verdict) -> Verdict:
        """Return the verdict, which merges only where the known report is the first of its bug."""
        if not verdict.merges or self._first_of(known) == known.report_id:
            return verdict
        veto = "it is like a later report of that bug, not like the first"
        return replace(verdict, vetoes=(veto,))

    def _first_of(self, known: Known) -> UUID:
        names = self._names[known.name_key()]
        return next(one for _, one in names if self._reports[one].bug_id == known.bug_id)

    def _suggested(self, matches: list[Match]) -> list[Match]:
        """Return the likest match of each bug, and of bugs that people keep apart of one only."""
        best: dict[UUID, Match] = {}
        apart: set[UUID] = set()
        for match in matches:
            bug_id = self._links.newest(match.known.bug_id)
            if bug_id in best or bug_id in apart:
                continue
            best[bug_id] = match
            for report_id in self._standing_for(match.known, bug_id):
                apart |= self._links.apart(report_id, self._bug_of)
        return list(best.values())[:SUGGESTIONS_MAX]

    def _standing_for(self, known: Known, bug_id: UUID) -> set[UUID]:
        """Return the reports that people's word about the bug of `known`, now `bug_id`, is about.

        Of a bug they speak by its first report.
        """
        found = {known.report_id}
        for bug in (known.bug_id, bug_id):
            names = self._names.get(name_key(known.project, human_id(bug, 0)), ())
            first = next((one for _, one in names if self._reports[one].bug_id == bug), None)
            found |= {first} if first else set()
        return found

    def _must(self, report_id: UUID) -> Iterator[Known]:
        for one in self._links.must(report_id):
            if one in self._reports:
                yield self._reports[one]

    def _bug_of(self, report_id: UUID) -> UUID | None:
        known = self._reports.get(report_id)
        return known.bug_id if known else None

    def _told(self, event: LinkEvent) -> Decision:
        """Take a person's word in; a moved report belongs to its new bug from here on."""
        self._journal.append(self._links.take(event))
        if not isinstance(event, ReportMoved):
            return Decision((), (*records_of(event), *self._learn(event)))
        before = self._reports.get(event.report.report_id)
        stacks = before.features.stacks if before else ()
        said = (self._links.answer(event, NAME, stacks),)
        if before is None:
            return Decision(said, records_of(event))
        moved = self._decided(replace(before, bug_id=event.to_bug_id), said, before)
        return Decision(said, (*moved.changes, *records_of(event)))

    def _learn(self, event: LinkEvent) -> tuple[StateChange, ...]:
        """Remember what a person said of two reports that are known, for the probabilities."""
        if isinstance(event, ReportMoved):
            return ()
        pair = [one for i in event.report_ids if (one := self._reports.get(i)) is not None]
        matcher = self._matchers.get(pair[0].project) if len(pair) > 1 else None
        if matcher is None:
            return ()
        older, newer = sorted(pair, key=lambda one: one.order)
        likeness = matcher.between(newer.features, older.features).similarity
        record, undo = self._answers.take(
            older.project, event.report_ids, likeness, same=isinstance(event, ReportsJoined)
        )
        self._journal.append(undo)
        return (record,)

    def _comment(self, event: ReportCommented) -> Decision:
        known = self._reports.get(event.report_id)
        if event.bug_name is not None:
            known = self._founder(name_key(event.project, event.bug_name))
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

    def _founder(self, key: str) -> Known | None:
        """Return the first report of the bug so called; None where two share the name."""
        found = [self._reports[report_id] for _, report_id in self._names.get(key, ())]
        return found[0] if len({known.bug_id for known in found}) == 1 else None

    def _decided(
        self, known: Known, events: tuple[BugEvent, ...], before: Known | None
    ) -> Decision:
        self._remember(known)
        self._journal.append(
            lambda: self._forget(known.report_id) if before is None else self._remember(before)
        )
        record = written(known, self._spaces.model_id)
        changes = (StateChange(str(known.report_id), record), *self._clusters(known.project))
        return Decision(events, changes)

    def _clusters(self, project: str) -> Iterator[StateChange]:
        """Yield the records of clusters that were learnt just now: they hold for ever."""
        matcher = self._matchers[project]
        for space, clusters in matcher.learnt():
            self._journal.append(partial(matcher.taught, space, None))
            fields = {"v": 1, "project": project, "space": space}
            fields["clusters"] = base64.b64encode(clusters).decode()
            yield StateChange(f"{CLUSTERS_KEY}{project}/{space}", json.dumps(fields).encode())

    def _load_clusters(self, value: bytes) -> None:
        fields = json.loads(value)
        clusters = base64.b64decode(fields["clusters"])
        self._matcher(fields["project"]).taught(fields["space"], clusters)

    def _matcher(self, project: str) -> Matcher:
        if project not in self._matchers:
            name = f"{self._partition}/{project}"
            self._matchers[project] = Matcher(name, self._spaces.model_id, self._indexes)
        return self._matchers[project]

    def _remember(self, known: Known) -> None:
        self._forget(known.report_id)
        self._reports[known.report_id] = known
        self._orders.setdefault(known.project, {})[known.order] = known.report_id
        self._matcher(known.project).add(known.order, known.features, bug=known.bug_id.int)
        insort(self._names.setdefault(known.name_key(), []), (known.order, known.report_id))

    def _forget(self, report_id: UUID) -> None:
        known = self._reports.pop(report_id, None)
        if known is None:
            return
        del self._orders[known.project][known.order]
        self._matchers[known.project].remove(known.order)
        names = self._names[known.name_key()]
        names.remove((known.order, report_id))
        if not names:
            del self._names[known.name_key()]


def _said_so(known: Known) -> Verdict:
    return Verdict(
        key=known.order,
        rule="must-link",
        similarity=1.0,
        scores={},
        evidence=("a person said so",),
        vetoes=(),
        model_id="",
    )
