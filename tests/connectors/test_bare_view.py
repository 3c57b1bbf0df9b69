"""A repository is read as it lies there, and nothing of it runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.agent_trace import NOTES_REF
from connectors.bare_view import commit_in, repository_at, view
from connectors.git_command import Git, GitError
from connectors.ownership import owners
from schemas.errors import TransientError
from tests.connectors.repositories import ENVIRONMENT, commit_files, git

SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n \n iQEz\n -----END PGP SIGNATURE-----"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "--quiet", "--initial-branch=main")
    commit_files(work, {"shop/cart.py": "def total(): pass\n"})
    return work


def opened(folder: Path) -> Git:
    found = repository_at(folder, ENVIRONMENT)
    assert found is not None
    return found


def listed(folder: Path) -> str:
    asked = opened(folder)
    commit = commit_in(asked, "HEAD")
    with view(asked, commit) as seen:
        return seen.line("ls-tree", "-r", "--name-only", commit)


def test_it_is_found_from_a_folder_inside_a_bare_one_a_work_tree_and_a_submodule(
    work: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(work), "bare")
    git(work, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    allowed = ("-c", "protocol.file.allow=always")
    git(work, *allowed, "submodule", "--quiet", "add", str(work), "inner")

    for folder in (work / "shop", tmp_path / "bare", tmp_path / "tree", work / "inner"):
        assert listed(folder) == "shop/cart.py"


def test_a_folder_in_no_repository_and_one_that_is_damaged_are_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")

    assert repository_at(tmp_path, ENVIRONMENT) is None
    assert repository_at(tmp_path / "nowhere", ENVIRONMENT) is None


def test_repositories_with_long_ids_are_read(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256")
    commit_files(tmp_path, {"a.py": "x = 1\n"})

    assert listed(tmp_path) == "a.py"


def test_a_name_that_is_none_is_refused(work: Path) -> None:
    for name in ("nope", "--all", "", "HEAD:shop", "a\nb"):
        with pytest.raises(GitError):
            commit_in(opened(work), name)


def test_no_program_that_its_settings_name_is_started(work: Path, tmp_path: Path) -> None:
    ran, program = tmp_path / "ran", tmp_path / "program"
    program.write_text(f'#!/bin/sh\ntouch {ran}\ncat "$1"\n', encoding="utf-8")
    program.chmod(0o755)
    signed = git(work, "cat-file", "commit", "HEAD").replace("\n\n", f"\ngpgsig {SIGNATURE}\n\n", 1)
    commit = git(work, "hash-object", "-t", "commit", "-w", "--stdin", stdin=signed + "\n")
    git(work, "update-ref", "refs/heads/main", commit)
    (work / ".git" / "info" / "attributes").write_text("*.py diff=evil\n", encoding="ascii")
    settings = ("diff.evil.textconv", "diff.external", "gpg.program", "core.fsmonitor")
    for name in settings:
        git(work, "config", name, str(program))
    git(work, "config", "log.showSignature", "true")
    found = repository_at(work, ENVIRONMENT)
    assert found is not None

    with view(found, commit) as seen:
        [line] = owners(seen, commit, "shop/cart.py", 1, 1)
        seen("log", "-L1,1:shop/cart.py", "--format=%H", commit)
        seen("show", commit)

    assert line.author == "Ann"
    assert not ran.exists()


def test_what_a_note_says_and_where_history_ends_is_seen(work: Path, tmp_path: Path) -> None:
    commit_files(work, {"shop/cart.py": "def total(): return 1\n"})
    git(work, "notes", f"--ref={NOTES_REF}", "add", "-m", "{}", "HEAD")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{work}", "short")
    for folder, name, expected in ((work, "notes", "{}"), (tmp_path / "short", "rev-list", "1")):
        asked = opened(folder)
        with view(asked, commit_in(asked, "HEAD")) as seen:
            more = [f"--ref={NOTES_REF}", "show"] if name == "notes" else ["--count"]
            assert seen.line(name, *more, "HEAD") == expected


def test_a_pipe_in_place_of_a_file_stops_nobody(work: Path) -> None:
    asked, commit = opened(work), git(work, "rev-parse", "HEAD")
    os.mkfifo(work / ".git" / "shallow")

    with view(asked, commit) as seen:
        assert not (seen.git_dir / "shallow").exists()


def test_of_a_partial_copy_it_is_said_that_it_lacks_something(work: Path, tmp_path: Path) -> None:
    commit_files(work, {"shop/cart.py": "def total(): return 1\n"})
    git(work, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", work.as_uri(), "part")
    asked = opened(tmp_path / "part")
    commit = commit_in(asked, "HEAD")

    with view(asked, commit) as seen, pytest.raises(TransientError, match="lacks"):
        owners(seen, commit, "shop/cart.py", 1, 1)
