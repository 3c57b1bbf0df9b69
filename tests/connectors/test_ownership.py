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
        ("Sum\n\nCo-authored-by: Claude Bo <c@example.org>", "Ann <a@example.org>", "unknown"),
        ("Sum\n\nCo-authored-by: Claude <c@example.org>", "Ann <a@example.org>", "unknown"),
        ("Sum\n\nCo-authored-by: Devin Ray <d@example.org>", "Ann <a@example.org>", "unknown"),
        ("Sum\n\nCo-authored-by: Devin AI <x+devin[bot]@a.org>", "Ann <a@example.org>", "mixed"),
        ("Sum\n\nAssisted-by: Claude Opus 4.5", "Ann <a@example.org>", "mixed"),
        ("Sum\n\nGenerated-by: Claude", "Ann <a@example.org>", "mixed"),
        ("Sum\n\nAssisted-by: Gemini CLI <g@example.org>", "Ann <a@example.org>", "mixed"),
        ("Say\n\nAssisted-by: Claude\n\nstood there", "Ann <a@example.org>", "unknown"),
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


def test_a_reviewer_that_is_quoted_above_the_trailers_reviewed_nothing(work: Path) -> None:
    commit(work, FIRST, "Sum\n\nReviewed-by: Eve <e@example.org>\n\nSigned-off-by: Ann <a@b.org>")

    assert [one.reviewer for one in who(work, 1, 2)] == [""]


def test_a_note_whose_parts_are_of_other_kinds_is_passed_over(work: Path) -> None:
    first = commit(work, FIRST, "Sum")
    git(work, "notes", f"--ref={NOTES_REF}", "add", "-m", '{"vcs": 1}\n{"vcs": {}}', first)

    assert hands(work, 1, 2) == [(1, 2, "unknown")]


def test_people_are_called_as_the_mailmap_of_the_commit_says(work: Path) -> None:
    commit_files(work, {".mailmap": "Ann Bo <bo@example.org> <ann@example.org>\n"})
    commit(work, FIRST, "Sum")

    assert [(one.author, one.mail) for one in who(work, 1, 2)] == [("Ann Bo", "bo@example.org")]


@pytest.mark.parametrize("seconds", ["253402300800", "99999999999999", "18446744073709551615"])
def test_a_commit_of_another_age_is_blamed_all_the_same(work: Path, seconds: str) -> None:
    commit(work, FIRST, "Sum")
    tree = git(work, "rev-parse", "HEAD^{tree}")
    who_when = f"Ann <a@example.org> {seconds} +0000"
    made = f"tree {tree}\nauthor {who_when}\ncommitter {who_when}\n\nSum\n"
    raw = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    git(work, "update-ref", "refs/heads/main", git(work, *raw, stdin=made))

    assert [one.author for one in who(work, 1, 2)] == ["Ann"]


def test_commits_are_asked_about_together(work: Path) -> None:
    lines = [f"x{number} = 1\n" for number in range(30)]
    for size in range(1, len(lines) + 1):
        commit(work, "".join(lines[:size]), f"More\n\nReviewed-by: Bo {size} <b@example.org>")
    seen: list[str] = []

    class Counting(Git):
        def __call__(self, *arguments: str, **more: Any) -> bytes:
            seen.append(arguments[0])
            return super().__call__(*arguments, **more)

    found = owners(Counting(work / ".git", ENVIRONMENT), "HEAD", "cart.py", 1, 30)

    assert [one.reviewer for one in found] == [f"Bo {n} <b@example.org>" for n in range(1, 31)]
    assert len(seen) < 8


def test_where_there_is_nothing_to_blame_nothing_is_said(work: Path) -> None:
    commit_files(work, {"cart.py": FIRST})

    assert who(work, 1, 1, "absent.py") == ()
    assert who(work, 90, 99) == ()
    assert who(work, 1, 1, "--help") == ()
