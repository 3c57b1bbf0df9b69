"""What people ask of a bug at a terminal, down to what the inbox keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.database import open_engine
from connectors.inbox import Inbox
from schemas import bugs, identity
from schemas.codec import decode
from schemas.commands import KeepApart
from schemas.errors import UserError
from streams.config import Settings
from tests.projections.given import fact, link
from tests.streams.typed import LIVES, NEWER, OLDER, fill, opened, run


@pytest.fixture
def conf(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.mark.parametrize("verb", ["approve", "reject", "retry", "abandon"])
def test_word_of_a_person_goes_to_the_inbox(conf: Settings, verb: str) -> None:
    fill(conf, LIVES)

    result = run(conf, "bug", verb, str(LIVES[0].bug_id), "--json")

    answer = json.loads(result.stdout)
    engine = open_engine(conf.store_url("inbox"))
    waiting = Inbox(engine).waiting()
    engine.dispose()
    assert (answer["command"], answer["bug_id"], waiting) == (verb, str(LIVES[0].bug_id), 1)


def test_word_about_a_merged_bug_goes_to_the_one_it_is_part_of(conf: Settings) -> None:
    merged = fact(identity.BugMerged, bug_id=NEWER, into_bug_id=OLDER, reason="the same fault")
    fill(conf, [opened(conf, "older"), opened(conf, "newer", NEWER), merged])

    said = run(conf, "bug", "approve", str(NEWER), "--note", "fine").stdout

    assert "that one is meant" in said
    assert "bugstream bug BUG-2026-00000" in said


def sent(conf: Settings) -> Any:
    engine = open_engine(conf.store_url("inbox"))
    inbox = Inbox(engine)
    inbox.number(10)
    [row] = inbox.numbered(1, 10)
    engine.dispose()
    return decode(row.event)


def three(conf: Settings) -> None:
    more = {"rule": "r", "similarity": 1, "matched_report_id": link("1").report_id}
    linked = fact(bugs.ReportLinked, bug_id=OLDER, report=link("2"), **more)
    fill(conf, [opened(conf, "older"), linked, opened(conf, "newer", NEWER)])


def test_a_merge_is_asked_of_the_older_bug_whichever_way_it_is_typed(conf: Settings) -> None:
    three(conf)

    said = run(conf, "bug", "merge", str(OLDER), "--into", str(NEWER), "--note", "same").stdout

    command = sent(conf)
    assert (command.bug_id, command.other_bug_id) == (OLDER, NEWER)
    assert command.note is not None
    assert "into BUG-2026-00000, the older of them" in said


def test_a_split_names_the_report_as_people_see_it(conf: Settings) -> None:
    three(conf)
    place = link("2").origin.key

    result = run(conf, "bug", "split", str(OLDER), "--report", place, "--json")

    command, answer = sent(conf), json.loads(result.stdout)
    assert (command.bug_id, command.report_id) == (OLDER, link("2").report_id)
    assert answer["about"] == str(link("2").report_id)
    with pytest.raises(UserError, match="only report"):
        run(conf, "bug", "split", str(NEWER), "--report", link("1").origin.key)


def test_keeping_apart_is_asked_of_the_bug_that_is_named_first(conf: Settings) -> None:
    three(conf)

    words = ["bug", "keep-apart", str(NEWER), "--from", str(OLDER)]
    said = run(conf, *words, "--note", "another page").stdout

    command = sent(conf)
    assert isinstance(command, KeepApart)
    assert (command.bug_id, command.other_bug_id) == (NEWER, OLDER)
    assert command.note is not None
    assert "Asked to keep BUG-2026-00000 apart from BUG-2026-00000." in said


def test_what_is_one_bug_is_not_kept_apart(conf: Settings) -> None:
    merged = fact(identity.BugMerged, bug_id=NEWER, into_bug_id=OLDER, reason="the same fault")
    fill(conf, [opened(conf, "older"), opened(conf, "newer", NEWER), merged])

    with pytest.raises(UserError, match="one bug already"):
        run(conf, "bug", "keep-apart", str(NEWER), "--from", str(OLDER))
