"""Whose a line is, on real repositories: by a note, by what a commit says, or unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.agent_trace import NOTES_REF
from connectors.git_command import Git
from connectors.ownership import Owned, owners
from tests.connectors.repositories import ENVIRONMENT, commit_files, git

FIRST = "def total(items):\n    return sum(items)\n"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    return tmp_path


def commit(work: Path, text: str, message: str, *, author: str = "Ann <ann@example.org>") -> str:
    (work / "cart.py").write_text(text, encoding="utf-8")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", f"--author={author}", "-m", message)
    return git(work, "rev-parse", "HEAD")


def note(work: Path, sha: str, *ranges: dict[str, Any], **more: Any) -> None:
    talk = {"contributor": {"type": "ai", "model_id": "acme/m1"}, "ranges": list(ranges)}
    talk |= {"url": "https://talks.example/1"}
    record = {"vcs": {"type": "git", "revision": sha}, "files": []} | more
    record["files"] = [{"path": "cart.py", "conversations": [talk]}]
    git(work, "notes", f"--ref={NOTES_REF}", "add", "-f", "-m", json.dumps(record), sha)


def who(work: Path, start: int, end: int, path: str = "cart.py") -> tuple[Owned, ...]:
    return owners(Git(work / ".git", ENVIRONMENT), "HEAD", path, start, end)


def hands(work: Path, start: int, end: int) -> list[tuple[int, int, str]]:
    return [(one.start, one.end, one.hand) for one in who(work, start, end)]


def test_lines_that_nothing_speaks_of_are_of_unknown_hand_and_never_human(work: Path) -> None:
    commit(work, FIRST, "Sum")

    [lines] = who(work, 1, 2)

    assert (lines.hand, lines.author, lines.mail) == ("unknown", "Ann", "ann@example.org")
    assert lines.evidence == "nothing says who wrote it"


def test_a_note_says_which_lines_a_model_wrote_even_after_they_moved(work: Path) -> None:
    commit(work, FIRST, "Sum")
    second = commit(work, FIRST.replace("sum(items)", "sum(items or ())"), "Guard")
    note(work, second, {"start_line": 2, "end_line": 2})
    commit(work, "import os\n\n\n" + FIRST.replace("sum(items)", "sum(items or ())"), "Import")

    assert hands(work, 1, 5) == [(1, 3, "unknown"), (4, 4, "unknown"), (5, 5, "ai")]
    [line] = who(work, 5, 5)
    assert (line.commit, line.model) == (second, "acme/m1")
    assert line.conversation == "https://talks.example/1"


def test_a_note_about_a_file_under_its_old_name_still_counts(work: Path) -> None:
    first = commit(work, FIRST, "Sum")
    note(work, first, {"start_line": 1, "end_line": 2, "contributor": {"type": "human"}})
    git(work, "mv", "cart.py", "basket.py")
    git(work, "commit", "--quiet", "-m", "Call it a basket")

    [lines] = who(work, 1, 2, "basket.py")

    assert (lines.hand, lines.commit) == ("human", first)


def test_a_note_that_speaks_of_another_commit_or_another_line_is_not_believed(work: Path) -> None:
    first = commit(work, FIRST, "Sum")
    note(work, first, {"start_line": 1, "end_line": 2}, vcs={"revision": "f" * 40})
    assert hands(work, 1, 2) == [(1, 2, "unknown")]

    note(work, first, {"start_line": 7, "end_line": 9})
    assert hands(work, 1, 2) == [(1, 2, "unknown")]


@pytest.mark.parametrize("junk", ["no JSON", "[]", "{}", '{"files": 3, "vcs": {}}'])
def test_a_note_of_another_tool_is_passed_over(work: Path, junk: str) -> None:
    first = commit(work, FIRST, "Sum")
    git(work, "notes", f"--ref={NOTES_REF}", "add", "-m", junk, first)

    assert hands(work, 1, 2) == [(1, 2, "unknown")]


@pytest.mark.parametrize(
    ("message", "author", "hand"),
    [
        ("Sum\n\nCo-Authored-By: Claude <noreply@anthropic.com>", "Ann <a@example.org>", "mixed"),
        ("Sum\n\nCo-authored-by: Bob <bob@example.org>", "Ann <a@example.org>", "unknown"),
        ("Sum", "Ann (aider) <a@example.org>", "ai"),
        ("Sum", "dependabot[bot] <d@example.org>", "ai"),
    ],
)
def test_what_a_commit_says_of_programs_counts(
    work: Path, message: str, author: str, hand: str
) -> None:
    commit(work, FIRST, message, author=author)

    assert hands(work, 1, 2) == [(1, 2, hand)]


def test_the_last_reviewer_is_named(work: Path) -> None:
    commit(work, FIRST, "Sum\n\nReviewed-by: Bob <b@example.org>\nReviewed-by: Eve <e@example.org>")

    assert [one.reviewer for one in who(work, 1, 2)] == ["Eve <e@example.org>"]


def test_where_there_is_nothing_to_blame_nothing_is_said(work: Path) -> None:
    commit_files(work, {"cart.py": FIRST})

    assert who(work, 1, 1, "absent.py") == ()
    assert who(work, 90, 99) == ()
    assert who(work, 1, 1, "--help") == ()
