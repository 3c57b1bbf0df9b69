"""Fixing commits are chosen by a rule that does not know whether they will be found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from connectors.git_command import Git
from schemas.errors import UserError
from streams.bench_locate import Issue
from streams.bench_locate_commits import _fix, bench, fixes, names_file
from streams.environment import git_env
from tests.connectors.repositories import git as run_git
from tests.connectors.repositories import make_remote

FILES = {
    "src/cart.ts": "export function total(prices: number[]) {\n  return 0;\n}\n",
    "src/refund.ts": "export function refund(invoice: Invoice) {\n  return invoice.amount;\n}\n",
    "src/cart.test.ts": "test();\n",
}


def silent(done: int, total: int, what: str) -> None:
    """Nobody waits."""


@pytest.fixture
def repos(tmp_path: Path) -> Path:
    """Return a folder with a repository: a commit that mends, and four that are none to take."""
    make_remote(tmp_path / "made", FILES)
    work = tmp_path / "made" / "work"
    commit(work, "docs: fix a typo", "src/cart.ts")
    commit(work, "feat: refunds of invoices", "src/refund.ts")
    commit(work, "fix: the total of a cart", "src/cart.ts", "src/cart.test.ts")
    commit(work, "fix: what is new", "src/new.ts")
    commit(work, "fix: a test of the cart", "src/cart.test.ts")
    folder = tmp_path / "repos"
    folder.mkdir()
    work.rename(folder / "acme__shop")
    return folder


def commit(work: Path, message: str, *names: str) -> None:
    for name in names:
        path = work / name
        path.write_text((path.read_text() if path.exists() else "") + f"// {message}\n")
    run_git(work, "add", "--all")
    run_git(work, "commit", "--quiet", "--message", message)


def test_the_commits_that_mend_are_taken_and_the_one_before_is_looked_at(repos: Path) -> None:
    git = Git(repos / "acme__shop" / ".git", git_env())
    passed: Counter[str] = Counter()
    [taken] = fixes("acme/shop", git, 9, passed)
    shown = git("show", f"{taken.base_commit}:src/cart.ts").decode()

    assert taken.gold_files == ("src/cart.ts",)
    assert "// docs" in shown
    assert "// fix" not in shown
    assert passed == {
        "the subject says of no fix": 2,
        "the subject says of a fix of tests, docs, build or the like": 2,
        "a file is new or gone": 1,
    }
    assert not list(fixes("acme/shop", git, 0, passed))


def test_how_often_the_files_are_found_is_said_by_language(repos: Path) -> None:
    figures = bench(repos, progress=silent)

    assert figures.holds
    assert [row[:2] for row in figures.rows] == [
        ["JavaScript, TypeScript", 1],
        ["  that name no changed file", 0],
        ["  acme/shop", 1],
    ]
    assert str(figures.rows[0][2]).startswith("100 ")
    assert figures.detail["passed_over"]["a file is new or gone"] == 1
    assert any("a file is new or gone (1)" in note for note in figures.notes)


def test_a_repository_without_such_commits_is_named(repos: Path) -> None:
    make_remote(repos / "made", {"a.md": "nothing"})
    (repos / "made" / "remote.git").rename(repos / "acme__empty")

    figures = bench(repos, progress=silent)

    assert not figures.holds
    assert any("acme/empty" in note for note in figures.notes)


def test_a_folder_without_repositories_is_named(tmp_path: Path) -> None:
    for wrong, said in ((tmp_path, "no git repository"), (tmp_path / "no", "no such folder")):
        with pytest.raises(UserError, match=said):
            bench(wrong, progress=silent)


@pytest.mark.parametrize(("text", "expected"), [("fix Cart", True), ("fix Carts", False)])
def test_a_message_may_name_the_file(text: str, expected: bool) -> None:
    made = {"instance_id": "1", "repo": "a/b", "base_commit": "c", "gold_files": ("x/Cart.java",)}

    assert names_file(Issue.model_validate({**made, "problem_statement": text})) is expected


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (["M\tREADME.md"], "no code of ours is changed"),
        ([f"M\t{name}.py" for name in "abcd"], "more than 3 files of code are changed"),
        (["A\ta.py"], "a file is new or gone"),
    ],
)
def test_why_a_commit_is_passed_over_is_said(changed: list[str], why: str) -> None:
    assert _fix("acme/shop", "\n".join(["c0ffee f00d", "fix: totals\x1f", *changed])) == why
