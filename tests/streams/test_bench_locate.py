"""What is not there is not run, and a fix that is known is found or not, by its rank."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.bench_locate import HINT, NOTHING, TRACE, bench, percent, read_issues, repository
from tests.connectors.repositories import make_remote

FILES = {
    "shop/cart.py": "def total(prices):\n    return sum(prices)\n",
    "shop/pay.py": "def refund(invoice):\n    return invoice.amount\n",
    "shop/user.py": "def greet(name):\n    return name\n",
}


def silent(done: int, total: int, what: str) -> None:
    """Nobody waits."""


def issue(text: str, commit: str, place: str, **more: str) -> dict[str, object]:
    path = place.partition(":")[0]
    return {
        "instance_id": f"one-{text[:9]}",
        "repo": "acme/shop",
        "base_commit": commit,
        "problem_statement": text,
        "gold_files": [path],
        "gold_functions": [place],
        **more,
    }


def written(folder: Path, *issues: dict[str, object]) -> Path:
    file = folder / "issues.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in issues))
    return file


def made(folder: Path) -> tuple[Path, str]:
    bare, commit = make_remote(folder / "made", FILES)
    repos = folder / "repos"
    repos.mkdir()
    bare.rename(repos / "acme__shop")
    return repos, commit


def test_places_are_counted_by_rank_and_by_what_the_issue_gives_away(tmp_path: Path) -> None:
    repos, commit = made(tmp_path)
    trace = (
        "It stops\nTraceback (most recent call last):\n"
        '  File "/srv/shop/cart.py", line 2, in total\nTypeError: no number\n'
    )
    file = written(
        tmp_path,
        issue("An invoice has a wrong amount", commit, "shop/pay.py:refund"),
        issue("The refund of an invoice is off", commit, "shop/user.py:greet"),
        issue("greet says a wrong name", commit, "shop/user.py:greet"),
        issue(trace, commit, "shop/cart.py:total"),
    )
    figures = bench(file, repos, progress=silent)
    rows = {row[0]: row for row in figures.rows}

    assert [*rows["all"][1:3]] == [4, "75.0 (30-95)"]
    assert [rows[kind][1] for kind in (TRACE, HINT, NOTHING)] == [1, 1, 2]
    assert [each["file_rank"] for each in figures.detail["issues"]] == [1, None, 1, 1]
    assert figures.detail["not_run"] == []
    assert set(figures.detail["seconds"]) >= {"warm, from the kept index to the answer"}


def test_a_repository_or_commit_that_is_missing_is_not_run_and_does_not_hold(
    tmp_path: Path,
) -> None:
    repos, commit = made(tmp_path)
    good = issue("An invoice has a wrong amount", commit, "shop/pay.py:refund")
    file = written(
        tmp_path,
        good,
        {**good, "instance_id": "gone", "base_commit": "b" * 40},
        {**good, "instance_id": "elsewhere", "repo": "acme/other"},
    )
    figures = bench(file, repos, progress=silent)

    assert figures.detail["not_run"] == ["gone", "elsewhere"]
    assert figures.holds is False
    assert any("Not run" in note for note in figures.notes)
    assert bench(written(tmp_path, good), repos, progress=silent).holds is True


@pytest.mark.parametrize("name", ["../shop", "acme/..", "acme", "acme/x y"])
def test_a_repository_is_looked_for_in_the_folder_alone(tmp_path: Path, name: str) -> None:
    made(tmp_path)

    assert repository(tmp_path / "repos", name) is None


def test_work_trees_and_other_names_are_found_too(tmp_path: Path) -> None:
    make_remote(tmp_path / "made", FILES)
    (tmp_path / "made" / "work").rename(tmp_path / "acme+shop")

    found = repository(tmp_path, "acme/shop")

    assert found is not None
    assert found.git_dir == tmp_path / "acme+shop" / ".git"


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "holds no issue"), ("{}\n", "line 1: instance_id"), ("[1]\n", "line 1"), ("\xff", "x")],
)
def test_a_file_of_another_form_is_said_in_words(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "issues.jsonl"
    file.write_bytes(text.encode("latin-1"))

    with pytest.raises(UserError, match="UTF-8" if said == "x" else said):
        read_issues(file)
    with pytest.raises(UserError, match="No such file"):
        read_issues(tmp_path / "none")
    with pytest.raises(UserError, match="no such folder"):
        bench(written(tmp_path, issue("a", "b" * 40, "x.py:f")), tmp_path / "no", progress=silent)


def test_a_share_is_told_with_its_interval() -> None:
    assert percent(57, 94) == "60.6 (51-70)"
    assert percent(37, 40, digits=0) == "92 (80-97)"
    assert percent(0, 0) == "-"
