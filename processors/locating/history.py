"""What earlier commits say: a report that sounds like one of them may be about the same files.

"Version history, similar report, and structure" (Wang and Lo, 2014) is the idea; here commit
messages stand for the reports, since every repository has them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from processors.locating.bm25 import Found, hits, scored
from processors.locating.words import number, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

B = 0.75
FILES_PER_COMMIT_MAX = 20
"""A commit that touches more, such as a reformatting, says nothing about any of them."""
MESSAGE_CHARS_MAX = 4_000
SIMILAR_MAX = 30
"""Commits that are listened to."""
RECENT_MAX = 200
"""Commits that count as recent."""
RECENT_HALVES = 50
"""Commits after which a change counts half."""
COMPANY_MIN = 2
"""Commits that two files must have had in common: one may be chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A commit of the past."""

    commit: str
    words: NDArray[np.uint64]
    """Of its message, each once."""
    paths: tuple[str, ...]


def to_bytes(change: Change) -> bytes:
    """Return the change as bytes for `from_bytes`; its commit is the key to them."""
    return json.dumps(change.paths).encode() + b"\n" + change.words.tobytes()


def from_bytes(commit: str, content: bytes) -> Change:
    """Return what `to_bytes` was given. Raises `ValueError` for anything else."""
    paths, _, words = content.partition(b"\n")
    listed = json.loads(paths)
    if not isinstance(listed, list):
        raise ValueError("not a change of the past")  # noqa: TRY004  # bad bytes, no wrong call
    return Change(commit, np.frombuffer(words, dtype="<u8"), tuple(map(str, listed)))


def change_of(commit: str, message: str, paths: Sequence[str]) -> Change:
    """Return a commit of that message: of one that touched very much nothing is kept."""
    if len(paths) > FILES_PER_COMMIT_MAX:
        return Change(commit, np.empty(0, dtype="<u8"), ())
    words = sorted({number(term) for term in terms(message[:MESSAGE_CHARS_MAX])})
    return Change(commit, np.array(words, dtype="<u8"), tuple(paths))


class History:
    """The last commits up to the one that is looked at, newest first."""

    def __init__(self, changes: Sequence[Change] = ()) -> None:
        """Join the changes."""
        self._changes = [change for change in changes if change.paths]
        sizes = [len(change.words) for change in self._changes]
        self._sizes = np.array(sizes, dtype=np.float64)
        self._owner: NDArray[np.int64] = np.repeat(np.arange(len(sizes)), sizes)
        self._words: NDArray[np.uint64] = (
            np.concatenate([change.words for change in self._changes])
            if sizes
            else np.empty(0, dtype="<u8")
        )

    def recent(self) -> dict[str, tuple[float, int]]:
        """Return path -> how recently and often it changed, and in how many recent commits."""
        found: dict[str, tuple[float, int]] = {}
        for age, change in enumerate(self._changes[:RECENT_MAX]):
            for path in change.paths:
                score, count = found.get(path, (0.0, 0))
                found[path] = (score + 0.5 ** (age / RECENT_HALVES), count + 1)
        return found

    def company(self, path: str) -> tuple[int, dict[str, int]]:
        """Return how many commits changed `path`, and with which other paths how many of them."""
        mine = [change.paths for change in self._changes if path in change.paths]
        counts = Counter(other for paths in mine for other in paths if other != path)
        return len(mine), {other: n for other, n in counts.items() if n >= COMPANY_MIN}

    def similar(self, words: Mapping[int, float]) -> Iterator[tuple[float, Change]]:
        """Yield the commits whose messages sound most like `words`, with the BM25 score."""
        size = len(self._changes)
        wanted = np.array(sorted(words), dtype=np.uint64)
        if not len(wanted) or not size:
            return
        weights = np.array([words[int(each)] for each in wanted])
        where, which = hits(self._words, wanted)
        once, every = np.ones(len(where)), np.ones(size, dtype=bool)
        held = Found(
            owners=self._owner[where], words=which, counts=once, lengths=self._sizes, usual=every
        )
        scores, _ = scored(held, weights, B)
        for best in np.argsort(-scores, kind="stable")[:SIMILAR_MAX]:
            if scores[best] > 0:
                yield float(scores[best]), self._changes[best]
