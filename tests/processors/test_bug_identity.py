"""Merges, splits and faults that come back, through all partitions of dedupe and lifecycle."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processors.bug_identity import ABSORBED_BYTES_MAX, _parts
from schemas import bugs, commands
from schemas.event import EVENT_BYTES_MAX
from schemas.identity import ApartRequested, BugAbsorbed, BugMerged, BugsKeptApart, BugSplit
from schemas.lifecycle import Status
from schemas.links import ReportMoved, ReportsJoined, ReportsParted
from schemas.reports import Trust
from tests.factories import BLOB, LINK
from tests.processors.identity_world import World, other

SAME = "The total of an order ignores the coupon when the cart holds more than nine articles of it."


def two() -> tuple[World, UUID, UUID]:
    world = World()
    return world, world.opened_by(world.report("1")), world.opened_by(world.report("2"))


def refusals(world: World, bug_id: UUID) -> list[str]:
    return [event.reason for event in world.of(bugs.CommandRefused, bug_id)]


@pytest.mark.parametrize("is_older_first", [True, False])
def test_two_bugs_are_merged_into_the_older_whichever_is_asked(*, is_older_first: bool) -> None:
    world, older, newer = two()

    world.merge(*((older, newer) if is_older_first else (newer, older)))

    assert world.bug(newer).merged_into == older
    assert world.bug(newer).status is Status.MERGED
    assert [link.report_id for link in world.bug(older).reports] == [
        world.bug(older).founder.report_id,
        world.bug(newer).founder.report_id,
    ]
    assert world.view(older).report_count == 2
    assert world.view(older).absorbed == (str(newer),)
    assert world.view(newer).merged_into == str(older)


def test_who_asked_is_kept_with_the_merge() -> None:
    world, older, newer = two()

    world.merge(older, newer)

    [merged] = world.of(BugMerged)
    assert merged.actor.kind == "person"


def test_work_on_the_merged_bug_counts_no_more() -> None:
    world, older, newer = two()
    world.outcome(bugs.BugLocated, newer, base_commit="a" * 40, locations=(), method="m")
    assert world.bug(newer).status is Status.FIXING

    world.merge(older, newer)
    before = len(world.said)
    late = {"base_commit": "a" * 40, "patch": BLOB, "files": (), "proposer": "template"}
    world.outcome(bugs.FixProposed, newer, **late)

    assert world.said[before + 1 :] == []
    assert world.view(newer).status is Status.MERGED


def test_reporters_of_the_merged_bug_hear_once_that_it_is_known_and_all_hear_of_the_fix() -> None:
    world, older, newer = two()
    name = world.bug(older).name
    first, second = world.bug(older).founder.report_id, world.bug(newer).founder.report_id

    world.merge(older, newer)

    assert world.told(second)[1:] == [("duplicate", name)]
    world.fix(older)
    assert world.told(second)[2:] == [("fixed", name)]
    assert world.told(first)[1:] == [("fixed", name)]


def test_a_fix_of_the_younger_bug_is_taken_over_and_told_to_those_who_wait() -> None:
    world, older, newer = two()
    first, second = world.bug(older).founder.report_id, world.bug(newer).founder.report_id
    world.fix(newer)

    world.merge(older, newer)

    assert world.bug(older).status is Status.FIXED
    assert world.view(older).branch == f"fix/{newer}"
    assert world.told(first)[-1] == ("fixed", world.bug(older).name)
    assert [what for what, _ in world.told(second)] == ["received", "fixed"]


def test_a_report_that_comes_in_for_a_merged_bug_reaches_the_one_it_is_part_of() -> None:
    world = World()
    older = world.opened_by(world.report("1"))
    newer = world.opened_by(world.report("2", SAME))
    world.merge(older, newer)

    third = world.report("3", SAME)

    assert third in {link.report_id for link in world.bug(older).reports}
    assert third not in {link.report_id for link in world.bug(newer).reports}
    assert [what for what, _ in world.told(third)] == ["duplicate"]


def test_what_was_said_at_a_merged_bug_before_dedupe_heard_of_it_is_passed_on_once() -> None:
    world, older, newer = two()
    world.merge(older, newer)
    late = LINK.model_copy(update={"report_id": UUID(int=9)})
    fields: dict[str, Any] = {"rule": "same-text", "similarity": 1.0}
    matched = world.bug(newer).founder.report_id
    seen = world.of(bugs.ReportLinked, newer)
    opened = world.of(bugs.BugOpened, newer)[0]
    linked = bugs.ReportLinked(
        **{name: getattr(opened, name) for name in ("project", "actor", "occurred_at")},
        event_id=UUID(int=99),
        correlation_id=UUID(int=98),
        bug_id=newer,
        report=late,
        matched_report_id=matched,
        **fields,
    )

    world.hear(linked)

    assert not seen
    assert late.report_id in {link.report_id for link in world.bug(older).reports}
    assert len(world.of(ReportMoved)) == 1


def test_an_edit_of_a_merged_bugs_report_arrives_at_the_older_one() -> None:
    world, older, newer = two()
    world.merge(older, newer)

    world.edit("2", "It now says how to reproduce it, in many other words than before.")

    [updated] = world.of(bugs.ReportUpdated)
    assert updated.bug_id == older
    assert updated.report in world.bug(older).reports


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("itself", "itself", "itself"),
        ("older", "other project", "different projects"),
        ("merged", "older", "was merged"),
        ("older", "unknown", "no such bug"),
    ],
)
def test_merges_that_make_no_sense_are_refused_with_the_reason(
    first: str, second: str, says: str
) -> None:
    world, older, newer = two()
    third = world.opened_by(world.report("3"))
    named = {
        "itself": older,
        "older": older,
        "unknown": other(1),
        "merged": third,
        "other project": world.opened_by(world.report("4", project="till")),
    }
    world.merge(third, newer)
    before = len(world.of(BugMerged))

    world.merge(named[first], named[second])

    assert len(world.of(BugMerged)) == before
    assert says in world.of(bugs.CommandRefused)[-1].reason
    assert world.of(bugs.CommandRefused)[-1].command == "bug.merge"


def test_a_bug_whose_fix_is_just_being_pushed_is_not_merged() -> None:
    world, older, newer = two()
    base = {"base_commit": "a" * 40}
    world.outcome(bugs.BugLocated, newer, **base, locations=(), method="m")
    world.outcome(bugs.FixProposed, newer, **base, patch=BLOB, files=(), proposer="template")
    world.outcome(bugs.FixVerified, newer, **base, patch=BLOB, checks=())

    world.merge(older, newer)

    assert "released at this moment" in refusals(world, newer)[0]


def test_a_bug_that_is_merged_hands_on_what_it_takes_in_afterwards() -> None:
    world = World()
    one, two, three = (world.opened_by(world.report(item)) for item in "123")
    world.merge(one, two)
    absorbed = world.of(BugAbsorbed)[0]
    late = absorbed.model_copy(
        update={
            "event_id": UUID(int=5),
            "bug_id": two,
            "merged_bug_id": three,
            "reports": world.bug(three).reports,
        }
    )

    world.hear(late)  # As if three had been merged into two at the same time.

    assert {r.report_id for r in world.bug(three).reports} <= {
        r.report_id for r in world.bug(one).reports
    }


# --- keeping apart ---


@pytest.mark.parametrize("is_older_first", [True, False])
def test_that_two_bugs_are_two_stands_in_the_life_of_both(*, is_older_first: bool) -> None:
    world, older, newer = two()
    founders = [world.bug(each).founder.report_id for each in (older, newer)]

    world.keep_apart(*((older, newer) if is_older_first else (newer, older)))

    kept = world.of(BugsKeptApart)
    assert {(e.bug_id, e.other_bug_id) for e in kept} == {(older, newer), (newer, older)}
    assert {e.actor.kind for e in kept} == {"person"}
    assert [e.report_ids for e in world.of(ReportsParted)] == [tuple(sorted(founders))]
    assert {world.bug(each).status for each in (older, newer)} == {Status.LOCATING}
    assert world.of(bugs.CommandRefused) == []


def test_a_note_stands_with_the_word_of_both() -> None:
    world, older, newer = two()

    world.command(commands.KeepApart, older, other_bug_id=newer, note=BLOB)

    assert [e.note for e in world.of(BugsKeptApart)] == [BLOB, BLOB]


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("itself", "itself", "itself"),
        ("older", "other project", "different projects are never merged, so they are apart"),
        ("merged", "into", "both are one"),
        ("into", "merged", "both are one"),
        ("merged", "other project", "was merged"),
        ("other project", "merged", "was merged"),
        ("older", "unknown", "no such bug"),
        ("unknown", "older", "no such bug"),
    ],
)
def test_keeping_apart_what_is_one_or_is_not_there_is_refused_with_the_reason(
    first: str, second: str, says: str
) -> None:
    world, older, newer = two()
    third = world.opened_by(world.report("3"))
    named = {
        "itself": older,
        "older": older,
        "into": newer,
        "merged": third,
        "unknown": other(1),
        "other project": world.opened_by(world.report("4", project="till")),
    }
    world.merge(third, newer)

    world.keep_apart(named[first], named[second])

    [refused] = world.of(bugs.CommandRefused)
    assert says in refused.reason
    # Where it was asked: that is where the person looks.
    assert (refused.command, refused.bug_id) == ("bug.keep_apart", named[first])
    assert world.of(BugsKeptApart) == world.of(ReportsParted) == []


def test_a_refusal_from_another_project_keeps_the_project_of_the_bug_that_was_asked() -> None:
    world, older, _ = two()

    world.keep_apart(older, world.opened_by(world.report("4", project="till")))

    assert world.of(bugs.CommandRefused)[0].project == "shop"


def test_bugs_whose_founder_went_from_one_to_the_other_are_not_parted_from_themselves() -> None:
    world, bug, first, second = joined()
    world.split(bug, second)
    new = world.opened_by(second)
    asked = ApartRequested(
        **{name: getattr(world.of(BugSplit)[0], name) for name in ("project", "actor")},
        event_id=UUID(int=99),
        correlation_id=UUID(int=98),
        occurred_at=world.of(BugSplit)[0].occurred_at,
        bug_id=bug,
        other_bug_id=new,
        other_report_id=first,  # As if it had moved while the word was on its way.
    )

    world.hear(asked)

    assert "taken out with split" in refusals(world, new)[0]
    assert world.of(BugsKeptApart) == []


def test_a_person_may_say_the_other_thing_later_and_the_newest_word_counts() -> None:
    world, older, newer = two()

    world.keep_apart(newer, older)
    world.merge(newer, older)

    assert world.bug(newer).merged_into == older
    words = [e for e in world.said if isinstance(e, (ReportsJoined, ReportsParted))]
    assert [type(e) for e in words] == [ReportsParted, ReportsJoined]
    assert words[0].report_ids == words[1].report_ids


def alike(world: World, item: str, text: str) -> list[UUID]:
    """Let a report come in; return the bugs that it is suggested to be the same as."""
    report_id = world.report(item, text, title=f"coupon {item} ignored")
    bug = world.opened_by(report_id)
    return [e.other_bug_id for e in world.of(bugs.LinkSuggested, bug)]


ALIKE = (
    "The total of an order ignores the coupon when the cart holds more than nine articles of it.",
    "The total of an order ignores the coupon in the cart once a gift card has been used as well.",
    "The total of an order ignores the coupon in the cart after a gift card was taken back.",
)


@pytest.mark.parametrize("is_kept_apart", [True, False])
def test_the_next_report_is_suggested_to_be_the_likest_of_bugs_that_are_kept_apart(
    *, is_kept_apart: bool
) -> None:
    world = World()
    assert alike(world, "1", ALIKE[0]) == []
    first = world.of(bugs.BugOpened)[-1].bug_id
    assert alike(world, "2", ALIKE[1]) == [first]
    second = world.of(bugs.BugOpened)[-1].bug_id
    if is_kept_apart:
        world.keep_apart(second, first)

    assert alike(world, "3", ALIKE[2]) == ([second] if is_kept_apart else [second, first])


# --- splitting ---


def joined() -> tuple[World, UUID, UUID, UUID]:
    """Return a bug with two reports of the same words, and the ids of both."""
    world = World()
    first = world.report("1", SAME)
    second = world.report("2", SAME)
    return world, world.opened_by(first), first, second


def test_a_report_that_is_taken_out_founds_a_bug_of_its_own() -> None:
    world, bug, first, second = joined()
    assert [link.report_id for link in world.bug(bug).reports] == [first, second]

    world.split(bug, second)

    [split] = world.of(BugSplit)
    new = world.opened_by(second)
    assert new == split.new_bug_id != bug
    assert [link.report_id for link in world.bug(bug).reports] == [first]
    assert [link.report_id for link in world.bug(new).reports] == [second]
    assert world.view(new).split_from == str(bug)
    assert world.view(bug).report_count == 1
    assert world.told(second)[-1] == ("received", world.bug(new).name)
    assert world.of(ReportsParted)[0].report_ids == tuple(sorted((first, second)))


def test_the_founder_may_be_taken_out_and_work_begins_anew_with_the_next_report() -> None:
    world, bug, first, second = joined()
    world.outcome(bugs.BugLocated, bug, base_commit="a" * 40, locations=(), method="m")
    assert world.bug(bug).status is Status.FIXING

    world.split(bug, first)

    [*_, asked] = world.of(bugs.LocateRequested, bug)
    assert (asked.attempt, asked.report.report_id) == (2, second)
    assert world.bug(bug).founder.report_id == second


def test_what_a_person_approved_does_not_hold_for_another_founder() -> None:
    world, bug, first, _ = joined()
    state = world.bug(bug)
    strangers = tuple(r.model_copy(update={"trust": Trust.STRANGER}) for r in state.reports)
    for lifecycle in world.lifecycle.values():
        if str(bug) in lifecycle._bugs:  # as if strangers had reported it
            approved = {"reports": strangers, "fix_approved": True}
            lifecycle._bugs[str(bug)] = state.model_copy(update=approved)

    world.split(bug, first)

    assert not world.bug(bug).trusted


def test_an_edit_of_a_report_that_was_taken_out_arrives_at_its_new_bug() -> None:
    world, bug, _, second = joined()
    world.split(bug, second)

    world.edit("2", "Other words: it is the tax that is wrong here.")

    [updated] = world.of(bugs.ReportUpdated)
    assert updated.bug_id == world.opened_by(second)


def test_an_edit_that_crosses_the_split_is_not_lost() -> None:
    world, bug, _, second = joined()
    world.split(bug, second)
    opened = world.of(bugs.BugOpened, bug)[0]
    crossed = bugs.ReportUpdated(
        **{name: getattr(opened, name) for name in ("project", "actor", "occurred_at")},
        event_id=UUID(int=99),
        correlation_id=UUID(int=98),
        bug_id=bug,
        report=LINK.model_copy(update={"report_id": second, "content_sha256": "ee" * 32}),
    )

    world.hear(crossed)

    [at_home] = world.bug(world.opened_by(second)).reports
    assert at_home.content_sha256 == "ee" * 32
    assert second not in {link.report_id for link in world.bug(bug).reports}


@pytest.mark.parametrize("which", ["only report", "foreign report", "taken out before"])
def test_splits_that_make_no_sense_are_refused_with_the_reason(which: str) -> None:
    world, bug, first, second = joined()
    says = {
        "only report": "only report",
        "foreign report": "has no report",
        "taken out before": "taken out before",
    }
    if which != "foreign report":
        world.split(bug, second)

    world.split(bug, {"only report": first, "foreign report": UUID(int=3)}.get(which, second))

    assert says[which] in refusals(world, bug)[0]


def test_a_merge_takes_a_split_back() -> None:
    world, bug, first, second = joined()
    world.split(bug, second)
    new = world.opened_by(second)

    world.merge(bug, new)

    assert {link.report_id for link in world.bug(bug).reports} == {first, second}
    assert world.bug(bug).parted == {}
    assert [type(e) for e in world.said if isinstance(e, (ReportsJoined, ReportsParted))] == [
        ReportsParted,
        ReportsJoined,
    ]


# --- faults that come back ---


def fixed() -> tuple[World, UUID]:
    world = World()
    bug = world.opened_by(world.report("1", SAME))
    world.fix(bug)
    return world, bug


def test_right_after_the_fix_another_report_is_told_of_the_branch() -> None:
    world, bug = fixed()

    second = world.report("2", SAME, days=3)

    assert world.told(second) == [("fixed", world.bug(bug).name)]
    assert second in {link.report_id for link in world.bug(bug).reports}


def test_long_after_the_fix_a_report_of_it_opens_a_linked_regression() -> None:
    world, bug = fixed()

    second = world.report("2", SAME, days=20)

    new = world.opened_by(second)
    assert world.view(new).regression_of == str(bug)
    assert world.bug(new).status is Status.LOCATING
    assert [link.report_id for link in world.bug(new).reports] == [second]
    assert world.bug(bug).status is Status.FIXED
    [(what, name)] = world.told(second)
    assert (what, name) == ("received", world.bug(new).name)
    said = [e.reason for e in world.of(bugs.NotifyRequested, new)]
    assert world.bug(bug).name in said[0]


def test_once_the_fix_is_merged_it_is_a_regression_at_once() -> None:
    world, bug = fixed()
    comment = {"report_id": LINK.report_id, "comment_blob": BLOB, "trust": Trust.STRANGER}
    world.outcome(bugs.CommentAdded, bug, **comment, happened="fix_merged")

    second = world.report("2", SAME, days=1)

    assert world.view(world.opened_by(second)).regression_of == str(bug)


def test_further_reports_join_the_regression_and_found_no_second_one() -> None:
    world, bug = fixed()
    new = world.opened_by(world.report("2", SAME, days=20))

    third = world.report("3", SAME, days=21)

    assert third in {link.report_id for link in world.bug(new).reports}
    assert third not in {link.report_id for link in world.bug(bug).reports}
    assert len(world.of(bugs.BugOpened)) == 2


def test_reports_that_cross_the_regression_on_their_way_join_it_too() -> None:
    world, bug = fixed()
    opened = world.of(bugs.BugOpened, bug)[0]
    late = world.of(bugs.BugClosed, bug)[0].occurred_at.replace(year=2027)

    def linked(n: int) -> bugs.ReportLinked:
        return bugs.ReportLinked(
            **{name: getattr(opened, name) for name in ("project", "actor")},
            event_id=UUID(int=90 + n),
            correlation_id=UUID(int=98),
            occurred_at=late,
            bug_id=bug,
            report=LINK.model_copy(update={"report_id": UUID(int=n)}),
            rule="same-text",
            similarity=1.0,
            matched_report_id=opened.report.report_id,
        )

    world.hear(linked(1), linked(2), linked(3))

    [new] = {b for homes in world.homes().values() for b in homes} - {bug}
    assert [r.report_id.int for r in world.bug(new).reports] == [1, 2, 3]


def test_a_regression_that_is_merged_back_into_the_fixed_bug_ends_there() -> None:
    world, bug = fixed()
    new = world.opened_by(world.report("2", SAME, days=20))

    world.merge(bug, new)
    third = world.report("3", SAME, days=2)

    assert world.bug(new).merged_into == bug
    assert third in {link.report_id for link in world.bug(bug).reports}


# --- always ---


def test_a_bug_with_many_reports_is_handed_over_in_parts_that_fit_an_event() -> None:
    long = LINK.origin.model_copy(update={"url": "https://x.example/" + "u" * 1_800})
    links = [LINK.model_copy(update={"origin": long, "report_id": UUID(int=n)}) for n in range(100)]

    parts = list(_parts(links))

    assert [link for part in parts for link in part] == links
    assert all(sum(len(r.model_dump_json()) for r in p) < ABSORBED_BYTES_MAX for p in parts)
    assert ABSORBED_BYTES_MAX < EVENT_BYTES_MAX - 16 * 1024


WHAT = ["report", "same", "same", "merge", "merge", "split", "apart", "fix", "edit"]
ACTIONS = st.lists(
    st.tuples(st.sampled_from(WHAT), st.integers(0, 9), st.integers(0, 9)), max_size=16
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(ACTIONS, st.lists(st.integers(0, 7), min_size=1, max_size=20))
def test_in_whatever_order_partitions_are_read_every_report_is_in_exactly_one_bug(
    actions: list[tuple[str, int, int]], order: list[int]
) -> None:
    turns = iter(order * 1_000)
    world = World(pick=lambda _: next(turns))
    reports: list[tuple[str, UUID]] = []
    for number, (what, which, steps) in enumerate(actions):
        world.steps_max = steps * 3  # What is not heard yet crosses what is said next.
        every = sorted({e.bug_id for e in world.of(bugs.BugOpened)}, key=str)
        if what in {"report", "same"} or not every:
            text = SAME if what == "same" else ""
            item = str(number)
            reports.append((item, world.report(item, text, days=which * 3)))
        elif what == "merge":
            world.merge(every[which % len(every)], every[steps % len(every)])
        elif what == "apart":
            world.keep_apart(every[which % len(every)], every[steps % len(every)])
        elif what == "split":
            report_id = reports[which % len(reports)][1]
            world.split(min(world.homes().get(report_id, {every[0]})), report_id)
        elif what == "edit":
            world.edit(reports[which % len(reports)][0], f"edited {number} " * 9)
        else:
            world.settle()
            open_ones = [b for b in every if world.bug(b).status is Status.LOCATING]
            for bug in open_ones[which % 3 :][:1]:
                world.fix(bug)
    world.settle()

    homes = world.homes()
    assert set(homes) == {report_id for _, report_id in reports}
    assert all(len(bugs_of) == 1 for bugs_of in homes.values())
    for bug_id in {b for found in homes.values() for b in found}:
        view = world.view(bug_id)
        assert {r.report_id for r in view.reports} == {
            r.report_id for r in world.bug(bug_id).reports
        }
        assert view.status == world.bug(bug_id).status
    assert len({event.event_id for event in world.said}) == len(world.said)
    apart = {(event.bug_id, event.other_bug_id) for event in world.of(BugsKeptApart)}
    assert apart == {(other_bug, bug) for bug, other_bug in apart}
    words = world.of(ReportsParted)
    assert all(one != another for one, another in (word.report_ids for word in words))
