from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from streams.cli_dedupe import register
from streams.config import load

LONG = "When I put nothing into the cart and ask for its total the program stops with an error"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """Return a program with this one command, which knows three reports."""
    found = typer.Typer()

    @found.callback()
    def options(ctx: typer.Context) -> None:
        ctx.obj = load(None, data_dir=tmp_path / "data", embedder="none")

    register(found)
    monkeypatch.chdir(tmp_path)
    rows = [
        {"id": "7", "title": "Total of an empty cart fails", "body": LONG},
        {"id": "8", "title": "Window is too small to [read]", "body": "on a second screen"},
        {"id": "9", "title": "Printing takes a minute", "body": "since the last driver"},
    ]
    Path("known.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return found


def asked(app: typer.Typer, report: str, *more: str) -> Result:
    Path("bug.md").write_text(report, encoding="utf-8")
    return CliRunner().invoke(
        app, ["dedupe", "--against", "known.jsonl", "--report", "bug.md", *more]
    )


def as_json(result: Result) -> dict[str, Any]:
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_what_is_known_is_said_with_its_reason(app: typer.Typer) -> None:
    result = asked(app, f"Total of an empty cart fails\n\n{LONG}")

    assert result.exit_code == 0
    assert "It is known already" in result.stdout
    assert "(7)" in result.stdout
    assert "Merged: the words are the same" in " ".join(result.stdout.split())


def test_what_is_alike_is_suggested(app: typer.Typer) -> None:
    found = as_json(asked(app, "Window too small\n\nit cannot be read", "--json"))

    assert found["verdict"] == "suggest"
    assert found["likest"][0]["id"] == "8"
    assert found["likest"][0]["merges"] is False
    assert set(found["likest"][0]["scores"]) == {"words", "letters"}


def test_what_is_like_nothing_is_new(app: typer.Typer) -> None:
    result = asked(app, "Zebra crossing\n\nquagga", "--json")

    assert result.exit_code == 1
    assert as_json(result) == {"verdict": "new", "model": None, "likest": []}
    assert "would open a bug of its own" in asked(app, "Zebra crossing\n\nquagga").stdout


def test_a_title_is_printed_as_it_stands(app: typer.Typer) -> None:
    assert "[read]" in asked(app, "Window too small\n\nit cannot be read").stdout


def test_a_file_that_is_missing_is_named(app: typer.Typer) -> None:
    Path("known.jsonl").unlink()

    result = asked(app, "x")

    assert "there is no such file" in str(result.exception)
