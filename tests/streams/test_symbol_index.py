"""One suite for the index over real repositories and for the one of a fixed tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connectors.checkouts import GitCheckouts
from connectors.git_command import Git
from connectors.made_store import MadeStore
from processors.locating.code_index import CodeIndex, index_of
from processors.locating.entries import VERSION
from processors.locating.names import Node
from processors.locating.words import number, stem
from processors.ports import SymbolIndex
from schemas.errors import PoisonError, TransientError
from schemas.projects import Project
from streams import symbol_index
from streams.symbol_index import (
    GitSymbolIndex,
    MemorySymbolIndex,
    code_at,
    graph_at,
    history_at,
    store_at,
)
from tests.connectors.repositories import ENVIRONMENT, commit_files, git, make_remote, project

FILES = {
    "shop/cart.py": "class Cart:\n    def total(self):\n        return 1\n",
    "shop/old.py": "print 'of another age'\n\ndef refund(x):\n    return x\n",
    "tests/test_cart.py": "def test_total(): pass\n",
    "tests/test_old.py": "from shop.old import refund\ndef test_refund(): refund(1)\n",
    "README.md": "def no_code(): pass\n",
}
Made = tuple[SymbolIndex, Project, str]


@pytest.fixture
def store(tmp_path: Path) -> MadeStore:
    return store_at(tmp_path / "symbols.sqlite")


def _real(folder: Path) -> Made:
    bare, commit = make_remote(folder, FILES)
    checkouts = GitCheckouts(folder / "mirrors", environment=ENVIRONMENT)
    return GitSymbolIndex(checkouts, store_at(folder / "s.sqlite")), project(bare), commit


def _fake(folder: Path) -> Made:
    return MemorySymbolIndex(FILES), project(folder), "a" * 40


@pytest.mark.parametrize("make", [_real, _fake])
def test_the_code_of_a_commit_is_known_without_its_tests(
    make: Callable[[Path], Made], tmp_path: Path
) -> None:
    index, target, commit = make(tmp_path)
    code, _ = index.at(target, commit)

    assert code.paths == ("shop/cart.py", "shop/old.py")
    assert set(code.by_name) == {"Cart", "total", "refund"}


@pytest.mark.parametrize("make", [_real, _fake])
def test_asked_twice_it_says_the_same(make: Callable[[Path], Made], tmp_path: Path) -> None:
    index, target, commit = make(tmp_path)

    assert index.at(target, commit)[0] is index.at(target, commit)[0]


@pytest.mark.parametrize("make", [_real, _fake])
def test_who_calls_is_known_and_tests_are_among_them(
    make: Callable[[Path], Made], tmp_path: Path
) -> None:
    index, target, commit = make(tmp_path)
    calls = index.calls(target, commit)

    assert [one.node for one in calls.callers(Node("shop/old.py", "refund"))] == [
        Node("tests/test_old.py", "test_refund")
    ]
    assert index.at(target, commit)[0].paths == ("shop/cart.py", "shop/old.py")


def test_tests_are_parsed_once_too(tmp_path: Path, store: MadeStore) -> None:
    bare, commit = make_remote(tmp_path, FILES)
    reader = Git(bare, ENVIRONMENT)
    graph_at(reader, commit, store, code_at(reader, commit, store))
    blob = git(tmp_path / "work", "rev-parse", "HEAD:tests/test_old.py")

    assert store.find([f"{blob}.python.tests"])


def test_a_commit_that_is_not_there_is_said(tmp_path: Path) -> None:
    index, target, _ = _real(tmp_path)

    with pytest.raises(PoisonError, match="no longer on branch"):
        index.at(target, "b" * 40)


def _shape(code: CodeIndex) -> list[object]:
    return [(path, entry.places) for path, entry in zip(code.paths, code.entries, strict=True)]


def test_what_is_kept_gives_the_same_index_as_what_is_read(
    tmp_path: Path, store: MadeStore
) -> None:
    bare, commit = make_remote(tmp_path, FILES)
    cold = code_at(Git(bare, ENVIRONMENT), commit, store)
    warm = code_at(Git(bare, ENVIRONMENT), commit, store)

    assert _shape(cold) == _shape(warm) == _shape(index_of(FILES))
    assert all((a.rows == b.rows).all() for a, b in zip(cold.entries, warm.entries, strict=True))


class Counting(MadeStore):
    """Counts what is made anew."""

    made = 0

    def keep(self, contents: Mapping[str, bytes]) -> None:
        self.made += len(contents)
        super().keep(contents)


def test_of_the_next_commit_only_what_changed_is_read(tmp_path: Path) -> None:
    store = Counting(tmp_path / "s.sqlite", version=VERSION)
    bare, first = make_remote(tmp_path, FILES)
    code_at(Git(bare, ENVIRONMENT), first, store)
    before = store.made
    second = commit_files(tmp_path / "work", {"shop/cart.py": "def other(): pass\n"})
    code = code_at(Git(tmp_path / "work" / ".git", ENVIRONMENT), second, store)

    assert (before, store.made) == (2, 3)
    assert set(code.by_name) == {"other", "refund"}


def test_the_past_of_a_commit_is_its_own_and_not_what_came_after(
    tmp_path: Path, store: MadeStore
) -> None:
    make_remote(tmp_path, FILES)
    work = tmp_path / "work"
    (work / "shop/cart.py").write_text("def later(): pass\n")
    git(work, "commit", "--quiet", "--all", "--message=Rounded the zebra")
    repository = Git(work / ".git", ENVIRONMENT)
    zebra = {number(stem("zebra")): 1.0}

    [(_, change)] = history_at(repository, "HEAD", store).similar(zebra)
    again = list(history_at(repository, "HEAD", store).similar(zebra))

    assert change.paths == ("shop/cart.py",)
    assert [each.commit for _, each in again] == [change.commit]
    assert not list(history_at(repository, "HEAD~1", store).similar(zebra))


def test_without_a_past_there_is_none(tmp_path: Path, store: MadeStore) -> None:
    bare, _ = make_remote(tmp_path, FILES)

    assert not list(history_at(Git(bare, ENVIRONMENT), "c" * 40, store).similar({1: 1.0}))


def test_a_message_cannot_pass_for_the_end_of_itself(tmp_path: Path, store: MadeStore) -> None:
    make_remote(tmp_path, FILES)
    work = tmp_path / "work"
    forged = "a" * 40
    message = f"Refund\x1e{forged}\nshop\x1fshop/forged.py\n"
    git(work, "commit", "--quiet", "--allow-empty", "-m", message)
    commit = commit_files(work, {"shop/a\n\x1eb.py": "x = 1\n"})
    history = history_at(Git(work / ".git", ENVIRONMENT), commit, store)

    assert store.find([forged]) == {}
    assert "shop/a\n\x1eb.py" in history.recent()
    assert "shop/forged.py" not in history.recent()


def test_a_past_that_is_too_much_to_read_is_left_out(
    tmp_path: Path, store: MadeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_remote(tmp_path, FILES)
    work = tmp_path / "work"
    commit_files(work, {"shop/big.py": "x = 1\n"})
    git(work, "commit", "--quiet", "--amend", "--file=-", stdin="word " * 30_000)
    commit = commit_files(work, {"shop/new.py": "x = 1\n"})
    small = Git(work / ".git", ENVIRONMENT, printed_bytes_max=100_000)
    monkeypatch.setattr(symbol_index, "READ_AT_ONCE_MAX", 1)

    assert "shop/new.py" in history_at(small, commit, store).recent()
    assert "shop/big.py" not in history_at(small, commit, store).recent()


def test_files_without_end_are_refused_in_words(tmp_path: Path, store: MadeStore) -> None:
    git(tmp_path, "init", "--quiet")
    blob = git(tmp_path, "hash-object", "-w", "--stdin", stdin="x = 1\n")
    entries = "".join(f"100644 blob {blob}\tf{n}.py\n" for n in range(9))
    for _ in range(9):
        tree = git(tmp_path, "mktree", stdin=entries)
        entries = "".join(f"040000 tree {tree}\td{n}\n" for n in range(9))
    commit = git(tmp_path, "commit-tree", tree, "-m", "Many")
    small = Git(tmp_path / ".git", ENVIRONMENT, printed_bytes_max=1_000_000)

    with pytest.raises(PoisonError, match="too large"):
        code_at(small, commit, store)


def test_a_file_that_is_damaged_in_the_repository_is_told_in_words(
    tmp_path: Path, store: MadeStore
) -> None:
    git(tmp_path, "init", "--quiet")
    commit = commit_files(tmp_path, {"a.py": "x = 1\n" * 1000})
    blob = git(tmp_path, "rev-parse", "HEAD:a.py")
    file = tmp_path / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-20])

    with pytest.raises(TransientError, match="reading the files"):
        code_at(Git(tmp_path / ".git", ENVIRONMENT), commit, store)
