"""Mirrors and copies of real repositories, hostile ones included."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors import checkouts as module
from connectors.checkouts import GitCheckouts, checked_path, read_blobs
from connectors.git_command import Git, GitError
from processors.ports import Checkouts
from schemas.errors import PoisonError, TransientError
from schemas.projects import Project
from tests.connectors.repositories import ENVIRONMENT, commit_files, git, make_remote, project


@pytest.fixture
def checkouts(tmp_path: Path) -> GitCheckouts:
    (tmp_path / "copies").mkdir()
    return GitCheckouts(
        tmp_path / "mirrors", environment=ENVIRONMENT, work_root=tmp_path / "copies"
    )


def test_base_commit_is_the_tip_and_follows_it(tmp_path: Path, checkouts: Checkouts) -> None:
    bare, first = make_remote(tmp_path, {"a.py": "a\n"})
    assert checkouts.base_commit(project(bare)) == first

    second = commit_files(tmp_path / "work", {"b.py": "b\n"})
    git(tmp_path / "work", "push", "--quiet", "origin", "main")

    assert checkouts.base_commit(project(bare)) == second


def test_what_is_at_hand_is_what_was_fetched_last(tmp_path: Path, checkouts: GitCheckouts) -> None:
    bare, _ = make_remote(tmp_path, {"docs/a.md": "a\n", "b.md": "b\n", "c.md": "c\n"})
    assert checkouts.at_hand(project(bare), ("docs", "b.md")) == {}

    checkouts.base_commit(project(bare))
    commit_files(tmp_path / "work", {"docs/new.md": "new\n"})
    git(tmp_path / "work", "push", "--quiet", "origin", "main")

    assert checkouts.at_hand(project(bare), ("docs", "b.md", "none")) == {
        "b.md": b"b\n",
        "docs/a.md": b"a\n",
    }
    shutil.rmtree(bare)
    assert len(checkouts.at_hand(project(bare), ("docs",))) == 1


def test_what_is_at_hand_of_no_repository_is_said(checkouts: GitCheckouts) -> None:
    with pytest.raises(PoisonError, match="git_url"):
        checkouts.at_hand(Project(id="shop"), ("docs",))


def test_a_shallow_clone_is_read_as_ci_jobs_have_it(tmp_path: Path, checkouts: Checkouts) -> None:
    make_remote(tmp_path, {"a.py": "a\n"})
    second = commit_files(tmp_path / "work", {"b.py": "b\n"})
    source = (tmp_path / "work").as_uri()
    git(tmp_path, "clone", "--quiet", "--depth=1", source, str(tmp_path / "shallow"))

    found = project(tmp_path / "shallow")

    assert checkouts.base_commit(found) == second
    assert sorted(checkouts.files(found, second)) == ["a.py", "b.py"]


def test_a_branch_that_was_rewound_is_followed_and_the_old_commit_kept(
    tmp_path: Path, checkouts: Checkouts
) -> None:
    bare, first = make_remote(tmp_path, {"a.py": "a\n"})
    second = commit_files(tmp_path / "work", {"b.py": "b\n"})
    git(tmp_path / "work", "push", "--quiet", "origin", "main")
    checkouts.base_commit(project(bare))
    git(tmp_path / "work", "push", "--quiet", "--force", "origin", f"{first}:main")

    assert checkouts.base_commit(project(bare)) == first
    assert "b.py" in checkouts.files(project(bare), second)


def test_a_missing_branch_is_named_with_the_way_out(tmp_path: Path, checkouts: Checkouts) -> None:
    bare, _ = make_remote(tmp_path, {"a.py": "a\n"})

    with pytest.raises(PoisonError, match=r"no branch 'trunk'; set branch in its \[\[project\]\]"):
        checkouts.base_commit(project(bare, branch="trunk"))


def test_a_missing_repository_is_named_with_the_way_out(
    tmp_path: Path, checkouts: Checkouts
) -> None:
    with pytest.raises(PoisonError, match="correct git_url"):
        checkouts.base_commit(project(tmp_path / "nowhere"))


def test_a_remote_that_does_not_answer_is_tried_again(checkouts: Checkouts) -> None:
    with pytest.raises(TransientError, match="fetching project shop"):
        checkouts.base_commit(project("http://127.0.0.1:9/shop.git"))


@pytest.mark.parametrize("branch", ["--upload-pack=x", "a..b", "a b", "x.lock", "@{1}"])
def test_what_is_no_branch_name_never_reaches_the_remote(
    tmp_path: Path, checkouts: Checkouts, branch: str
) -> None:
    with pytest.raises(PoisonError, match="branch"):
        checkouts.base_commit(project(tmp_path, branch=branch))


def test_a_copy_holds_the_tree_as_committed_and_no_git(
    tmp_path: Path, checkouts: Checkouts
) -> None:
    bare, commit = make_remote(
        tmp_path,
        {"shop/cart.py": "x = 1\r\n", "data.bin": b"\0", "link.py": Path("shop/cart.py")},
    )
    with checkouts.work_copy(project(bare), commit) as tree:
        found = {str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir()}

        assert found == {"shop/cart.py", "data.bin", "link.py"}
        assert (tree / "link.py").read_bytes() == b"x = 1\r\n"
    assert not tree.exists()
    assert not tree.parent.exists()


def test_attributes_of_the_repository_leave_nothing_out_and_change_no_byte(
    tmp_path: Path, checkouts: Checkouts
) -> None:
    """`export-ignore` on tests is common, and would make every fix look verified by no test."""
    attributes = "tests export-ignore\n*.py eol=crlf text\nversion.py export-subst ident\n"
    files = {
        ".gitattributes": attributes,
        "tests/test_a.py": "a\n",
        "version.py": "v = '$Format:%H$ $Id$'\n",
    }
    bare, commit = make_remote(tmp_path, files)
    with checkouts.work_copy(project(bare), commit) as tree:
        assert {name: (tree / name).read_bytes().decode() for name in files} == files


def test_executable_files_stay_executable(tmp_path: Path, checkouts: Checkouts) -> None:
    bare, _ = make_remote(tmp_path, {"run.sh": "#!/bin/sh\n"})
    (tmp_path / "work/run.sh").chmod(0o755)
    commit = commit_files(tmp_path / "work", {"a": "a"})
    git(tmp_path / "work", "push", "--quiet", "origin", "main")

    with checkouts.work_copy(project(bare), commit) as tree:
        assert os.access(tree / "run.sh", os.X_OK)
        assert not os.access(tree / "a", os.X_OK)


def test_links_out_of_the_tree_are_left_out_however_they_are_chained(
    tmp_path: Path, checkouts: Checkouts
) -> None:
    (tmp_path / "secret").write_text("outside")
    bare, commit = make_remote(
        tmp_path,
        {
            "inside.py": "ok\n",
            "good": Path("inside.py"),
            "deep/er/x.py": "x\n",
            "absolute": Path("/etc/passwd"),
            "up": Path("../../secret"),
            "step": Path("deep/er"),
            "chain": Path("step/../../.."),
            "loop": Path("loop"),
        },
    )
    with checkouts.work_copy(project(bare), commit) as tree:
        assert (tree / "good").read_text() == "ok\n"
        for path in tree.rglob("*"):
            assert Path(os.path.realpath(path)).is_relative_to(tree.resolve())
        assert not any(os.path.lexists(tree / name) for name in ("absolute", "up", "chain"))


def test_a_copy_is_removed_whatever_ran_in_it(tmp_path: Path, checkouts: Checkouts) -> None:
    bare, commit = make_remote(tmp_path, {"a/b.py": "a\n"})
    with checkouts.work_copy(project(bare), commit) as tree:
        (tree / "a" / "c").symlink_to("/")
        (tree / "a").chmod(0)

    assert list((tmp_path / "copies").iterdir()) == []
    assert Path("/etc").exists()


def test_files_are_the_text_files_and_only_up_to_a_size(
    tmp_path: Path, checkouts: Checkouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, commit = make_remote(
        tmp_path,
        {
            "shop/cart.py": "x = 1\n",
            "größe.py": "y = 2\n",
            "data.bin": b"\0",
            "link": Path("shop/cart.py"),
            "huge.txt": "x" * (module.FILE_BYTES_MAX + 1),
        },
    )

    assert dict(checkouts.files(project(bare), commit)) == {
        "shop/cart.py": b"x = 1\n",
        "größe.py": b"y = 2\n",
    }


def test_an_old_base_is_fetched_again_by_a_machine_without_a_mirror(
    tmp_path: Path, checkouts: Checkouts
) -> None:
    bare, first = make_remote(tmp_path, {"a.py": "a\n"})
    commit_files(tmp_path / "work", {"b.py": "b\n"})
    git(tmp_path / "work", "push", "--quiet", "origin", "main")

    assert set(checkouts.files(project(bare), first)) == {"a.py"}


@pytest.mark.parametrize(
    ("commit", "why"), [("f" * 40, "no longer on branch"), ("HEAD", "not a commit id")]
)
def test_a_commit_that_is_not_there_is_poison(
    tmp_path: Path, checkouts: Checkouts, commit: str, why: str
) -> None:
    bare, _ = make_remote(tmp_path, {"a.py": "a\n"})

    with pytest.raises(PoisonError, match=why):
        checkouts.files(project(bare), commit)


def test_fetches_at_the_same_time_wait_for_each_other(
    tmp_path: Path, checkouts: GitCheckouts
) -> None:
    bare, commit = make_remote(tmp_path, {"a.py": "a\n"})

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: checkouts.base_commit(project(bare)), range(6)))

    assert found == [commit] * 6
    assert len(list((tmp_path / "mirrors").glob("*.git"))) == 1


def test_a_lock_file_of_a_crashed_git_blocks_nobody(
    tmp_path: Path, checkouts: GitCheckouts
) -> None:
    bare, _ = make_remote(tmp_path, {"a.py": "a\n"})
    checkouts.base_commit(project(bare))
    (mirror,) = (tmp_path / "mirrors").glob("*.git")
    (mirror / "refs/heads/main.lock").touch()
    (mirror / "packed-refs.lock").touch()
    commit = commit_files(tmp_path / "work", {"b.py": "b\n"})
    git(tmp_path / "work", "push", "--quiet", "origin", "main")

    assert checkouts.base_commit(project(bare)) == commit


def test_the_lock_of_a_killed_worker_is_held_until_its_git_has_ended(
    tmp_path: Path, checkouts: GitCheckouts
) -> None:
    bare, commit = make_remote(tmp_path, {"a.py": "a\n"})
    checkouts.base_commit(project(bare))
    script = (
        "import sys; from pathlib import Path\n"
        "from connectors.checkouts import GitCheckouts\n"
        "from tests.connectors.repositories import ENVIRONMENT, project\n"
        "with GitCheckouts(Path(sys.argv[1]), environment=ENVIRONMENT)"
        ".locked(project(sys.argv[2])) as git:\n"
        "    git('-c', 'alias.wait=!echo up >&2; touch %s; sleep 1' % sys.argv[3], 'wait')\n"
    )
    up = tmp_path / "up"
    worker = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "mirrors"), str(bare), str(up)]
    )
    pause = threading.Event()
    while not up.exists() and worker.poll() is None:
        pause.wait(0.01)
    worker.kill()
    worker.wait()
    held: list[bool] = []

    def fetch() -> None:
        held.append(checkouts.base_commit(project(bare)) == commit)

    thread = threading.Thread(target=fetch)
    thread.start()
    thread.join(0.2)
    still_waiting = thread.is_alive()
    thread.join(10)

    assert still_waiting
    assert held == [True]


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", ".git/config", "a/.GIT/hooks/x"],
)
def test_paths_that_leave_the_tree_or_reach_into_git_are_refused(path: str) -> None:
    with pytest.raises(PoisonError):
        checked_path(path)


@pytest.mark.parametrize(
    "path",
    [".git./x", "git~1/x", ".git::$INDEX_ALLOCATION/x", ".g\u200cit/x", "a\0b"],
)
def test_names_that_some_file_system_takes_for_git_are_refused(path: str) -> None:
    with pytest.raises(PoisonError):
        checked_path(path)


@pytest.mark.parametrize("path", ["a.py", "a/b c.py", ".github/x.yml", ".gitignore", "größe/…py"])
def test_ordinary_paths_are_taken(path: str) -> None:
    assert str(checked_path(path)) == path


def test_a_blob_that_is_missing_is_an_error_of_git(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")

    with pytest.raises(GitError):
        read_blobs(Git(tmp_path / ".git", ENVIRONMENT), ["1" * 40])


def test_files_beyond_a_number_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILES_MAX", 2)
    listed = b"".join(b"100644 blob %040d 1\tf%d.py\0" % (n, n) for n in range(4))

    assert [path for path, _ in module.text_blobs(listed)] == ["f0.py", "f1.py"]
