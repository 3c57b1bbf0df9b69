"""Keeps what was read of files and commits, by their git ids: a cache that may be deleted.

An id of git stands for one content for ever, so nothing here grows stale: what another version of
our parsers made is dropped, and a store that is damaged or too large begins anew.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from processors.locating.entries import VERSION, Entry, from_bytes, to_bytes
from processors.locating.history import Change

STORE_BYTES_MAX = 1_000_000_000
BUSY_S_MAX = 5.0
"""How long one of two processes waits for the other."""
_ASKED_MAX = 500
_ENTRIES, _CHANGES = "entries", "changes"


class SymbolStore:
    """One SQLite file, shared by any number of threads and processes. Never raises: it forgets."""

    def __init__(
        self, path: Path, *, bytes_max: int = STORE_BYTES_MAX, busy_s_max: float = BUSY_S_MAX
    ) -> None:
        """Keep things in `path`, at most about `bytes_max` of them."""
        self._path = path
        self._busy_s_max = busy_s_max
        self._bytes_max = bytes_max
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def entries(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Return those of the files that are kept."""
        found = {}
        for key, content in self._read(_ENTRIES, keys).items():
            with suppress(ValueError, zlib.error):
                found[key] = from_bytes(zlib.decompress(content))
        return found

    def keep_entries(self, entries: Mapping[str, Entry]) -> None:
        """Keep the files, each under a key that stands for its content."""
        self._write(_ENTRIES, {k: zlib.compress(to_bytes(e), 1) for k, e in entries.items()})

    def changes(self, commits: Sequence[str]) -> dict[str, Change]:
        """Return those of the commits that are kept."""
        found = {}
        for commit, content in self._read(_CHANGES, commits).items():
            with suppress(ValueError):
                paths, _, words = content.partition(b"\n")
                read = np.frombuffer(words, dtype="<u8")
                found[commit] = Change(commit, read, tuple(json.loads(paths)))
        return found

    def keep_changes(self, changes: Mapping[str, Change]) -> None:
        """Keep the commits by their ids."""
        packed = {
            commit: json.dumps(change.paths).encode() + b"\n" + change.words.tobytes()
            for commit, change in changes.items()
        }
        self._write(_CHANGES, packed)

    # --- SQLite ---

    def _read(self, table: str, keys: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with suppress(sqlite3.Error), self._open() as database:
            for at in range(0, len(keys), _ASKED_MAX):
                some = keys[at : at + _ASKED_MAX]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, content FROM {table} WHERE key IN ({marks})"  # noqa: S608
                found.update(database.execute(query, some).fetchall())
        return found

    def _write(self, table: str, contents: Mapping[str, bytes]) -> None:
        if not contents:
            return
        try:
            with self._open() as database:
                database.execute("BEGIN IMMEDIATE")
                if _used(database) > self._bytes_max:
                    database.execute("DELETE FROM entries")
                    database.execute("DELETE FROM changes")
                database.executemany(
                    f"INSERT OR REPLACE INTO {table} VALUES (?, ?)",  # noqa: S608
                    contents.items(),
                )
                database.execute("COMMIT")
        except sqlite3.OperationalError:
            return  # Another process writes for long: it is only a cache.
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)  # Damaged: the next one begins anew.

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(
            sqlite3.connect(self._path, timeout=self._busy_s_max, isolation_level=None)
        ) as database:
            database.execute("PRAGMA synchronous=OFF")  # What a crash may take is made anew.
            if database.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                _prepare(database)
            yield database


def _used(database: sqlite3.Connection) -> int:
    """Return how many bytes are in use: a file does not shrink by what is deleted in it."""
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    for table in (_ENTRIES, _CHANGES):
        database.execute(f"DROP TABLE IF EXISTS {table}")
        database.execute(f"CREATE TABLE {table} (key TEXT PRIMARY KEY, content BLOB NOT NULL)")
    database.execute(f"PRAGMA user_version={VERSION}")
    database.execute("COMMIT")
