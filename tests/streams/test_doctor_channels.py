"""The doctor says of each channel who can come in, and what a downtime costs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.inbox import Inbox
from connectors.poll_cursors import PollCursors
from streams.channels import DOORS, WAYS
from streams.config import Settings
from streams.doctor_channels import check_channels, said_of, standings
from streams.doctor_kafka import Check


def found(folder: Path, **values: Any) -> dict[str, Check]:
    settings = Settings.model_validate({"data_dir": folder, **values})
    return {check.name.removeprefix("channel "): check for check in check_channels(settings)}


def test_each_channel_has_a_line_that_says_what_is_not_set_and_how_to_set_it(
    tmp_path: Path,
) -> None:
    checks = found(tmp_path / "data")

    assert list(checks) == [way.channel for way in WAYS]
    assert {checks[name].state for name in ("github", "jira", "slack", "monitoring")} == {"note"}
    assert (
        "doors: slack closed, slack-command closed; account slack not set" in checks["slack"].found
    )
    assert "asks nothing" in checks["slack"].found
    assert "[slack]" in checks["slack"].way_out
    assert "webhook_secrets.slack-command" in checks["slack"].way_out
    assert "github_webhook_secrets" in checks["github"].way_out
    assert not (tmp_path / "data").exists()


def test_what_can_be_recovered_and_what_cannot_is_said_of_every_door(tmp_path: Path) -> None:
    said = " ".join(check.found for check in found(tmp_path).values())

    assert all(door.recovery in said for door in DOORS)
    assert "Slash commands cannot be recovered" in said
    assert said.count("Issues and comments that changed in the last 30 days") == 1


def test_what_is_set_is_open_and_its_pollers_say_how_they_stand(tmp_path: Path) -> None:
    inbox = Inbox.open(tmp_path / "inbox.sqlite")
    cursors = PollCursors(inbox.engine)
    cursors.save("jira", {}, found=3)
    cursors.ended("jira", datetime(2026, 11, 26, 8, tzinfo=UTC))
    cursors.failed("slack/T1/C1", "Slack refused: invite the app to the channel")
    inbox.close()
    checks = found(
        tmp_path,
        webhook_secrets={"jira": ["canary"]},
        jira={"url": "https://acme.atlassian.net", "token": "canary"},
        slack={"token": "canary"},
        project=[{"id": "shop", "sources": ["jira:SHOP", "slack:T1/C1", "slack:T1/C2"]}],
    )
    jira, slack = checks["jira"], checks["slack"]

    assert jira.state == "ok"
    assert jira.found.startswith(
        "doors: jira open, jira-oauth closed; account jira set;"
        " asks jira: last round 2026-11-26T08:00:00, 3 found. After a downtime: Issues"
    )
    assert slack.state == "note"
    assert "asks slack/T1/C1: no round has ended well, 0 found" in slack.found
    assert "asks slack/T1/C2: has not asked yet" in slack.found
    assert slack.way_out == "slack/T1/C1: Slack refused: invite the app to the channel"
    assert "canary" not in str(checks)


def test_an_inbox_that_cannot_be_read_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "inbox.sqlite").write_bytes(b"no database" * 500)

    assert standings(Settings(data_dir=tmp_path)) == {}
    assert said_of(None) == "has not asked yet"


def test_the_door_of_tools_is_closed_without_a_token(tmp_path: Path) -> None:
    closed, opened = found(tmp_path)["http"], found(tmp_path, api_tokens=("t",))["http"]

    assert (closed.state, closed.way_out) == ("note", "To use it, set api_tokens.")
    assert closed.found.startswith("closed.")
    assert (opened.state, opened.found[:5]) == ("ok", "open.")
