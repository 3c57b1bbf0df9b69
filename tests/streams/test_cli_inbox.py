"""`bugstream inbox`, as typed."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from connectors.blobs import FolderBlobs
from connectors.inbox import Inbox
from connectors.poll_cursors import PollCursors
from processors import normalize
from schemas import topics
from schemas.errors import UserError
from schemas.raw import Origin
from streams import cli_inbox, cli_report
from streams.channels import PARSERS
from streams.config import Settings
from streams.memory_log import MemoryLog
from streams.receiving import Inbound, accept
from streams.relay import Relay
from streams.runner import Runner


def run(folder: Path, *arguments: str, text: str | None = None) -> Result:
    app = typer.Typer()

    @app.callback()
    def options(ctx: typer.Context) -> None:
        ctx.find_root().obj = Settings(data_dir=folder / "data")

    cli_report.register(app)
    cli_inbox.register(app)
    return CliRunner().invoke(app, arguments, input=text, catch_exceptions=False)


def opened(folder: Path) -> Inbox:
    return Inbox.open(Settings(data_dir=folder / "data").store_url("inbox"))


def listed(folder: Path) -> list[tuple[int, str]]:
    found = json.loads(run(folder, "inbox", "list", "--json").stdout)
    return [(row["row"], row["status"]) for row in found]


def test_an_empty_inbox_says_so(tmp_path: Path) -> None:
    assert run(tmp_path, "inbox", "list").stdout == "Nothing came in yet.\n"
    assert listed(tmp_path) == []


def test_what_waits_and_what_was_refused_is_shown(tmp_path: Path) -> None:
    run(tmp_path, "report", "-", text="A bug")
    inbox = opened(tmp_path)
    now = datetime.now(UTC)
    inbox.refuse(route="github", delivery_id="d", reason="signature", at=now)
    inbox.close()

    assert run(tmp_path, "inbox", "show").stdout.splitlines() == [
        "1 waiting for Kafka.",
        "Refused at github: delivery 'd' (signature)",
    ]
    assert json.loads(run(tmp_path, "inbox", "show", "--json").stdout)["waiting"] == 1


def test_a_row_is_shown_with_its_bytes(tmp_path: Path) -> None:
    run(tmp_path, "report", "-", text="A bug\n\nof some kind")
    shown = json.loads(run(tmp_path, "inbox", "show", "1", "--json").stdout)

    assert shown["status"] == "waiting"
    assert json.loads(shown["body"])["title"] == "A bug"
    assert shown["item"].startswith("http:cli#")
    assert "of some kind" in run(tmp_path, "inbox", "show", "1").stdout


def test_a_row_says_whether_it_was_verified_how_often_it_came_and_why_it_became_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, blobs = opened(tmp_path), FolderBlobs(tmp_path / "data" / "blobs")
    inbound = Inbound(
        origin=Origin(channel="github", container="acme/shop", item="1"),
        route="github/issues",
        delivery_id="d1",
        body=b"no JSON",
        content_type="application/json",
        sender="github:ann",
        author="github:ann",
        entity="e",
        meaning="m",
    )
    accept(inbox, blobs, inbound)
    accept(inbox, blobs, inbound)
    with MemoryLog() as log:
        log.ensure_topics(topics.ALL)
        relay = Relay(inbox, log, app="bugstream")
        while relay.step():
            pass
        relay.close()
        stage = normalize.make(blobs, (), PARSERS)
        with Runner(stage, log, app="bugstream") as runner:
            while not runner.step():
                pass
        monkeypatch.setattr(cli_inbox, "open_log", lambda _: nullcontext(log))
        said = json.loads(run(tmp_path, "inbox", "show", "1", "--json").stdout)
    inbox.close()

    assert (said["verified"], said["author_verified"], said["attempts"]) == (True, True, 2)
    assert said["last_error"] == "the body is not JSON"


def test_what_strangers_wrote_does_not_drive_the_terminal(tmp_path: Path) -> None:
    inbox = opened(tmp_path)
    origin = Origin(channel="http", container="x", item="1")
    accept(
        inbox,
        FolderBlobs(tmp_path / "blobs"),
        Inbound(
            origin=origin,
            route="http/receive",
            delivery_id="1",
            body=b"red \x1b[31m",
            content_type="text/plain",
            sender="http:[bold]\x1b]0;mine\x07",
            author="http:x",
            entity=origin.key,
            meaning="m",
        ),
    )
    inbox.close()

    listing = run(tmp_path, "inbox", "list").stdout
    shown = run(tmp_path, "inbox", "show", "1").stdout

    assert "\x1b" not in listing + shown
    assert "[bold]" in shown
    assert "red " in shown


def test_a_large_body_is_fetched_from_its_blob(tmp_path: Path) -> None:
    run(tmp_path, "report", "-", text="A bug\n\n" + "x" * 100_000)
    shown = json.loads(run(tmp_path, "inbox", "show", "1", "--json").stdout)

    assert len(json.loads(shown["body"])["description"]) == 100_000


def test_a_replayed_row_goes_out_again_under_the_same_event_id(tmp_path: Path) -> None:
    run(tmp_path, "report", "-", text="A bug")
    assert "as row 2" in run(tmp_path, "inbox", "replay", "1").stdout
    inbox = opened(tmp_path)
    inbox.number(10)
    first, second = inbox.numbered(1, 10)
    inbox.close()

    assert (first.event_id, first.event) == (second.event_id, second.event)
    assert listed(tmp_path) == [(2, "waiting"), (1, "waiting")]


def test_a_rejected_row_never_goes_out_and_one_on_its_way_cannot_be_rejected(
    tmp_path: Path,
) -> None:
    run(tmp_path, "report", "-", text="A bug")
    run(tmp_path, "inbox", "reject", "1")
    run(tmp_path, "report", "-", text="Another")
    inbox = opened(tmp_path)
    assert inbox.number(10) == 1
    inbox.mark_relayed(2, datetime.now(UTC))
    inbox.close()

    assert listed(tmp_path) == [(2, "relayed"), (1, "rejected")]
    with pytest.raises(UserError, match="in Kafka or on its way"):
        run(tmp_path, "inbox", "reject", "2")
    with pytest.raises(UserError, match="nothing to send"):
        run(tmp_path, "inbox", "replay", "1")


@pytest.mark.parametrize("verb", ["show", "replay", "reject"])
def test_a_row_that_is_not_there_is_named(tmp_path: Path, verb: str) -> None:
    with pytest.raises(UserError, match="no row 17"):
        run(tmp_path, "inbox", verb, "17")


def test_how_far_each_provider_was_asked_is_shown_with_what_went_wrong(tmp_path: Path) -> None:
    nobody = run(tmp_path, "inbox", "pollers")
    inbox = opened(tmp_path)
    cursors = PollCursors(inbox.engine)
    cursors.save("jira", {"until": "x"}, found=3)
    cursors.ended("jira", datetime(2026, 11, 26, 8, tzinfo=UTC))
    cursors.failed("slack/T1/C1", "invite the app\x1b[2J")
    inbox.close()
    shown = run(tmp_path, "inbox", "pollers").stdout

    assert nobody.stdout.startswith("Nobody was asked yet")
    assert "2026-11-26 08:00:00Z" in shown
    assert "invite the app" in shown
    assert "\x1b[2J" not in shown
    assert json.loads(run(tmp_path, "inbox", "pollers", "--json").stdout) == [
        {"name": "jira", "polled_at": "2026-11-26T08:00:00+00:00", "error": None, "found": 3},
        {
            "name": "slack/T1/C1",
            "polled_at": None,
            "error": "invite the app\x1b[2J",
            "found": 0,
        },
    ]
