"""Keeps what was made of contents that never change, by their ids: a cache that may be deleted.

An id of git stands for one content for ever, so nothing here grows stale: what another version of
its makers made is dropped, and a store that is damaged or too large begins anew.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

STORE_BYTES_MAX = 1_000_000_000
BUSY_S_MAX = 5.0
"""How long one of two processes waits for the other."""
USED_S_MAX = 30.0
"""For one question: a file that came with somebody's repository may hold a view without end."""
CONTENT_BYTES_MAX = 64_000_000
"""Of one content: a few bytes may stand for more than memory holds."""
_ASKED_MAX = 500
_STEPS_BETWEEN = 10_000
"""Of SQLite, between two looks at the clock."""
_TABLE = "CREATE TABLE IF NOT EXISTS made (key TEXT PRIMARY KEY, content BLOB NOT NULL)"


class MadeStore:
    """One SQLite file, shared by any number of threads and processes. Never raises: it forgets."""

    def __init__(
        self,
        path: Path,
        *,
        version: int,
        bytes_max: int = STORE_BYTES_MAX,
        busy_s_max: float = BUSY_S_MAX,
        used_s_max: float = USED_S_MAX,
    ) -> None:
        """Keep in `path` what makers of `version` made, at most about `bytes_max` of it."""
        self._path = path
        self._version = version
        self._busy_s_max = busy_s_max
        self._used_s_max = used_s_max
        self._bytes_max = bytes_max
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def find(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what is kept under those of the keys that are known."""
        packed: dict[str, object] = {}
        try:
            packed = self._packed(keys)
        except sqlite3.Error as error:
            self._forget(error)
        opened = ((key, _unpacked(content)) for key, content in packed.items())
        return {key: content for key, content in opened if content is not None}

    def _packed(self, keys: Sequence[str]) -> dict[str, object]:
        packed: dict[str, object] = {}
        with self._open() as database:
            for at in range(0, len(keys), _ASKED_MAX):
                some = keys[at : at + _ASKED_MAX]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, content FROM made WHERE key IN ({marks})"  # noqa: S608
                packed.update(database.execute(query, some).fetchmany(len(some)))
        return packed

    def keep(self, contents: Mapping[str, bytes]) -> None:
        """Keep the contents under their keys, where nobody else writes for long."""
        if not contents:
            return
        packed = [(key, zlib.compress(content, 1)) for key, content in contents.items()]
        try:
            with self._open() as database:
                database.execute("BEGIN IMMEDIATE")
                database.execute(_TABLE)  # What stands in the file may be of an earlier release.
                if _used(database) > self._bytes_max:
                    database.execute("DELETE FROM made")
                database.executemany("INSERT OR REPLACE INTO made VALUES (?, ?)", packed)
                database.execute("COMMIT")
        except sqlite3.Error as error:
            self._forget(error)

    def _forget(self, error: sqlite3.Error) -> None:
        """Remove a file that is damaged, or that would take for ever: the next one begins anew."""
        is_endless = getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
        # Another process may write for long, or the disk be full: it is only a cache.
        if is_endless or not isinstance(error, sqlite3.OperationalError):
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(
            sqlite3.connect(self._path, timeout=self._busy_s_max, isolation_level=None)
        ) as database:
            end_s = time.monotonic() + self._used_s_max
            database.set_progress_handler(lambda: time.monotonic() > end_s, _STEPS_BETWEEN)
            database.execute("PRAGMA synchronous=OFF")  # What a crash may take is made anew.
            if database.execute("PRAGMA user_version").fetchone()[0] != self._version:
                self._prepare(database)
            yield database

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.execute("BEGIN IMMEDIATE")
        database.execute("DROP TABLE IF EXISTS made")
        database.execute(_TABLE)
        database.execute(f"PRAGMA user_version={self._version}")
        database.execute("COMMIT")


def _used(database: sqlite3.Connection) -> int:
    """Return how many bytes are in use: a file does not shrink by what is deleted in it."""
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _unpacked(content: object) -> bytes | None:
    """Return what was packed; None for what nobody here packed."""
    if not isinstance(content, bytes):
        return None
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(content, CONTENT_BYTES_MAX)
    except zlib.error:
        return None
    return found if unpacking.eof else None
