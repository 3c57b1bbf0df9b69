from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.blobs import FolderBlobs
from connectors.database import open_engine
from projections.views import Views
from schemas import bugs, identity
from schemas.errors import UserError
from schemas.topics import BUGS_EVENTS
from streams.answers import Answers
from streams.broker import temporary_broker
from streams.config import Settings
from streams.kafka_log import KafkaLog
from streams.log import outgoing
from tests.projections.given import fact, link
from tests.streams.typed import LIVES, NEWER, OLDER, fill, opened, run

RUNNER = CliRunner()


@pytest.fixture
def conf(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def test_empty_system_says_what_to_do_next(conf: Settings) -> None:
    fill(conf, [])

    assert "No bugs yet. Report one with `bugstream report FILE`" in run(conf, "bugs").stdout
    assert "Without filters" in run(conf, "bugs", "--status", "fixed").stdout


def test_bugs_are_listed_with_their_titles(conf: Settings) -> None:
    fill(conf, [opened(conf, "Cart total is wrong"), *LIVES])

    shown = run(conf, "bugs").stdout

    assert "Cart total is wrong" in shown
    assert shown.count("BUG-2026-") == 7


def test_next_page_is_named_by_the_command_to_type(conf: Settings) -> None:
    fill(conf, LIVES)
    more = run(conf, "bugs", "--limit", "4").stdout.splitlines()[-1]

    rest = run(conf, *more.removeprefix("More: bugstream ").split()).stdout

    assert rest.count("BUG-2026-") == 2


def test_text_of_strangers_is_neither_markup_nor_a_command_to_the_terminal(conf: Settings) -> None:
    fill(conf, [opened(conf, "[red]x[/] \x1b[2J\x1b]0;owned\x07 \u202egnp")])

    shown = run(conf, "bugs").stdout + run(conf, "bug", str(OLDER)).stdout

    assert "[red]x[/]" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_bug_is_shown_with_its_timeline_and_money(conf: Settings) -> None:
    fill(conf, LIVES)
    paid = next(event for event in LIVES if isinstance(event, bugs.BudgetSpent))

    shown = run(conf, "bug", str(paid.bug_id)[:12]).stdout

    assert "Opened by the report github:acme/" in shown
    assert "model.call" in shown
    assert " paid model call" in shown
    assert "; project project-" in shown


def test_json_is_what_the_query_api_says(conf: Settings) -> None:
    fill(conf, LIVES)
    bug_id = str(LIVES[0].bug_id)
    engine = open_engine(conf.store_url("views"))
    answers = Answers(Views(engine), FolderBlobs(conf.data_path / "blobs"))
    expected = answers.story(bug_id).model_dump(mode="json")
    engine.dispose()

    assert json.loads(run(conf, "bug", bug_id, "--json").stdout) == expected
    assert json.loads(run(conf, "bug", "--json", bug_id).stdout) == expected
    listed = json.loads(run(conf, "bugs", "--json").stdout)
    assert [bug for bug in listed["bugs"] if bug["bug_id"] == bug_id] == [expected["bug"]]


def test_merged_bug_shows_the_one_it_is_part_of(conf: Settings) -> None:
    merged = fact(identity.BugMerged, bug_id=NEWER, into_bug_id=OLDER, reason="the same fault")
    fill(conf, [opened(conf, "older"), opened(conf, "newer", NEWER), merged])

    assert f"Bug {NEWER} is part of BUG-2026-00000 now" in run(conf, "bug", str(NEWER)).stdout
    assert "Merged into" in run(conf, "bug", str(NEWER), "--itself").stdout


def test_unknown_bug_and_unknown_view_are_answered_with_the_way_out(conf: Settings) -> None:
    fill(conf, LIVES)

    with pytest.raises(UserError, match="`bugstream bugs` lists them"):
        run(conf, "bug", "nothing")
    with pytest.raises(UserError, match="there are: bugs, timeline, effects, budget"):
        run(conf, "projections", "rebuild", "bugz")
    with pytest.raises(UserError, match="2026-11-22T10:00:00Z"):
        run(conf, "audit", "replay", "x", "--at", "yesterday")


def test_what_a_bug_took_in_and_who_reported_it_is_shown(conf: Settings) -> None:
    absorbed = fact(
        identity.BugAbsorbed, bug_id=OLDER, merged_bug_id=NEWER, reports=(link("8"), link("9"))
    )
    fill(conf, [opened(conf, "older"), absorbed])

    shown = run(conf, "bug", str(OLDER)).stdout

    assert str(NEWER) in shown
    assert "in github" in shown
    assert "3 reports" in shown


def test_views_are_listed(conf: Settings) -> None:
    assert "No views yet" in run(conf, "projections", "list").stdout
    fill(conf, LIVES)

    listed = json.loads(run(conf, "projections", "list", "--json").stdout)["projections"]

    assert "this program" in run(conf, "projections", "list").stdout
    assert {each["name"] for each in listed} == {"bugs", "timeline", "effects", "budget"}


@pytest.mark.parametrize(
    "words",
    [
        ["bugs"],
        ["bug"],
        ["bug", "merge"],
        ["bug", "split"],
        ["bug", "keep-apart"],
        ["audit", "replay"],
        ["projections", "list"],
    ],
)
def test_help_is_there(conf: Settings, words: list[str]) -> None:
    shown = run(conf, *words, "--help").stdout

    assert "Usage" in shown
    assert "Example" in shown


@pytest.fixture(scope="module")
def kafka() -> Iterator[str]:
    with temporary_broker() as broker:
        with KafkaLog(broker.bootstrap) as log:
            log.ensure_topics([BUGS_EVENTS])
            producer = log.producer("test")
            producer.init()
            producer.begin()
            for event in LIVES:
                producer.produce(outgoing(event))
            producer.commit()
            producer.close()
        yield broker.bootstrap


@pytest.mark.kafka
def test_views_are_rebuilt_and_audited_from_kafka(tmp_path: Path, kafka: str) -> None:
    conf = Settings(data_dir=tmp_path, kafka=kafka)
    bug_id = str(LIVES[0].bug_id)

    run(conf, "projections", "rebuild")
    rebuilt = json.loads(run(conf, "projections", "rebuild", "--json").stdout)["projections"]
    agreed = run(conf, "audit", "replay", bug_id)
    long_ago = run(conf, "audit", "replay", bug_id, "--at", "2020-01-01", "--json")
    engine = open_engine(conf.store_url("views"))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE bugs_2 SET attempt = 99")
    engine.dispose()
    tampered = run(conf, "audit", "replay", bug_id)

    assert [(each["generation"], each["rows"]) for each in rebuilt][1] == (2, len(LIVES))
    assert (agreed.exit_code, tampered.exit_code) == (0, 1)
    assert "The live views say the same as the log." in agreed.stdout
    assert "attempt" in tampered.stdout
    assert json.loads(long_ago.stdout)["state"] is None
