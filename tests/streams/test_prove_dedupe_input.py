from __future__ import annotations

from collections import Counter
from random import Random

from schemas.codec import decode, encode
from schemas.registry import partition_of
from streams.prove_dedupe_input import PROJECTS, reports

MADE = list(reports(320, Random(1)))


def test_the_same_chance_gives_the_same_reports_and_another_gives_others() -> None:
    assert list(reports(320, Random(1))) == MADE
    assert list(reports(320, Random(2))) != MADE


def test_each_project_has_a_partition_of_its_own_and_enough_of_the_reports() -> None:
    places = Counter((one.project, partition_of(one)) for one in MADE)

    assert {project for project, _ in places} == {*PROJECTS}
    assert len({number for _, number in places}) == len(places) == len(PROJECTS)
    assert min(places.values()) > 80


def test_they_can_be_written_and_read() -> None:
    assert all(decode(encode(one)) == one for one in MADE[:50])
    assert len({one.event_id for one in MADE}) == len(MADE)


def test_there_are_both_languages_edits_repetitions_and_traces() -> None:
    chinese = sum(not one.report.title.isascii() for one in MADE)
    by_item = Counter(one.report.report_id for one in MADE)
    told = Counter((one.report.report_id, one.content_sha256) for one in MADE)
    texts = Counter((one.project, one.content_sha256) for one in MADE)

    assert 80 < chinese < 200
    assert sum(count > 1 for count in by_item.values()) > 10
    assert sum(count > 1 for count in told.values()) > 3
    assert sum(count > 1 for count in texts.values()) > 20
    assert sum(bool(one.report.stack_traces) for one in MADE) > 3


def test_a_project_of_an_edited_report_stays_the_same() -> None:
    homes = {(one.report.report_id, one.project) for one in MADE}

    assert len(homes) == len({report_id for report_id, _ in homes})
