from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from streams.cli import app


def commands() -> list[list[str]]:
    found: list[list[str]] = []

    def walk(group: typer.core.TyperGroup, path: list[str]) -> None:
        for name, command in group.commands.items():
            found.append([*path, name])
            if isinstance(command, typer.core.TyperGroup):
                walk(command, [*path, name])

    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    walk(root, [])
    return found


def bugstream(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("BUGSTREAM_")}
    return subprocess.run(
        [sys.executable, "-m", "streams", *args],
        cwd=cwd,
        env=env | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = CliRunner().invoke(app, [*command, "--help"])

    assert done.exit_code == 0, done.output
    assert "Usage:" in done.output
    if "Commands" not in done.output:
        assert "Example" in done.output


def test_a_wrong_setting_is_said_in_words_and_no_stack_trace(tmp_path: Path) -> None:
    (tmp_path / "bugstream.toml").write_text("prot = 1\n")

    done = bugstream("bugs", cwd=tmp_path)

    assert done.returncode == 2
    assert "prot" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_fails_says_so_in_json_where_json_was_asked_for(tmp_path: Path) -> None:
    done = bugstream("bugs", "--json", cwd=tmp_path)

    assert done.returncode == 2
    told = json.loads(done.stdout)["detail"]
    assert told["error"] == "unavailable"
    assert told["message"] in done.stderr


def test_a_terminal_without_utf_8_gets_all_that_it_can_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    done = bugstream("dead-letters", "show", "größe", cwd=tmp_path)
    (tmp_path / "bugstream.toml").write_text('data_dir = "größe"\n', encoding="utf-8")
    shown = bugstream("doctor", cwd=tmp_path)

    assert "Error: " in done.stderr
    assert "gr??e" in shown.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_output_that_cannot_be_written_ends_without_a_stack_trace(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "streams", "inbox", "list", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            program,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr


def test_prove_wants_one_claim(tmp_path: Path) -> None:
    done = bugstream("prove", "--relay", "--replay", cwd=tmp_path)

    assert done.returncode == 2
    assert "choose one of" in done.stderr


def test_a_command_that_needs_kafka_says_how_to_get_it(tmp_path: Path) -> None:
    done = bugstream("audit", "replay", "BUG-2026-AAAAA", cwd=tmp_path)

    assert done.returncode != 0
    assert "bugstream up" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert bugstream("--version", cwd=tmp_path).stdout.strip()
