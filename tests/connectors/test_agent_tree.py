"""What counts as a change, beside whatever commands leave lying about."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.agent_tree import EDITS_MAX, TreeError, WorkTree, decides_tests, work_tree
from schemas.fixes import FileEdit
from tests.connectors import agents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return agents.make_tree(tmp_path / "tree")


def test_changed_new_and_removed_files_are_edits(folder: Path) -> None:
    with work_tree(folder, {}) as tree:
        tree.write("cart.py", agents.MENDED)
        tree.write("deep/new.py", "x = 1\n")
        (folder / "conftest.py").unlink()

        edits = tree.changes()

    assert edits == (
        FileEdit(path="cart.py", before=agents.FAULTY, after=agents.MENDED),
        FileEdit(path="conftest.py", before=agents.CONFTEST, after=None),
        FileEdit(path="deep/new.py", before=None, after="x = 1\n"),
    )


def test_litter_links_and_the_oracle_are_no_edits(folder: Path) -> None:
    with work_tree(folder, {"tests/test_oracle.py": "def test(): ..."}) as tree:
        for path in ("__pycache__/cart.pyc", ".coverage", "x.egg-info/PKG-INFO", ".git/config"):
            tree.write(path, "litter")
        (folder / "link").symlink_to("/etc/passwd")

        assert tree.read("tests/test_oracle.py") == "def test(): ..."
        assert tree.changes() == ()


def test_a_file_that_became_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    with work_tree(folder, {}) as tree:
        (folder / "cart.py").unlink()
        (folder / "cart.py").symlink_to(tmp_path / "secret")

        with pytest.raises(TreeError, match=r"cart\.py is not a text file"):
            tree.changes()


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    with work_tree(folder, {}) as tree:
        (folder / "cart.py").write_bytes(b"\xff\xfe")

        with pytest.raises(TreeError, match="not a text file"):
            tree.changes()


def test_a_heap_of_files_is_refused(folder: Path) -> None:
    with work_tree(folder, {}) as tree:
        for number in range(EDITS_MAX + 1):
            tree.write(f"litter{number}.txt", "x")

        with pytest.raises(TreeError, match="remove litter"):
            tree.changes()


def test_a_heap_of_text_is_refused(folder: Path) -> None:
    with work_tree(folder, {}) as tree:
        tree.write("litter.txt", "x" * 1_000_000)

        with pytest.raises(TreeError, match="too large"):
            tree.changes()


def test_the_base_stays_as_it_was_and_copies_of_it_go(folder: Path) -> None:
    with work_tree(folder, {}) as tree:
        tree.write("cart.py", agents.MENDED)
        with tree.at_base({"tests/test_new.py": "new"}) as copy:
            (copy / "conftest.py").write_text("changed")
            seen = {path.name for path in copy.rglob("*.py")}
            text = (copy / "cart.py").read_text()

        assert seen == {"cart.py", "conftest.py", "test_cart.py", "test_new.py"}
        assert text == tree.read_base("cart.py") == agents.FAULTY
        assert tree.read_base("conftest.py") == agents.CONFTEST
        assert not copy.exists()
    assert not tree.base.exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", "a\0b", "a" * 5_000])
def test_a_bad_path_is_refused(folder: Path, path: str) -> None:
    with work_tree(folder, {}) as tree:
        with pytest.raises(TreeError):
            tree.read(path)
        with pytest.raises(TreeError):
            tree.write(path, "x")


def test_a_path_as_the_sandbox_shows_it_is_understood(folder: Path) -> None:
    with work_tree(folder, {}) as tree:
        assert tree.read("/sandbox/cart.py") == agents.FAULTY


def test_a_pipe_is_not_read(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    tree = WorkTree(now=folder, base=folder)

    with pytest.raises(TreeError, match="not a text file"):
        tree.read("pipe")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("conftest.py", True),
        ("pytest.ini", True),
        ("tests/__init__.py", True),
        ("tests/test_cart.py", False),
        ("shop/__init__.py", False),
    ],
)
def test_what_decides_how_tests_run_is_known(path: str, expected: bool) -> None:
    assert decides_tests(path) is expected
