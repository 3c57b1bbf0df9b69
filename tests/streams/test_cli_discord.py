"""The commands of Discord are made known there by one command here."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.json_server import Answer, Call, serving_calls

CONFIG = '[discord]\nurl = "{url}"\ntoken = "canary-token"\n'


def run(folder: Path, config: str, application_id: str = "77") -> tuple[int, str]:
    file = folder / "bugstream.toml"
    file.write_text(config, encoding="utf-8")
    done = CliRunner().invoke(app, ["--config", str(file), "discord-commands", application_id])
    return done.exit_code, done.output + str(done.exception or "")


def test_what_can_be_typed_is_put_in_place_of_what_was_there(tmp_path: Path) -> None:
    calls: list[Call] = []

    def answer(call: Call) -> Answer:
        calls.append(call)
        return 200, []

    with serving_calls(answer) as url:
        status, said = run(tmp_path, CONFIG.format(url=url.rstrip("/")))

    assert status == 0, said
    assert "Discord knows `bug` and `Report a bug` now" in said
    [call] = calls
    assert (call.method, call.path) == ("PUT", "/applications/77/commands")
    assert [one["name"] for one in call.message] == ["bug", "Report a bug"]


@pytest.mark.parametrize(
    ("config", "application_id", "way_out"),
    [
        ("", "77", "set [discord] with the bot's token first"),
        (CONFIG.format(url="http://127.0.0.1:9"), "../77", "APPLICATION_ID is a number"),
        (CONFIG.format(url="http://127.0.0.1:9"), "77", "cannot be reached"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(
    tmp_path: Path, config: str, application_id: str, way_out: str
) -> None:
    status, said = run(tmp_path, config, application_id)

    assert status != 0
    assert way_out in said
    assert "canary-token" not in said
