"""Where git, the parsers and what is kept meet: the code of a commit, and what came before it.

A file that did not change between two commits is parsed once, and a commit is read once. What was
joined for the last few commits stays in memory.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from threading import Lock

from connectors.checkouts import GitCheckouts, read_blobs, text_blobs
from connectors.git_command import Git, GitError
from connectors.made_store import MadeStore
from processors.locating import entries as files
from processors.locating import history as past
from processors.locating.call_graph import CallGraph
from processors.locating.code_index import CodeIndex, index_of
from processors.locating.entries import Entry, entry_of, is_indexed, is_test, language_of
from processors.locating.history import Change, History, change_of
from schemas.errors import TransientError
from schemas.projects import Project

COMMITS_MAX = 6_000
"""Of the past that is looked at."""
READ_AT_ONCE_MAX = 200
HISTORY_S_MAX = 120.0
"""For the past of one commit; what is left then is read another time."""
IN_MEMORY_MAX = 4
PARSED_AT_ONCE_MAX = 200
_KINDS: Mapping[str, tuple[Callable[[str], bool], Callable[[str, str], Entry]]] = {
    "code": (is_indexed, entry_of),
    "tests": (is_test, partial(entry_of, with_words=False)),
}


def store_at(path: Path) -> MadeStore:
    """Return what is kept in a file, as far as these parsers made it."""
    return MadeStore(path, version=files.VERSION)


class GitSymbolIndex:
    """`SymbolIndex` over the projects' mirrors."""

    def __init__(self, checkouts: GitCheckouts, store: MadeStore) -> None:
        """Read the mirrors of `checkouts`, and keep in `store` what was read."""
        self._checkouts = checkouts
        self._store = store
        self._lock = Lock()
        self._recent: OrderedDict[str, tuple[CodeIndex, History]] = OrderedDict()

    def at(self, project: Project, commit: str) -> tuple[CodeIndex, History]:
        """Return the code of `commit` and what came before it.

        Raises `PoisonError` when there is no such commit, and `TransientError`.
        """
        with self._lock:
            if commit in self._recent:
                self._recent.move_to_end(commit)
                return self._recent[commit]
        git = self._checkouts.git_with(project, commit)
        found = code_at(git, commit, self._store), history_at(git, commit, self._store)
        with self._lock:
            self._recent[commit] = found
            while len(self._recent) > IN_MEMORY_MAX:
                self._recent.popitem(last=False)
        return found

    def calls(self, project: Project, commit: str) -> CallGraph:
        """Return who calls whom in the code and the tests of `commit`. Raises like `at`."""
        code, _ = self.at(project, commit)
        return graph_at(self._checkouts.git_with(project, commit), commit, self._store, code)


class MemorySymbolIndex:
    """`SymbolIndex` of one fixed tree, whatever project and commit it is asked for."""

    def __init__(self, sources: Mapping[str, str], changes: Sequence[Change] = ()) -> None:
        """Index `sources`, path -> text, with `changes` before them."""
        self._code = index_of(sources)
        wanted = {p: text for p, text in sources.items() if is_indexed(p) or is_test(p)}
        self._calls = CallGraph({path: entry_of(path, text) for path, text in wanted.items()})
        self._history = History(changes)

    def at(self, project: Project, commit: str) -> tuple[CodeIndex, History]:
        """Return the tree."""
        del project, commit
        return self._code, self._history

    def calls(self, project: Project, commit: str) -> CallGraph:
        """Return who calls whom in the tree, tests among it."""
        del project, commit
        return self._calls


def code_at(git: Git, commit: str, store: MadeStore) -> CodeIndex:
    """Return the code of `commit` in our languages, tests left out. Raises `TransientError`."""
    return CodeIndex(_entries(git, commit, store, "code"))


def graph_at(git: Git, commit: str, store: MadeStore, code: CodeIndex) -> CallGraph:
    """Return who calls whom in `code` and in the tests of `commit`. Raises `TransientError`."""
    tests = _entries(git, commit, store, "tests")
    return CallGraph(dict(zip(code.paths, code.entries, strict=True)) | tests)


def _entries(git: Git, commit: str, store: MadeStore, kind: str) -> dict[str, Entry]:
    wanted, make = _KINDS[kind]
    try:
        listed = git("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    except GitError as error:
        raise error.explained("listing the files of the commit") from error
    keys = {p: f"{blob}.{language_of(p)}.{kind}" for p, blob in text_blobs(listed, wanted)}
    known: dict[str, Entry] = {}
    for key, content in store.find(list(dict.fromkeys(keys.values()))).items():
        with suppress(ValueError):
            known[key] = files.from_bytes(content)
    new = [path for path, key in keys.items() if key not in known]
    for at in range(0, len(new), PARSED_AT_ONCE_MAX):
        made = dict(_parsed(git, new[at : at + PARSED_AT_ONCE_MAX], keys, make))
        store.keep({key: files.to_bytes(entry) for key, entry in made.items()})
        known |= made
    return {path: known[key] for path, key in keys.items()}


def _parsed(
    git: Git,
    paths: Sequence[str],
    keys: Mapping[str, str],
    make: Callable[[str, str], Entry],
) -> Iterator[tuple[str, Entry]]:
    try:
        contents = read_blobs(git, [keys[path].partition(".")[0] for path in paths])
    except GitError as error:
        raise error.explained("reading the files of the commit") from error
    for path, content in zip(paths, contents, strict=True):
        yield keys[path], make(path, content.decode("utf-8", "replace"))


def history_at(git: Git, commit: str, store: MadeStore) -> History:
    """Return the commits before `commit` and itself. Where git cannot tell there is none."""
    known: dict[str, Change] = {}
    end_s = time.monotonic() + HISTORY_S_MAX
    try:
        limit = f"--max-count={COMMITS_MAX}"
        commits = git.line("rev-list", "--no-merges", limit, commit).split()
        for each, content in store.find(commits).items():
            with suppress(ValueError):
                known[each] = past.from_bytes(each, content)
        new = [each for each in commits if each not in known]
    except (GitError, TransientError):
        return History()  # A mirror without its past: what the code says is enough.
    for at in range(0, len(new), READ_AT_ONCE_MAX):
        hurried = replace(git, command_s_max=end_s - time.monotonic())
        if hurried.command_s_max <= 0:
            break
        try:
            made = {c.commit: c for c in _changes(hurried, new[at : at + READ_AT_ONCE_MAX])}
        except (GitError, TransientError):
            continue  # Too much or too slow: the others may tell enough.
        store.keep({each: past.to_bytes(change) for each, change in made.items()})
        known |= made
    return History([known[each] for each in commits if each in known])


def _changes(git: Git, commits: Sequence[str]) -> Iterator[Change]:
    mark = token_hex(16)  # Nothing in a message or a path can be taken for it.
    out = git(
        *("log", "--no-walk=unsorted", "--stdin", "--name-only", "--no-renames", "--root", "-z"),
        f"--format={mark}%H%n%B{mark}",
        stdin="".join(f"{each}\n" for each in commits).encode(),
    )
    parts = out.split(mark.encode())
    for text, listed in zip(parts[1::2], parts[2::2], strict=True):
        commit, _, message = text.partition(b"\n")
        names = (name.decode("utf-8", "replace") for name in listed.lstrip(b"\0\n").split(b"\0"))
        paths = [name for name in names if language_of(name) is not None]
        said = message[: past.MESSAGE_CHARS_MAX * 4].decode("utf-8", "replace")
        yield change_of(commit.decode(), said, paths)
