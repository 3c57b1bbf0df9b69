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
