from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.dedupe import DedupeState
from processors.links import KEY
from schemas import bugs
from schemas.errors import FatalError
from schemas.event import Event, human_id
from schemas.raw import Origin
from schemas.reports import Frame, ReportCommented, ReportNormalized, StackTrace, Trust
from tests.factories import BLOB, envelope, normalized
from tests.processors.test_links import back, parted

LONG = "When I put nothing into the cart and ask for the total the program stops with an error"


def decide(*reports: Event) -> list[Event]:
    state = DedupeState(0)
    return [event for report in reports for event in state.decide(report).events]


def test_the_first_report_opens_a_bug() -> None:
    [event] = decide(normalized(LONG))

    assert isinstance(event, bugs.BugOpened)


def test_the_same_words_from_elsewhere_are_linked() -> None:
    first, second = decide(normalized(LONG), normalized(LONG + "!", item="13"))

    assert isinstance(second, bugs.ReportLinked)
    assert second.bug_id == first.bug_id
    assert second.rule == "same-text"


def test_a_repeated_delivery_decides_nothing_and_an_edit_updates() -> None:
    _, update = decide(normalized(LONG), normalized(LONG), normalized("Now with more detail."))

    assert isinstance(update, bugs.ReportUpdated)


def test_a_near_identical_text_that_names_another_version_is_only_suggested() -> None:
    one, two = (f"{LONG} " * 4 + f"on version {v}" for v in ("1.2.3", "1.2.4"))

    _, second, suggestion = decide(normalized(one), normalized(two, item="13"))

    assert isinstance(second, bugs.BugOpened)
    assert isinstance(suggestion, bugs.LinkSuggested)
    assert any("versions" in reason for reason in suggestion.vetoes)


def test_a_negation_vetoes_a_merge() -> None:
    one, two = f"{LONG} " * 4 + "when caching is enabled", f"{LONG} " * 4 + "when it is disabled"

    _, second, *_ = decide(normalized(one), normalized(two, item="13"))

    assert isinstance(second, bugs.BugOpened)


def test_a_short_generic_text_merges_nothing() -> None:
    _, second, *_ = decide(
        normalized("broken", title="Help"), normalized("broken", title="Help", item="13")
    )

    assert isinstance(second, bugs.BugOpened)


def test_the_same_stack_trace_links_reports_in_other_words() -> None:
    frame = Frame(path="shop/cart.py", line=8, function="total")
    found = (StackTrace(language="python", exception="KeyError", message="'a'", frames=(frame,)),)

    _, second = decide(
        normalized("Totals explode", stack_traces=found),
        normalized("Checkout is dead", item="13", stack_traces=found),
    )

    assert isinstance(second, bugs.ReportLinked)
    assert second.rule == "same-stack"


def test_reports_of_different_projects_are_never_merged() -> None:
    other = normalized(LONG, item="13").model_copy(update={"project": "till"})

    _, second = decide(normalized(LONG), other)

    assert isinstance(second, bugs.BugOpened)


def test_a_rolled_back_decision_is_taken_again_alike() -> None:
    state = DedupeState(0)
    state.decide(normalized(LONG))
    state.commit()
    first = state.decide(normalized(LONG, item="13"))
    state.decide(normalized("edited", item="13"))
    state.rollback()

    assert state.decide(normalized(LONG, item="13")) == first


def test_state_that_cannot_be_read_stops_the_stage() -> None:
    with pytest.raises(FatalError, match="not readable"):
        DedupeState(0).load("x", b"garbage")


STREAM = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from([LONG, LONG + " 7", "It fails", LONG + " not"])),
    max_size=12,
).map(lambda pairs: [normalized(text, item=str(item)) for item, text in pairs])


def in_batches(reports: Sequence[ReportNormalized], cuts: Iterable[int]) -> list[Event]:
    """Decide with a restart (state loaded from its changes) after each batch of `cuts` records."""
    topic: dict[str, bytes | None] = {}
    out: list[Event] = []
    left = list(reports)
    for cut in [*cuts, len(left)]:
        state = DedupeState(0)
        for key, value in topic.items():
            state.load(key, value)
        state.decide(normalized("thrown away", item="99"))
        state.rollback()
        batch, left = left[:cut], left[cut:]
        for report in batch:
            decision = state.decide(report)
            out += decision.events
            for change in decision.changes:
                topic.pop(change.key, None)  # Compaction keeps the newest, at its place.
                topic[change.key] = change.value
        state.commit()
    return out


@given(STREAM, st.lists(st.integers(0, 5), max_size=4))
def test_verdicts_do_not_depend_on_restarts_or_batches(
    reports: list[ReportNormalized], cuts: list[int]
) -> None:
    assert in_batches(reports, cuts) == decide(*reports)


def at(hour: int, text: str) -> ReportNormalized:
    return normalized(text, updated_at=datetime(2026, 1, 2, hour, tzinfo=UTC))


def test_an_older_state_that_comes_late_overwrites_nothing() -> None:
    old, new = at(1, "It fails."), at(3, "It fails at noon.")

    assert [type(event) for event in decide(new, old)] == [bugs.BugOpened]
    assert [type(event) for event in decide(old, new, old)] == [bugs.BugOpened, bugs.ReportUpdated]


def test_a_state_is_known_to_be_new_although_it_says_nothing_new() -> None:
    seen, between, again = at(1, "It fails."), at(2, "Never mind."), at(3, "It fails.")

    assert [type(event) for event in decide(seen, again, between)] == [bugs.BugOpened]


def test_of_two_states_of_one_second_the_later_one_counts() -> None:
    _, update = decide(at(1, "It fails."), at(1, "It fails at noon."))

    assert isinstance(update, bugs.ReportUpdated)


@given(st.permutations([at(hour, f"Version {hour} of it") for hour in range(1, 6)]))
def test_in_whatever_order_states_arrive_the_newest_stands_at_the_end(
    states: list[ReportNormalized],
) -> None:
    stands = [event for event in decide(*states) if isinstance(event, _STANDING)][-1]
    newest = next(state for state in states if state.report.description == "Version 5 of it")

    assert stands.report.content_sha256 == newest.content_sha256


_STANDING = (bugs.BugOpened, bugs.ReportUpdated)


def note(bug_id: UUID, *, project: str = "shop") -> ReportCommented:
    origin = Origin(channel="github", container="acme/shop", item="commit/abc")
    return ReportCommented(
        **envelope("note", bug_id=None) | {"project": project},
        report_id=origin.report_id,
        origin=origin,
        comment_blob=BLOB,
        trust=Trust.STRANGER,
        note="A check failed.",
        bug_name=human_id(bug_id, 2031),
    )


def test_what_becomes_of_our_branch_stands_with_the_bug_that_it_is_for() -> None:
    [opened] = decide(normalized(LONG))
    assert isinstance(opened, bugs.BugOpened)

    *_, added = decide(normalized(LONG), normalized(LONG, item="13"), note(opened.bug_id))

    assert isinstance(added, bugs.CommentAdded)
    assert (added.bug_id, added.report_id) == (opened.bug_id, opened.report.report_id)
    assert added.note == "A check failed."


def test_a_note_on_a_bug_that_is_not_known_here_is_none() -> None:
    [opened] = decide(normalized(LONG))
    assert opened.bug_id is not None

    assert len(decide(normalized(LONG), note(UUID(int=5)))) == 1
    assert len(decide(normalized(LONG), note(opened.bug_id, project="till"))) == 1


def test_a_name_that_two_bugs_share_names_neither() -> None:
    state = DedupeState(0)
    [opened] = state.decide(normalized(LONG)).events
    [change] = state.decide(normalized("Another thing is wrong here", item="13")).changes
    assert opened.bug_id is not None
    assert change.value is not None
    shared = json.loads(change.value) | {"bug": str(UUID(int=opened.bug_id.int ^ 1 << 100))}

    assert state.decide(note(opened.bug_id)).events
    state.load(change.key, json.dumps(shared).encode())
    assert not state.decide(note(opened.bug_id)).events


def test_a_word_that_parts_two_reports_holds_after_a_restart() -> None:
    one, other = normalized(LONG), normalized(LONG, item="13")
    told = DedupeState(0).decide(parted(one.report.report_id, other.report.report_id))
    again = DedupeState(0)
    for change in told.changes:
        again.load(change.key, change.value)

    found = [event for report in (one, other) for event in again.decide(report).events]

    assert [type(event) for event in found] == [bugs.BugOpened, bugs.BugOpened]


def test_a_move_of_a_report_that_is_not_known_here_is_kept_and_answered() -> None:
    decision = DedupeState(0).decide(back(1, 2))

    [event] = decision.events
    assert isinstance(event, bugs.BugOpened)
    assert (event.bug_id, event.fingerprints) == (UUID(int=2), ())
    assert [change.key.startswith(KEY) for change in decision.changes] == [True]


def test_a_record_of_the_first_releases_is_read() -> None:
    state = DedupeState(0)
    [change] = state.decide(at(3, LONG)).changes
    assert change.value is not None
    first = json.loads(change.value)
    del first["updated"]
    state.load(change.key, json.dumps(first).encode())

    [update] = state.decide(at(1, "Now with more detail.")).events

    assert isinstance(update, bugs.ReportUpdated)
