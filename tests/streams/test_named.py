from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from projections.bugs import Bug
from schemas import bugs, identity
from schemas.errors import UserError
from streams.named import pair_of, report_of, two_of
from tests.projections.given import fact, link
from tests.streams.known import Known, known

OLDER, NEWER, OTHER = UUID(int=0xA << 124), UUID(int=0xB << 124), UUID(int=0xC << 124)


@pytest.fixture
def filled(tmp_path: Path) -> Known:
    linked = fact(
        bugs.ReportLinked,
        bug_id=OLDER,
        report=link("2"),
        rule="r",
        similarity=1,
        matched_report_id=UUID(int=1),
    )
    events = [
        fact(bugs.BugOpened, bug_id=OLDER, report=link("1")),
        linked,
        fact(bugs.BugOpened, bug_id=NEWER, report=link("3")),
        fact(bugs.BugOpened, bug_id=OTHER, report=link("4"), project="till"),
    ]
    with known(tmp_path, events) as made:
        return made


def bug(filled: Known, bug_id: UUID = OLDER) -> Bug:
    return filled.views.find(str(bug_id))


def test_of_two_bugs_the_older_one_comes_first_however_they_are_named(filled: Known) -> None:
    for given, into in ((OLDER, NEWER), (NEWER, OLDER)):
        older, newer = pair_of(filled.views, str(given), str(into))

        assert (older.bug_id, newer.bug_id) == (str(OLDER), str(NEWER))


def test_a_merged_bug_stands_for_the_one_it_is_part_of(tmp_path: Path) -> None:
    merged = fact(identity.BugMerged, bug_id=NEWER, into_bug_id=OLDER, reason="r")
    events = [fact(bugs.BugOpened, bug_id=each, report=link("1")) for each in (OLDER, NEWER)]
    with known(tmp_path, [*events, merged]) as made, pytest.raises(UserError, match="one bug"):
        pair_of(made.views, str(OLDER), str(NEWER))


def test_bugs_of_two_projects_and_a_bug_and_itself_are_no_pair(filled: Known) -> None:
    with pytest.raises(UserError, match="different projects"):
        pair_of(filled.views, str(OLDER), str(OTHER))
    with pytest.raises(UserError, match="one bug already"):
        pair_of(filled.views, str(OLDER), str(OLDER))


def test_two_bugs_that_are_to_stay_two_keep_the_order_they_are_named_in(filled: Known) -> None:
    one, other = two_of(filled.views, str(NEWER), str(OLDER), option="--from")

    assert (one.bug_id, other.bug_id) == (str(NEWER), str(OLDER))
    with pytest.raises(UserError, match=r"--from: BUG-2026-\w+ is of project 'till'"):
        two_of(filled.views, str(OLDER), str(OTHER), option="--from")
    with pytest.raises(UserError, match=r"one bug already.*bugstream bug split"):
        two_of(filled.views, str(OLDER), str(OLDER), option="--from")


def test_a_report_is_known_by_its_id_the_start_of_it_and_its_place(filled: Known) -> None:
    two = link("2")

    for given in (str(two.report_id), str(two.report_id)[:8].upper(), two.origin.key):
        assert report_of(bug(filled), given) == two.report_id


@pytest.mark.parametrize("given", ["nothing", "", "12"])
def test_a_report_that_it_has_not_is_refused_with_those_it_has(filled: Known, given: str) -> None:
    with pytest.raises(UserError, match=r"no such report; there are: github.*2"):
        report_of(bug(filled), given)


def test_the_only_report_stays(filled: Known) -> None:
    with pytest.raises(UserError, match="only report"):
        report_of(bug(filled, NEWER), link("3").origin.key)


def test_of_many_reports_those_that_are_not_listed_need_the_whole_id(filled: Known) -> None:
    many = replace(bug(filled), report_count=99)

    assert report_of(many, str(UUID(int=7))) == UUID(int=7)
    with pytest.raises(UserError, match="whole id"):
        report_of(many, "github:acme/shop#9")
