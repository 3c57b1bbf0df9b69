"""`bugstream locate`, as typed."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from schemas.errors import UserError
from streams.cli_locate import STORE, register
from streams.config import load
from streams.exit_codes import FAILED, OK
from tests.connectors.repositories import commit_files, git, make_remote
from tests.processors.trees import CALC, COMMAND

FILES = {
    "shop/cart.py": "class Cart:\n    def total(self, prices):\n        return sum(prices)\n",
    "shop/pay.py": "def refund(invoice):\n    return invoice.amount\n",
    "README.md": "A shop\n",
}

FAILING = CALC | {
    "tests/test_mean.py": CALC["tests/test_mean.py"]
    + "\n\ndef test_mean_of_nothing():\n    assert double(mean([])) == 0\n"
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    make_remote(tmp_path, FILES)
    return tmp_path / "work"


def run(folder: Path, *arguments: str, text: str | None = None) -> Result:
    app = typer.Typer()

    @app.callback()
    def options(ctx: typer.Context) -> None:
        ctx.find_root().obj = load(None, data_dir=folder / "data")

    register(app)
    return CliRunner().invoke(app, ["locate", *arguments], input=text, catch_exceptions=False)


def asked(folder: Path, repo: Path, text: str, *more: str) -> Result:
    return run(folder, "--repo", str(repo), "--report", "-", *more, text=text)


def test_files_and_functions_are_told_with_their_reasons(tmp_path: Path, repo: Path) -> None:
    result = asked(tmp_path, repo, "The refund of an invoice has a wrong amount\n")

    assert result.exit_code == OK
    assert "shop/pay.py:1" in result.output
    assert "shares words" in result.output
    assert (tmp_path / "data" / STORE).is_file()


def test_programs_get_the_same_as_json(tmp_path: Path, repo: Path) -> None:
    text = (
        "It stops\n\nTraceback (most recent call last):\n"
        '  File "/srv/shop/cart.py", line 3, in total\nTypeError: no number\n'
    )
    result = asked(tmp_path, repo / "shop", text, "--json", "--top", "1")
    answer = json.loads(result.stdout)

    assert answer["commit"] == git(repo, "rev-parse", "HEAD")
    [function] = answer["functions"]
    assert (function["symbol"], function["traced_line"]) == ("Cart.total", 3)
    assert "TypeError stack trace" in function["reasons"][0]
    assert len(answer["files"]) == 1


def test_each_function_says_whose_it_is_and_who_calls_it(tmp_path: Path, repo: Path) -> None:
    (repo / "tests").mkdir()
    caller = "from shop.pay import refund\n\ndef test_refund(): refund(None)\n"
    (repo / "tests" / "test_pay.py").write_text(caller, encoding="utf-8")
    (repo / "shop" / "desk.py").write_text(caller.replace("test_", "give_"), encoding="utf-8")
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message=More")
    text = "The refund of an invoice has a wrong amount\n"
    answer = json.loads(asked(tmp_path, repo, text, "--json").stdout)
    shown = " ".join(asked(tmp_path, repo, text).output.split())

    [refund] = [each for each in answer["functions"] if each["symbol"] == "refund"]
    assert (refund["owner"]["hand"], refund["owner"]["evidence"]) == ("unknown", "none")
    assert refund["owner"]["people"][0]["name"]
    assert (refund["impact"]["callers"], refund["impact"]["is_public"]) == (1, True)
    assert refund["impact"]["reached_by"] == ["tests/test_pay.py:test_refund"]
    assert "unknown hand" in shown
    assert "1 caller" in shown


def test_another_commit_is_looked_at_by_its_name(tmp_path: Path, repo: Path) -> None:
    git(repo, "tag", "v1")
    git(repo, "rm", "--quiet", "shop/pay.py")
    git(repo, "commit", "--quiet", "--message=gone")
    text = "The refund of an invoice has a wrong amount\n"

    assert asked(tmp_path, repo, text).exit_code == FAILED
    assert "shop/pay.py" in asked(tmp_path, repo, text, "--commit", "v1").output


def test_when_nothing_fits_it_says_what_would_help(tmp_path: Path, repo: Path) -> None:
    result = asked(tmp_path, repo, "Zebra\n")

    assert result.exit_code == FAILED
    assert "Nothing in commit" in result.output
    assert "stack trace" in result.output


def test_what_is_wrong_is_said_in_words(tmp_path: Path, repo: Path) -> None:
    with pytest.raises(UserError, match="not a git repository"):
        asked(tmp_path, tmp_path / "none", "Zebra\n")
    with pytest.raises(UserError, match="is empty"):
        asked(tmp_path, repo, " \n")
    with pytest.raises(UserError, match="--commit v9: there is none"):
        asked(tmp_path, repo, "Zebra\n", "--commit", "v9")
    with pytest.raises(UserError, match="--commit --all: there is none"):
        asked(tmp_path, repo, "Zebra\n", "--commit", "--all")


def test_a_repository_without_commits_or_code_is_told_apart(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    _, _ = make_remote(tmp_path / "docs", {"README.md": "words"})

    with pytest.raises(UserError, match="no commit yet"):
        asked(tmp_path, empty, "Zebra\n")
    with pytest.raises(UserError, match="no file that can be read"):
        asked(tmp_path, tmp_path / "docs" / "work", "Zebra\n")


def test_what_last_changed_the_lines_is_told_with_the_words_of_the_commit(
    tmp_path: Path, repo: Path
) -> None:
    git(repo, "commit", "--quiet", "--allow-empty", "--message", "Nothing")
    (repo / "shop/pay.py").write_text("def refund(invoice):\n    return invoice.sum\n")
    git(repo, "commit", "--quiet", "--all", "--message", "Refund the sum")
    result = asked(tmp_path, repo, "The refund of an invoice\n", "--json", "--top", "1")
    reasons = json.loads(result.stdout)["functions"][0]["reasons"]

    assert reasons[-1].startswith("its lines last changed in ")
    assert "Refund the sum" in reasons[-1]


def test_nothing_of_the_repository_runs_and_nothing_of_it_reaches_the_terminal(
    tmp_path: Path, repo: Path
) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\ntouch {ran}\ncat "$1"\n', encoding="utf-8")
    program.chmod(0o755)
    (repo / ".git" / "info" / "attributes").write_text("*.py diff=evil\n", encoding="ascii")
    git(repo, "config", "diff.evil.textconv", str(program))
    name = "shop/pay\x1b[2J[red].py"
    commit_files(repo, {name: "def refund(invoice): pass\n"})
    result = asked(tmp_path, repo, "The refund of an invoice\n")

    assert result.exit_code == OK
    assert "pay [2J[red].py" in result.output.replace("\n", "")
    assert "\x1b" not in result.output
    assert not ran.exists()


@pytest.mark.sandbox
def test_tests_are_run_only_when_asked_to(tmp_path: Path) -> None:
    make_remote(tmp_path, FAILING)
    text = "test_mean_of_nothing fails, while double is good\n"
    options = ("--json", "--top", "1", "--python", sys.executable)
    command = ("--test-command", shlex.join(COMMAND))
    quiet = asked(tmp_path, tmp_path / "work", text, *options, *command)
    ran = asked(tmp_path, tmp_path / "work", text, "--run", *options, *command)
    first, second = (json.loads(each.stdout)["functions"][0] for each in (quiet, ran))

    assert second["symbol"] == "mean"
    assert not any("failing test" in why for why in first["reasons"])
    assert any("runs in 1 of 1 failing test and 1 of 2" in why for why in second["reasons"])


@pytest.mark.sandbox
def test_where_no_test_shows_the_bug_the_places_are_told_with_the_reason(
    tmp_path: Path, repo: Path
) -> None:
    result = asked(tmp_path, repo, "The refund of an invoice\n", "--run")

    assert result.exit_code == OK
    assert "shop/pay.py" in result.output
    assert "Failing tests tell nothing: " in result.output
