"""Which bug is which: merging, splitting, keeping apart, and faults that come back.

A merge is decided in three steps, each at the partition that knows: the one bug is asked, the
other one answers and is merged, the older one takes it in. Two bugs never become each other's.
That two are kept apart is decided at the other one as well: each knows its own reports alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, assert_never, get_args
from uuid import UUID

from processors.bug_answer import Answer
from processors.bug_state import BugState, evolve
from processors.moments import ended
from schemas import bugs, commands
from schemas.errors import FatalError
from schemas.event import Event, derived_id
from schemas.identity import (
    ApartRequested,
    BugAbsorbed,
    BugMerged,
    BugsKeptApart,
    BugSplit,
    MergeRequested,
    TakenFix,
)
from schemas.lifecycle import CLOSED, Status
from schemas.links import ReportMoved, ReportsJoined, ReportsParted, pair
from schemas.reports import ReportLink

ABSORBED_BYTES_MAX = 40 * 1024
"""Of reports in one event; a bug with more of them is taken in by several."""
OPEN_ENDED = frozenset({Status.COULD_NOT, Status.NOT_VERIFIED})
BetweenBugs = (
    commands.MergeBugs | MergeRequested | commands.SplitReport | commands.KeepApart | ApartRequested
)
BETWEEN_BUGS = get_args(BetweenBugs)
"""What is asked about which reports are of which bug."""
_ALREADY = CLOSED | {Status.RELEASING}
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class Identity(Answer):
    """Answers what is asked and heard about which reports a bug has."""

    def _between(self, cause: BetweenBugs) -> Iterator[Event]:
        match cause:
            case commands.MergeBugs():
                yield from self._merge(cause)
            case MergeRequested():
                yield from self._merge_asked(cause)
            case commands.SplitReport():
                yield from self._split(cause)
            case commands.KeepApart():
                yield from self._keep_apart(cause)
            case ApartRequested():
                yield from self._apart_asked(cause)
            case _:
                assert_never(cause)

    def _where_it_went(self, into: UUID) -> str:
        """Return why nothing can be asked of a bug that was merged into `into`."""
        cause = self._cause
        if isinstance(cause, (commands.KeepApart, ApartRequested)) and cause.other_bug_id == into:
            return (
                f"it was merged into bug {into}, so both are one; a report of another fault is"
                " taken out of that with split"
            )
        return f"it was merged into bug {into}"

    # --- merging ---

    def _merge(self, cause: commands.MergeBugs) -> Iterator[Event]:
        """Ask the other bug, which alone knows how it stands."""
        if cause.other_bug_id == self._state.bug_id:
            yield self._refuse("a bug cannot be merged with itself")
            return
        yield self._ask_other(cause)

    def _merge_asked(self, cause: MergeRequested) -> Iterator[Event]:
        """Merge this bug into the other one, or have that asked the other way round."""
        state = self._state
        if cause.project != state.project:
            yield self._refuse(
                f"bug {cause.other_bug_id} is of project {cause.project!r}, this one of"
                f" {state.project!r}: bugs of different projects are never merged"
            )
        elif (_age(state), str(state.bug_id)) < (cause.other_opened_at, str(cause.other_bug_id)):
            yield self._ask_other(cause)
        elif state.status is Status.RELEASING:
            yield self._refuse("its fix is being released at this moment; ask again when it is")
        else:
            yield BugMerged(
                **self._by_person(),
                bug_id=state.bug_id,
                into_bug_id=cause.other_bug_id,
                reason="a person said that it is the same fault",
                note=cause.note,
            )
            yield from self._handed_over(
                cause.other_bug_id, state.bug_id, state.reports, _fix_of(state)
            )

    def _ask_other(self, cause: commands.MergeBugs | MergeRequested) -> Event:
        state = self._state
        return MergeRequested(
            **self._by_person(),
            bug_id=cause.other_bug_id,
            other_bug_id=state.bug_id,
            other_opened_at=_age(state),
            note=cause.note,
        )

    def _handed_over(
        self,
        into: UUID,
        merged: UUID,
        reports: Sequence[ReportLink],
        fix: TakenFix | None,
    ) -> Iterator[Event]:
        for part in _parts(reports):
            yield BugAbsorbed(
                **self._next(), bug_id=into, merged_bug_id=merged, reports=part, fix=fix
            )

    def _absorbed(self, cause: BugAbsorbed) -> Iterator[Event]:
        """Take another bug in: its reporters are answered from here on, once a released fix too."""
        state = self._state
        for link in cause.reports[:1]:
            yield ReportsJoined(
                **self._next(),
                report_ids=pair(state.founder.report_id, link.report_id),
                merged_bug_id=cause.merged_bug_id,
                into_bug_id=state.bug_id,
            )
        if cause.fix is not None and state.status is not Status.FIXED:
            reason = f"the same fault was fixed as {cause.fix.name}, on branch {cause.fix.branch}"
            told = {link.report_id for link in cause.reports}
            yield from self._close("fixed", reason, told=told)
        elif cause.fix is None:
            yield from self._more_reports(cause.reports)

    # --- keeping apart ---

    def _keep_apart(self, cause: commands.KeepApart) -> Iterator[Event]:
        """Ask the other bug, which alone knows whether it is there and by which report."""
        state = self._state
        if cause.other_bug_id == state.bug_id:
            yield self._refuse("a bug cannot be kept apart from itself")
            return
        yield ApartRequested(
            **self._by_person(),
            bug_id=cause.other_bug_id,
            other_bug_id=state.bug_id,
            other_report_id=state.founder.report_id,
            note=cause.note,
        )

    def _apart_asked(self, cause: ApartRequested) -> Iterator[Event]:
        """Say in the life of both that they are two, and tell dedupe by their first reports."""
        state = self._state
        if cause.project != state.project:
            yield self._refuse(
                f"it is of project {state.project!r}, the other of {cause.project!r}: bugs of"
                " different projects are never merged, so they are apart already"
            )
            return
        if any(link.report_id == cause.other_report_id for link in state.reports):
            yield self._refuse(
                "the report that founded the other one is a report of it by now; one of another"
                " fault is taken out with split"
            )
            return
        both = (state.bug_id, cause.other_bug_id)
        for bug_id, other in (both, both[::-1]):
            yield BugsKeptApart(
                **self._by_person(),
                bug_id=bug_id,
                other_bug_id=other,
                reason="a person said that these are two faults",
                note=cause.note,
            )
        founders = pair(state.founder.report_id, cause.other_report_id)
        yield ReportsParted(**self._next(), report_ids=founders)

    # --- splitting ---

    def _split(self, cause: commands.SplitReport) -> Iterator[Event]:
        state = self._state
        link = next((r for r in state.reports if r.report_id == cause.report_id), None)
        if link is None:
            gone = state.parted.get(cause.report_id)
            yield self._refuse(
                f"it was taken out before, and is in bug {gone}"
                if gone
                else f"the bug has no report {cause.report_id}"
            )
            return
        if len(state.reports) == 1:
            yield self._refuse("its only report cannot be taken out of a bug")
            return
        split = BugSplit(
            **(envelope := self._by_person()),
            bug_id=state.bug_id,
            report_id=link.report_id,
            new_bug_id=derived_id(link.report_id, str(envelope["event_id"])),
            reason="a person said that it is another fault",
            note=cause.note,
        )
        yield split
        self._fold(split)
        left = self._state.founder
        yield ReportsParted(**self._next(), report_ids=pair(left.report_id, link.report_id))
        yield self._moved(link, split.new_bug_id, beside=left.report_id, why="split", founds=True)
        was_heard = link.report_id in state.heard or link.report_id == state.founder.report_id
        if was_heard and state.attempt and state.status not in _ALREADY:
            yield from self._locate(state.attempt + 1)  # The work rests on another fault's words.

    # --- reports that come in ---

    def _linked(self, cause: bugs.ReportLinked) -> Iterator[Event]:
        if self._gone_from(cause.report):
            yield self._on_its_way(cause.report, is_edit=False)
        elif self._is_back(cause.occurred_at):
            yield from self._came_back(cause.report)
        else:
            yield from self._more_reports((cause.report,))

    def _passed_on(self) -> Iterator[Event]:
        """Send on what comes in for a bug that is part of another one: it belongs there."""
        state, cause = self._state, self._cause
        into = state.merged_into
        if into is None:
            raise FatalError(f"bug {state.bug_id} is not merged")
        match cause:
            case bugs.ReportLinked() | bugs.ReportUpdated() if self._gone_from(cause.report):
                edited = isinstance(cause, bugs.ReportUpdated)
                yield self._on_its_way(cause.report, is_edit=edited)
            case bugs.ReportLinked() | bugs.ReportUpdated():
                edited = isinstance(cause, bugs.ReportUpdated)
                beside = state.founder.report_id
                yield self._moved(cause.report, into, beside=beside, why="merged", is_edit=edited)
            case BugAbsorbed():
                yield from self._handed_over(into, cause.merged_bug_id, cause.reports, cause.fix)
            case _:
                return

    def _more_reports(self, links: Sequence[ReportLink]) -> Iterator[Event]:
        """Tell the reporters of `links` how the bug stands, and use what members say."""
        state = self._state
        if self._knows_more and state.status in OPEN_ENDED and self._may_go_on:
            yield from self._locate(state.attempt + 1)
            yield from self._told_reporters(links, "duplicate")
        elif state.status in CLOSED:
            yield from self._told_reporters(links, ended(state.status), state.reason)
        else:
            yield from self._told_reporters(links, "duplicate")
        if state.waits_for == "fix" and state.trusted:
            yield self._fix(state.attempt)

    # --- faults that come back ---

    def _is_back(self, at: datetime) -> bool:
        """Return whether a report of `at` is of a fault that was mended before.

        Right after a fix it is not: the fix is a branch then, and users have the fault still.
        """
        state = self._state
        if state.status is not Status.FIXED or self._project is None:
            return False
        patience = timedelta(days=self._project.regression_after_days)
        return state.is_live or (state.fixed_at is not None and at - state.fixed_at >= patience)

    def _came_back(self, link: ReportLink) -> Iterator[Event]:
        state = self._state
        envelope = self._next()
        known = state.came_back_as
        new = known or derived_id(link.report_id, str(envelope["event_id"]))
        yield BugSplit(
            **envelope,
            bug_id=state.bug_id,
            report_id=link.report_id,
            new_bug_id=new,
            reason=f"{state.name} was fixed before it came in, so this may be a regression",
            why="regression",
        )
        beside = next(
            (r for r, bug in state.parted.items() if bug == known), state.founder.report_id
        )
        yield self._moved(link, new, beside=beside, why="regression", founds=known is None)

    # --- what dedupe is told ---

    def _gone_from(self, link: ReportLink) -> bool:
        """Return whether the report was taken out of this bug."""
        return link.report_id in self._state.parted

    def _on_its_way(self, link: ReportLink, *, is_edit: bool) -> Event:
        parted = self._state.parted
        into = parted[link.report_id]
        beside = next(report for report, bug in parted.items() if bug == into)
        return self._moved(link, into, beside=beside, why="split", is_edit=is_edit)

    def _moved(
        self,
        link: ReportLink,
        to: UUID,
        *,
        beside: UUID,
        why: Literal["split", "regression", "merged"],
        founds: bool = False,
        is_edit: bool = False,
    ) -> Event:
        return ReportMoved(
            **self._next(),
            report=link,
            from_bug_id=self._state.bug_id,
            from_name=self._state.name,
            to_bug_id=to,
            beside_report_id=beside,
            why=why,
            founds=founds,
            is_edit=is_edit,
        )

    def _fold(self, event: Event) -> None:
        self._known = evolve(self._known, event)


def _age(state: BugState) -> datetime:
    return state.opened_at or _LONG_AGO


def _fix_of(state: BugState) -> TakenFix | None:
    if state.status is not Status.FIXED or state.branch is None or state.commit is None:
        return None
    return TakenFix(
        name=state.name,
        branch=state.branch,
        commit=state.commit,
        url=state.url,
        patch=state.patch,
        checks=state.checks,
    )


def _parts(reports: Sequence[ReportLink]) -> Iterator[tuple[ReportLink, ...]]:
    """Yield `reports` in parts that fit an event each, at least one part."""
    part: list[ReportLink] = []
    size = 0
    for link in reports:
        more = len(link.model_dump_json())
        if part and size + more > ABSORBED_BYTES_MAX:
            yield tuple(part)
            part, size = [], 0
        part.append(link)
        size += more
    yield tuple(part)
