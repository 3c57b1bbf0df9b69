from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from projections.views import Filter, UnknownBugError
from schemas import bugs, identity
from schemas.errors import UserError
from streams.answers import ERASED, UNREADABLE, Answers
from tests.projections.given import fact, link
from tests.streams.known import LIVES, Known, known

OLDER, NEWER = UUID(int=0xA << 124), UUID(int=0xB << 124)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Known]:
    with known(tmp_path, []) as made:
        yield made


def titled(made: Known, title: str, subject: str = "someone") -> bugs.BugOpened:
    report = link("1").model_copy(update={"report_blob": made.report(title, subject)})
    opened: bugs.BugOpened = fact(bugs.BugOpened, report=report, bug_id=OLDER)
    return opened


def test_title_is_read_from_the_report(empty: Known) -> None:
    empty.append([titled(empty, "Cart total is wrong")])
    empty.build()

    assert Answers(empty.views, empty.blobs).bug(str(OLDER)).title == "Cart total is wrong"


def test_title_of_an_erased_report_is_a_word_that_says_so(empty: Known) -> None:
    empty.append([titled(empty, "My name is Ada", subject="ada")])
    empty.build()
    empty.blobs.erase("ada")

    assert Answers(empty.views, empty.blobs).bug(str(OLDER)).title == ERASED


def test_title_of_a_lost_blob_is_not_made_up(empty: Known) -> None:
    empty.append([fact(bugs.BugOpened, report=link("1"), bug_id=OLDER)])
    empty.build()

    assert Answers(empty.views, empty.blobs).bug(str(OLDER)).title == UNREADABLE


def test_merged_bug_leads_on_and_keeps_its_history(empty: Known) -> None:
    empty.append(
        [
            titled(empty, "older"),
            fact(bugs.BugOpened, report=link("2"), bug_id=NEWER),
            fact(identity.BugMerged, bug_id=NEWER, into_bug_id=OLDER, reason="the same fault"),
        ]
    )
    empty.build()
    answers = Answers(empty.views, empty.blobs)

    led = answers.bug(str(NEWER))

    assert (led.bug_id, led.merged_from) == (OLDER, NEWER)
    assert answers.bug(str(NEWER), follow=False).merged_into == OLDER
    assert len(answers.timeline(str(NEWER)).timeline) == 2


def test_other_bugs_are_called_by_their_names_and_the_line_says_how_to_answer(
    empty: Known,
) -> None:
    nowhere = UUID(int=0xC << 124)
    suggested = [
        fact(bugs.LinkSuggested, bug_id=NEWER, other_bug_id=other, similarity=0.7)
        for other in (OLDER, nowhere)
    ]
    newer = fact(bugs.BugOpened, report=link("2"), bug_id=NEWER)
    empty.append([titled(empty, "older"), newer, *suggested])
    empty.build()
    older, newer_name = (empty.views.find(str(each)).human_id for each in (OLDER, NEWER))

    story = Answers(empty.views, empty.blobs).story(str(NEWER))

    _, known_one, unknown_one = (each.sentence for each in story.timeline.timeline)
    assert f"Perhaps the same as bug {older}." in known_one
    assert f"`bugstream bug merge {newer_name} --into {older}`" in known_one
    assert f"`bugstream bug keep-apart {newer_name} --from {older}`" in known_one
    assert str(OLDER) not in known_one
    assert f"Perhaps the same as bug {nowhere}." in unknown_one


@pytest.mark.parametrize("limit", [1, 7, 30, 200])
def test_cursor_leads_through_all_pages(tmp_path: Path, limit: int) -> None:
    with known(tmp_path) as filled:
        answers = Answers(filled.views, filled.blobs)
        page = answers.bugs(Filter(), limit=limit)
        seen = list(page.bugs)
        while page.next_cursor:
            page = answers.bugs(Filter(), limit=limit, cursor=page.next_cursor)
            seen += page.bugs

    assert len({bug.bug_id for bug in seen}) == len(seen) == 30


@pytest.mark.parametrize("cursor", ["x", "!!!!", "MjAyNg", "9" * 200, "é"])
def test_cursor_of_somebody_else_is_refused_with_the_way_out(empty: Known, cursor: str) -> None:
    with pytest.raises(UserError, match=r"cursor: .*next_cursor"):
        Answers(empty.views, empty.blobs).bugs(Filter(), cursor=cursor)


def test_budget_shows_the_bug_and_its_project(tmp_path: Path) -> None:
    paid = next(event for event in LIVES if isinstance(event, bugs.BudgetSpent))
    with known(tmp_path) as filled:
        answer = Answers(filled.views, filled.blobs).budget(str(paid.bug_id))

    assert 0 < answer.spent_usd_micros <= answer.project_total.spent_usd_micros
    assert answer.project_total.bugs == 6


def test_audit_needs_no_views_when_given_a_whole_id(tmp_path: Path) -> None:
    bug_id = LIVES[0].bug_id
    with known(tmp_path) as filled:
        answers = Answers(filled.views, filled.blobs)
        with_views = answers.audit(filled.log, str(bug_id)[:13])
        with filled.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE projection_generations")
        without = answers.audit(filled.log, str(bug_id))

    assert with_views.equals_live
    assert without.state == with_views.state
    assert not without.equals_live


def test_audit_of_a_bug_the_log_never_heard_of_says_so(empty: Known) -> None:
    with pytest.raises(UnknownBugError, match="bugstream bugs"):
        Answers(empty.views, empty.blobs).audit(empty.log, str(OLDER))
