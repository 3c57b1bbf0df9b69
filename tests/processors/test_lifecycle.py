from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.lifecycle import LifecycleState
from schemas import registry
from schemas.errors import FatalError
from schemas.event import Event
from schemas.projects import Project
from schemas.tell import Tell
from tests.factories import EXAMPLES

SHOP = Project(id="shop", git_url="file:///srv/shop.git")
FACTS = [event for event in EXAMPLES if event.bug_id is not None]


def fresh() -> LifecycleState:
    return LifecycleState(0, {"shop": SHOP}.get, Tell())


def test_its_own_facts_come_back_and_decide_nothing_twice() -> None:
    state = fresh()
    for event in FACTS:
        own = registry.BY_TYPE[event.type].writer == "lifecycle"
        if own and event.type not in {"bug.absorbed", "merge.requested", "apart.requested"}:
            assert state.decide(event).events == ()


def test_state_that_cannot_be_read_stops_the_stage() -> None:
    with pytest.raises(FatalError, match="not readable"):
        fresh().load("x", b"garbage")


def in_batches(events: list[Event], cuts: Iterable[int]) -> list[Event]:
    topic: dict[str, bytes | None] = {}
    out: list[Event] = []
    left = list(events)
    for cut in [*cuts, len(left)]:
        state = fresh()
        for key, value in topic.items():
            state.load(key, value)
        state.decide(FACTS[0])
        state.rollback()
        batch, left = left[:cut], left[cut:]
        for event in batch:
            decision = state.decide(event)
            out += decision.events
            topic.update((change.key, change.value) for change in decision.changes)
        state.commit()
    return out


STREAM = st.lists(st.sampled_from(FACTS), max_size=15)


@given(STREAM, st.lists(st.integers(0, 5), max_size=4))
def test_decisions_do_not_depend_on_restarts_or_batches(
    events: list[Event], cuts: list[int]
) -> None:
    assert in_batches(events, cuts) == in_batches(events, ())


@given(STREAM)
def test_what_it_writes_is_its_own_to_write(events: list[Event]) -> None:
    assert all(registry.BY_TYPE[e.type].writer == "lifecycle" for e in in_batches(events, ()))
