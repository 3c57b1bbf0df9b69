from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.dedupe import DedupeState
from schemas import bugs
from schemas.errors import FatalError
from schemas.event import Event
from schemas.reports import Frame, ReportNormalized, StackTrace
from tests.factories import normalized

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
    assert any("versions" in reason for reason in suggestion.evidence)


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
