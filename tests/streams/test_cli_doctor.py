"""`bugstream doctor` for people and for programs; its exit code says if anything is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streams.cli_doctor import register

pytestmark = pytest.mark.sandbox  # It tries the real one.


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command("other")(lambda: None)
    register(app)
    return app


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BUGSTREAM_ANTHROPIC_API_KEY", "canary-0815")


def test_a_sound_machine_exits_0_and_shows_no_secret(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["missing"] == []
    assert found["settings"]["anthropic_api_key"] == "********"
    assert {"git", "java", "sandbox", "kafka"} <= {check["name"] for check in found["checks"]}
    assert "canary-0815" not in result.output


def test_what_is_missing_is_named_with_the_way_out(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    result = CliRunner().invoke(app, ["doctor"])

    assert result.exit_code == 1
    assert "missing git: not found on PATH" in result.output
    assert "apt install git" in result.output
    assert "Missing: git" in result.output
    assert "canary-0815" not in result.output


def test_what_was_set_is_shown_in_80_columns_and_what_was_not_is_left_out(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("BUGSTREAM_PROT", "1")
    (tmp_path / "bugstream.toml").write_text(
        'webhook_secrets = { slack = ["canary-1"] }\n[[mailbox]]\naddress = "bugs@acme.org"\n'
        'smtp_password = "canary-2"\nanswers = false\n'
    )

    lines = CliRunner().invoke(app, ["doctor"]).output.splitlines()

    shown = [line.split(maxsplit=1) for line in lines[1 : lines.index("")]]
    assert [[name, value.strip()] for name, value in shown] == [
        ["webhook_secrets.slack", '["********"]'],
        ["mailbox.0.address", "bugs@acme.org"],
        ["mailbox.0.smtp_password", "********"],
        ["mailbox.0.answers", "false"],
        ["anthropic_api_key", "********"],
    ]
    assert all(len(line) <= 80 for line in lines[: lines.index("")])
    assert "   note settings: BUGSTREAM_PROT sets nothing; did you mean BUGSTREAM_PORT?" in lines
