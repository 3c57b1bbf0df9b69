from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

import projections
from connectors.database import open_engine
from projections import store
from projections.bugs import BUGS
from projections.views import AmbiguousBugError, Filter, NotReadyError, UnknownBugError, Views
from schemas import bugs, identity
from schemas.event import BugScoped, human_id
from schemas.lifecycle import Status
from schemas.reports import Severity
from streams.lives import lives
from tests.projections.given import fact, link, logged

Fill = Callable[[Sequence[BugScoped]], Views]
FIRST, SECOND, THIRD = (
    UUID(f"{digit}0000000-0000-5000-8000-00000000000{digit}") for digit in "abc"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "views.sqlite")
    yield engine
    engine.dispose()


@pytest.fixture
def filled(engine: Engine) -> Fill:
    def fill(events: Sequence[BugScoped]) -> Views:
        store.prepare(engine)
        with engine.begin() as connection:
            for projection in projections.ALL:
                built = store.begin(connection, projection)
                expected = store.next_offsets(connection, built)
                store.apply(connection, built, logged(events), expected=expected)
                store.switch(connection, built)
        return Views(engine)

    return fill


def opened(bug_id: UUID, **fields: Any) -> BugScoped:
    made: BugScoped = fact(bugs.BugOpened, report=link(str(bug_id)), bug_id=bug_id, **fields)
    return made


def test_pages_hold_every_bug_once_newest_first(filled: Fill) -> None:
    views = filled(list(lives(seed=2, count=23)))
    seen, after = [], None
    while page := views.bugs(Filter(), limit=5, after=after):
        seen += page
        after = (page[-1].opened_at, page[-1].bug_id)

    assert len({bug.bug_id for bug in seen}) == len(seen) == 23
    assert seen == sorted(seen, key=lambda bug: (bug.opened_at, bug.bug_id), reverse=True)


def test_filters_narrow_down(filled: Fill) -> None:
    views = filled(list(lives(seed=2, count=40)))
    everything = views.bugs(Filter(), limit=100)
    asked = Filter("project-1", (Status.FIXED, Status.COULD_NOT), (Severity.CRITICAL,))

    found = views.bugs(asked, limit=100)

    expected = [
        bug
        for bug in everything
        if bug.project == "project-1"
        and bug.status in {Status.FIXED, Status.COULD_NOT}
        and bug.severity is Severity.CRITICAL
    ]
    assert found == expected
    assert found


@pytest.mark.parametrize(
    "given", [str(FIRST), str(FIRST).upper(), "a0", human_id(FIRST, 2026), "bug-2026-ooooa"]
)
def test_bug_is_found_by_id_by_human_id_and_by_start(filled: Fill, given: str) -> None:
    views = filled([opened(FIRST), opened(SECOND)])

    assert views.find(given).bug_id == str(FIRST)


def test_start_that_fits_two_bugs_names_both(filled: Fill) -> None:
    views = filled([opened(FIRST), opened(SECOND)])

    with pytest.raises(AmbiguousBugError, match="fits several") as caught:
        views.find("BUG-2026")

    assert len(caught.value.candidates) == 2


@pytest.mark.parametrize("given", ["", "zz", "%", "BUG-1999-00000"])
def test_unknown_bug_is_answered_with_the_way_out(filled: Fill, given: str) -> None:
    views = filled([opened(FIRST)])

    with pytest.raises(UnknownBugError, match="`bugstream bugs` lists them"):
        views.find(given)


def test_misspelt_human_id_is_answered_with_the_nearest(filled: Fill) -> None:
    views = filled([opened(FIRST)])

    with pytest.raises(UnknownBugError, match=f"Did you mean {human_id(FIRST, 2026)}"):
        views.find(human_id(FIRST, 2026)[:-1] + "Z")


def test_names_of_bugs_that_are_known_are_told(filled: Fill) -> None:
    views = filled([opened(FIRST), opened(SECOND)])
    ids = [str(FIRST), str(SECOND), str(UUID(int=9))]

    assert views.names(ids) == {each: views.find(each).human_id for each in ids[:2]}
    assert views.names([]) == {}


def test_merged_bug_leads_through_every_merge(filled: Fill) -> None:
    events = [opened(bug_id) for bug_id in (FIRST, SECOND, THIRD)]
    for bug_id, into in ((THIRD, SECOND), (SECOND, FIRST)):
        events.append(fact(identity.BugMerged, bug_id=bug_id, into_bug_id=into, reason="r"))
    views = filled(events)

    assert views.survivor(views.find(str(THIRD))).bug_id == str(FIRST)


def test_merge_into_a_bug_that_is_not_folded_in_yet_leads_nowhere(filled: Fill) -> None:
    merged = fact(identity.BugMerged, bug_id=SECOND, into_bug_id=FIRST, reason="r")
    views = filled([opened(SECOND), merged])

    assert views.survivor(views.find(str(SECOND))).bug_id == str(SECOND)


def test_timeline_and_effects_come_in_order_and_in_pages(filled: Fill) -> None:
    events = list(lives(seed=2, count=1))
    views = filled(events)
    bug_id = str(events[0].bug_id)

    first = views.timeline(bug_id, limit=3)
    rest = views.timeline(bug_id, limit=200, after=first[-1].position)

    assert [moment.type for moment in (*first, *rest)] == [event.type for event in events]
    assert {effect.kind for effect in views.effects(bug_id, limit=50)} <= {
        "git.push",
        "message.post",
        "model.call",
        "rollout",
    }


def test_project_has_spent_what_its_bugs_have(filled: Fill) -> None:
    events = list(lives(seed=2, count=30))
    views = filled(events)
    paid = [e for e in events if isinstance(e, bugs.BudgetSpent) and e.project == "project-1"]

    spent = views.spent("project-1")

    assert spent.spent_usd_micros == sum(event.cost_usd_micros for event in paid) > 0
    assert (spent.bugs, spent.model_calls) == (6, len(paid))
    assert views.spent("nobody").bugs == 0


def test_empty_database_says_how_to_build_the_views(engine: Engine) -> None:
    views = Views(engine)

    with pytest.raises(NotReadyError, match="projections rebuild"):
        views.bugs(Filter(), limit=1)
    assert views.standings() == []


def test_rows_of_another_fold_are_not_taken_for_an_answer(filled: Fill, engine: Engine) -> None:
    views = filled([opened(FIRST)])
    with engine.begin() as connection:
        connection.execute(store.GENERATIONS.update().values(version="another"))

    with pytest.raises(NotReadyError, match="another version"):
        views.find(str(FIRST))
    assert [(each.name, each.is_current) for each in views.standings([BUGS])] == [("bugs", False)]


def test_rows_of_a_bug_come_with_how_far_the_view_was(filled: Fill) -> None:
    views = filled([opened(FIRST), opened(SECOND)])

    rows, offsets = views.rows_of(BUGS, str(SECOND))

    assert [row.bug_id for row in rows] == [str(SECOND)]
    assert (offsets[0], offsets[1]) == (2, 0)


def test_database_that_does_not_answer_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "views.sqlite").mkdir()
    engine = open_engine(tmp_path / "views.sqlite")

    with pytest.raises(NotReadyError, match="does not answer"):
        Views(engine).find(str(FIRST))
    engine.dispose()


def test_file_that_is_no_database_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "views.sqlite").write_bytes(b"no database at all" * 100)
    engine = open_engine(tmp_path / "views.sqlite")

    with pytest.raises(NotReadyError, match="not a database"):
        Views(engine).find(str(FIRST))
    engine.dispose()
