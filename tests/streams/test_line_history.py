from __future__ import annotations

from pathlib import Path

import pytest

from connectors.checkouts import GitCheckouts
from connectors.git_command import Git
from processors.locating.line_history import TOUCHES_MAX, Span
from streams import line_history
from streams.line_history import GitLineHistory, touched
from tests.connectors.repositories import ENVIRONMENT, commit_files, git, make_remote, project

TEXT = "def top():\n    return {}\n\ndef low():\n    return {}\n"
TOP, LOW = Span("a.py", 1, 2), Span("a.py", 4, 5)


def made(folder: Path) -> tuple[Git, list[str]]:
    """Return a repository whose two functions were changed by commits of their own."""
    bare, first = make_remote(folder, {"a.py": TEXT.format(0, 0)})
    later = [
        commit_files(folder / "work", {"a.py": TEXT.format(top, low)})
        for top, low in ((1, 0), (2, 0), (3, 0), (3, 1))
    ]
    git(folder / "work", "push", "--quiet", "origin", "main")
    return Git(bare, ENVIRONMENT), [first, *later]


def test_the_commits_that_changed_the_very_lines_are_found_newest_first(tmp_path: Path) -> None:
    repository, commits = made(tmp_path)
    found = touched(repository, commits[-1], [TOP, LOW])

    assert [touch.commit for touch in found[TOP]] == commits[3:1:-1][:TOUCHES_MAX]
    assert [touch.commit for touch in found[LOW]] == [commits[4], commits[0]]
    assert touched(repository, commits[2], [TOP])[TOP][0].commit == commits[2]


def test_a_title_may_hold_what_others_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    repository, commits = made(tmp_path)
    tree = git(tmp_path / "work", "rev-parse", f"{commits[-1]}^{{tree}}")
    title = "Set\x0clow\u2028now\x1fhere"
    odd = git(tmp_path / "work", "commit-tree", tree, "-p", commits[2], "-m", title)
    git(tmp_path / "work", "push", "--quiet", "origin", f"{odd}:refs/heads/odd")
    found = touched(repository, odd, [LOW])

    assert [(touch.commit, touch.title) for touch in found[LOW][:1]] == [(odd, title)]


def test_what_git_cannot_tell_is_left_out(tmp_path: Path) -> None:
    repository, commits = made(tmp_path)
    gone, beyond, odd = Span("b.py", 1, 2), Span("a.py", 90, 99), Span("../a.py", 1, 2)

    assert touched(repository, commits[-1], [gone, beyond, odd]) == {}
    assert touched(repository, "f" * 40, [TOP]) == {}


def test_what_is_far_back_or_takes_long_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, commits = made(tmp_path)
    monkeypatch.setattr(line_history, "COMMITS_BACK_MAX", 1)
    assert [t.commit for t in touched(repository, commits[-1], [LOW])[LOW]] == [commits[4]]
    assert touched(repository, commits[-1], [TOP]) == {}

    monkeypatch.setattr(line_history, "LINES_S_MAX", 0.0)
    assert touched(repository, commits[-1], [LOW]) == {}


def test_the_mirror_of_a_project_is_asked_and_one_without_the_commit_tells_nothing(
    tmp_path: Path,
) -> None:
    repository, commits = made(tmp_path)
    history = GitLineHistory(GitCheckouts(tmp_path / "mirrors", environment=ENVIRONMENT))
    target = project(repository.git_dir)

    assert history.touched(target, commits[-1], [LOW])[LOW][0].commit == commits[4]
    assert history.touched(target, "f" * 40, [LOW]) == {}
