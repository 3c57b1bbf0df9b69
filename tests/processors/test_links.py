from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.dedupe import DedupeState
from processors.links import KEY, Links, records_of
from schemas.bugs import BugOpened, LinkSuggested, ReportLinked
from schemas.errors import FatalError
from schemas.event import Event, derived_id
from schemas.links import LinkEvent, ReportMoved, ReportsJoined, ReportsParted, pair
from schemas.reports import ReportNormalized
from tests.factories import LINK, envelope, normalized, opened

SAME = "The total of an order ignores the coupon when the cart holds more than nine articles."
OTHER = (
    "Nothing of this resembles it: an export to the archive stops after midnight, each day anew."
)


def joined(one: UUID, other: UUID, merged: int = 2, into: int = 1) -> ReportsJoined:
    name = f"joined {one} {other} {merged} {into}"
    return ReportsJoined(
        **envelope(name, bug_id=None),
        report_ids=pair(one, other),
        merged_bug_id=UUID(int=merged),
        into_bug_id=UUID(int=into),
    )


def parted(one: UUID, other: UUID) -> ReportsParted:
    made = envelope(f"parted {one} {other}", bug_id=None)
    return ReportsParted(**made, report_ids=pair(one, other))


def back(bug: int, as_: int) -> ReportMoved:
    return ReportMoved(
        **envelope(f"back {bug} {as_}", bug_id=None),
        report=LINK,
        from_bug_id=UUID(int=bug),
        from_name="BUG-2026-7F3K2",
        to_bug_id=UUID(int=as_),
        beside_report_id=UUID(int=5),
        why="regression",
        founds=True,
    )


A, B, C = (UUID(int=n) for n in (11, 12, 13))


def test_the_newest_word_about_a_pair_counts_and_says_nothing_of_a_third() -> None:
    links = Links()
    links.take(joined(A, B))
    links.take(joined(B, C))

    assert (links.must(A), links.must(C)) == ((B,), (B,))  # A and C: nobody said so.
    links.take(parted(B, A))
    assert links.must(A) == ()
    assert (links.parted(A), links.parted(C)) == ((B,), ())


def test_bugs_lead_to_where_they_are_now() -> None:
    links = Links()
    links.take(joined(A, B, merged=3, into=2))
    links.take(joined(A, C, merged=2, into=1))
    links.take(back(1, as_=7))

    assert links.home(UUID(int=3)) == UUID(int=1)
    assert links.newest(UUID(int=3)) == UUID(int=7)


def test_a_regression_that_was_merged_back_leads_to_the_old_bug() -> None:
    links = Links()
    links.take(back(1, as_=7))
    links.take(joined(A, B, merged=7, into=1))

    assert links.newest(UUID(int=1)) == UUID(int=1)


WORDS = st.lists(
    st.one_of(
        st.builds(
            joined,
            st.sampled_from([A, B]),
            st.just(C),
            merged=st.integers(5, 9),
            into=st.integers(1, 4),
        ),
        st.builds(parted, st.sampled_from([A, B]), st.just(C)),
        st.builds(back, st.integers(1, 4), as_=st.integers(20, 22)),
    ),
    max_size=12,
)


def answers(links: Links) -> object:
    bugs = [UUID(int=n) for n in range(30)]
    words = [(links.must(r), links.parted(r)) for r in (A, B, C)]
    return words, [(links.home(b), links.newest(b)) for b in bugs]


@given(WORDS, WORDS)
def test_what_is_undone_was_never_said(kept: list[LinkEvent], undone: list[LinkEvent]) -> None:
    links, wanted = Links(), Links()
    for event in kept:
        links.take(event)
        wanted.take(event)

    undos = [links.take(event) for event in undone]
    for undo in reversed(undos):
        undo()

    assert answers(links) == answers(wanted)


@given(WORDS)
def test_state_records_say_the_same_after_compaction(events: list[LinkEvent]) -> None:
    live, loaded = Links(), Links()
    topic: dict[str, bytes] = {}
    for event in events:
        live.take(event)
        for record in records_of(event):
            assert record.value is not None
            topic.pop(record.key, None)
            topic[record.key] = record.value
    for key, value in topic.items():
        loaded.load(key, value)

    assert answers(loaded) == answers(live)


def test_a_record_that_is_no_link_stops_the_stage() -> None:
    other = opened().model_dump_json(exclude_none=True).encode()

    with pytest.raises(FatalError, match="not readable"):
        DedupeState(0).load(f"{KEY}x", other)


# --- what dedupe makes of it, when it starts from nothing ---


def decided(*events: Event) -> list[Event]:
    state = DedupeState(0)
    return [follow for event in events for follow in state.decide(event).events]


def test_what_a_person_parted_is_never_merged_again_nor_suggested() -> None:
    one, two = normalized(SAME, item="1"), normalized(SAME, item="2")
    ids = one.report.report_id, two.report.report_id
    assert [type(e) for e in decided(one, two)] == [BugOpened, ReportLinked]

    found = decided(parted(*ids), one, two)

    assert [type(e) for e in found] == [BugOpened, BugOpened]


def test_what_was_parted_from_one_report_joins_no_other_report_of_that_bug() -> None:
    one, two, three = (normalized(SAME, item=item) for item in "123")
    word = parted(one.report.report_id, three.report.report_id)

    found = decided(word, one, two, three)

    assert [type(e) for e in found] == [BugOpened, ReportLinked, BugOpened]


def test_what_a_person_joined_is_always_linked() -> None:
    one, two = normalized(SAME, item="1"), normalized(OTHER, item="2", title="export stops")
    ids = one.report.report_id, two.report.report_id
    assert [type(e) for e in decided(one, two)] == [BugOpened, BugOpened]

    [first, second] = decided(joined(*ids), one, two)

    assert isinstance(second, ReportLinked)
    assert (second.bug_id, second.rule) == (first.bug_id, "must-link")
    assert second.matched_report_id == ids[0]


def test_a_joined_pair_pulls_no_third_report_along() -> None:
    one = normalized(SAME, item="1")
    two = normalized(OTHER, item="2", title="export stops")
    near = OTHER.replace("midnight", "9.15")
    three = normalized(near, item="3", title="export stops")
    alone = decided(two, three)
    assert [type(e) for e in alone] == [BugOpened, BugOpened, LinkSuggested]

    found = decided(joined(one.report.report_id, two.report.report_id), one, two, three)

    assert [type(e) for e in found] == [BugOpened, ReportLinked, BugOpened, LinkSuggested]


COUPON = (
    "The total of an order ignores the coupon when the cart holds more than nine articles of it.",
    "The total of an order ignores the coupon in the cart once a gift card has been used as well.",
    "The total of an order ignores the coupon in the cart after a gift card was taken back.",
)


def coupon(n: int) -> ReportNormalized:
    return normalized(COUPON[n], item=str(n), title=f"coupon {n} ignored")


def suggested(events: list[Event]) -> list[UUID]:
    return [event.other_bug_id for event in events if isinstance(event, LinkSuggested)]


def test_of_bugs_that_are_kept_apart_a_third_report_is_suggested_the_likest() -> None:
    one, two, three = (coupon(n) for n in range(3))
    bugs_of = [derived_id(each.report.report_id, "bug") for each in (one, two)]
    assert suggested(decided(one, two, three)) == [bugs_of[0], bugs_of[1], bugs_of[0]]

    word = parted(one.report.report_id, two.report.report_id)

    assert suggested(decided(one, two, word, three)) == bugs_of


def test_bugs_that_are_kept_apart_stay_so_where_one_of_them_took_a_third_in() -> None:
    """The likest report is of a bug that is part of another one, of which a person spoke."""
    one, two, three = (coupon(n) for n in range(3))
    far = normalized(OTHER, item="9", title="export stops")
    a, b, c = (each.report.report_id for each in (one, two, far))
    home = derived_id(c, "bug")
    merged = joined(b, c).model_copy(
        update={"merged_bug_id": derived_id(b, "bug"), "into_bug_id": home}
    )
    before = suggested(decided(far, one, two, merged, three))
    assert before[1:] == [home, derived_id(a, "bug")]

    after = suggested(decided(far, one, two, merged, parted(a, c), three))

    assert after[1:] == [home]
