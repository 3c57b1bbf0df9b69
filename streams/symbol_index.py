"""What the code of a commit defines and which words it holds, read from git.

A file that did not change between two commits is parsed once, and a commit is read once: see
`symbol_store`. What was joined for the last few commits stays in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock

import numpy as np

from connectors.checkouts import GitCheckouts, read_blobs, text_blobs
from connectors.git_command import Git, GitError
from connectors.symbol_store import SymbolStore
from processors.locating.code_index import CodeIndex
from processors.locating.entries import Entry, entry_of, language_of
from processors.locating.history import FILES_PER_COMMIT_MAX, Change, History
from processors.locating.paths import holds_tests
from processors.locating.words import number, terms
from schemas.errors import TransientError
from schemas.projects import Project

COMMITS_MAX = 6_000
"""Of the past that is looked at."""
MESSAGE_CHARS_MAX = 4_000
IN_MEMORY_MAX = 4
PARSED_AT_ONCE_MAX = 200
_COMMIT_MARK = "\x1e"
_TEXT_MARK = "\x1f"


class GitSymbolIndex:
    """`SymbolIndex` over the projects' mirrors."""

    def __init__(self, checkouts: GitCheckouts, store: SymbolStore) -> None:
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


class MemorySymbolIndex:
    """`SymbolIndex` of one fixed tree, whatever project and commit it is asked for."""

    def __init__(self, sources: Mapping[str, str], changes: Sequence[Change] = ()) -> None:
        """Index `sources`, path -> text, with `changes` before them."""
        self._code = index_of(sources)
        self._history = History(changes)

    def at(self, project: Project, commit: str) -> tuple[CodeIndex, History]:
        """Return the tree."""
        del project, commit
        return self._code, self._history


def index_of(sources: Mapping[str, str]) -> CodeIndex:
    """Return the index of files at hand, path -> text: those that `code_at` would take."""
    return CodeIndex({p: entry_of(p, text) for p, text in sources.items() if _is_indexed(p)})


def code_at(git: Git, commit: str, store: SymbolStore) -> CodeIndex:
    """Return the code of `commit` in our languages, tests left out. Raises `TransientError`."""
    try:
        listed = git("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    except GitError as error:
        raise error.explained("listing the files of the commit") from error
    keys = {path: f"{blob}.{language_of(path)}" for path, blob in text_blobs(listed, _is_indexed)}
    known = store.entries(list(dict.fromkeys(keys.values())))
    new = [path for path, key in keys.items() if key not in known]
    for at in range(0, len(new), PARSED_AT_ONCE_MAX):
        some = new[at : at + PARSED_AT_ONCE_MAX]
        made = dict(_parsed(git, some, keys))
        store.keep_entries(made)
        known |= made
    return CodeIndex({path: known[key] for path, key in keys.items()})


def _is_indexed(path: str) -> bool:
    return language_of(path) is not None and not holds_tests(path)


def _parsed(git: Git, paths: Sequence[str], keys: dict[str, str]) -> Iterator[tuple[str, Entry]]:
    contents = read_blobs(git, [keys[path].partition(".")[0] for path in paths])
    for path, content in zip(paths, contents, strict=True):
        yield keys[path], entry_of(path, content.decode("utf-8", "replace"))


def history_at(git: Git, commit: str, store: SymbolStore) -> History:
    """Return the commits before `commit` and itself. Where git cannot tell there is none."""
    try:
        limit = f"--max-count={COMMITS_MAX}"
        commits = git.line("rev-list", "--no-merges", limit, commit).split()
        known = store.changes(commits)
        new = [each for each in commits if each not in known]
        made = dict(_read_changes(git, new))
    except (GitError, TransientError):
        return History(())  # A mirror without its past: what the code says is enough.
    store.keep_changes(made)
    known |= made
    return History([known[each] for each in commits if each in known])


def _read_changes(git: Git, commits: Sequence[str]) -> Iterator[tuple[str, Change]]:
    if not commits:
        return
    out = git(
        *("log", "--no-walk=unsorted", "--stdin", "--name-only", "--no-renames", "--root"),
        f"--format={_COMMIT_MARK}%H%n%B{_TEXT_MARK}",
        stdin="".join(f"{each}\n" for each in commits).encode(),
    )
    for part in out.decode("utf-8", "replace").split(_COMMIT_MARK)[1:]:
        text, _, listed = part.partition(_TEXT_MARK)
        commit, _, message = text.partition("\n")
        paths = tuple(path for path in listed.split("\n") if path and language_of(path) is not None)
        words = sorted({number(term) for term in terms(message[:MESSAGE_CHARS_MAX])})
        # Of one that touched very much nothing is used, so nothing is kept.
        kept = paths if len(paths) <= FILES_PER_COMMIT_MAX else ()
        yield commit, Change(commit, np.array(words if kept else [], dtype="<u8"), kept)
