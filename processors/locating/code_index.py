"""The code of one commit, ready to be asked: which units and files hold these words.

Scored by BM25F: a word counts by where it stands before it saturates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from processors.locating.bm25 import Found, hits, scored, summed
from processors.locating.entries import Entry, Part, Place, entry_of, is_indexed
from processors.locating.paths import Paths

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINOR_SHARE = 0.2
"""Of the files: a family of languages with less of them is a minor one there."""
_SCRIPTS = frozenset({"javascript", "js", "jsx", "typescript", "ts", "tsx"})


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for."""

    words: Mapping[int, float]
    """The numbers of the words, each with its weight."""
    parts: Mapping[Part, float]
    """How much each part of a unit counts; parts that are missing are not looked at."""
    b_unit: float = 0.4
    """How much length counts against a unit: less than is usual, for long functions hold more
    faults than short ones."""
    b_file: float = 0.75


@dataclass(frozen=True, slots=True)
class Scores:
    """BM25F scores of every unit and every file, and what each word of the query is worth."""

    by_unit: NDArray[np.float64]
    by_file: NDArray[np.float64]
    idf: Mapping[int, float]
    """Word -> its weight times its inverse document frequency: how few units have it."""


class CodeIndex:
    """The files of one commit that are in our languages, by path. It does not change."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        """Join the entries of each path."""
        self.paths: tuple[str, ...] = tuple(sorted(entries))
        self.entries: tuple[Entry, ...] = tuple(entries[path] for path in self.paths)
        counts = [len(entry.places) for entry in self.entries]
        self.starts: NDArray[np.int64] = np.cumsum([0, *counts])
        """Of each file the number of its first unit, the module; at the end how many there are."""
        self.file_of: NDArray[np.int64] = np.repeat(np.arange(len(counts)), counts)
        rows = [entry.rows for entry in self.entries]
        sizes = [len(each) for each in rows]
        self._term: NDArray[np.uint64] = _joined([r["term"] for r in rows], "<u8")
        self._unit: NDArray[np.int64] = _joined([r["unit"] for r in rows], "<i8")
        self._unit += np.repeat(self.starts[:-1], sizes)
        self._count: NDArray[np.float64] = _joined([r["count"] for r in rows], "<f8")
        self._part: NDArray[np.uint8] = _joined([r["part"] for r in rows], "u1")

    @property
    def units(self) -> int:
        """Return how many units there are."""
        return int(self.starts[-1])

    def place(self, unit: int) -> tuple[str, Place]:
        """Return path and place of a unit."""
        file = int(self.file_of[unit])
        return self.paths[file], self.entries[file].places[unit - int(self.starts[file])]

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Return path -> number of the file."""
        return {path: number for number, path in enumerate(self.paths)}

    @cached_property
    def by_path(self) -> Paths:
        """Return the paths, to be asked by what is printed elsewhere."""
        return Paths(self.paths)

    @cached_property
    def is_module(self) -> NDArray[np.bool_]:
        """Return of each unit whether it is what a file has outside functions and classes."""
        found = np.zeros(self.units, dtype=bool)
        found[self.starts[:-1]] = True
        return found

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Return of each file the family of its language."""
        return tuple(family_of(entry.language) for entry in self.entries)

    @cached_property
    def minor(self) -> frozenset[str]:
        """Return the families that few of the files are in."""
        counts = Counter(self.families)
        few = min(MINOR_SHARE * counts.total(), max(counts.values(), default=0))
        return frozenset(family for family, count in counts.items() if count < few)

    @cached_property
    def by_name(self) -> Mapping[str, Sequence[int]]:
        """Return the last part of each symbol -> the units called so."""
        found: dict[str, list[int]] = {}
        number = 0
        for entry in self.entries:
            for place in entry.places:
                if place.symbol:
                    found.setdefault(place.symbol.rpartition(".")[2], []).append(number)
                number += 1
        return found

    def best_of_file(self, by_unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return of each file the score of its best unit."""
        found = np.zeros(len(self.paths))
        np.maximum.at(found, self.file_of, by_unit)
        return found

    def scores(self, query: Query) -> Scores:
        """Return how well every unit and every file fits the query."""
        size = self.units
        wanted = np.array(sorted(query.words), dtype=np.uint64)
        if not len(wanted) or not len(self._term):
            return Scores(np.zeros(size), np.zeros(len(self.paths)), {})
        weights = np.array([query.words[int(each)] for each in wanted])
        boost = np.array([query.parts.get(part, 0.0) for part in Part])
        where, words = hits(self._term, wanted)
        is_asked = boost[self._part[where]] > 0
        where, words = where[is_asked], words[is_asked]
        units, counts = self._unit[where], self._count[where] * boost[self._part[where]]
        lengths = summed(self._unit, self._count * boost[self._part], size)
        # Scripts beside the code do not say what is rare in it, nor what is long.
        usual = np.array([family not in self.minor for family in self.families])
        in_units = Found(
            owners=units, words=words, counts=counts, lengths=lengths, usual=usual[self.file_of]
        )
        in_files = replace(
            in_units,
            owners=self.file_of[units],
            lengths=summed(self.file_of, lengths, len(self.paths)),
            usual=usual,
        )
        by_unit, idf = scored(in_units, weights, query.b_unit)
        by_file, _ = scored(in_files, weights, query.b_file)
        return Scores(by_unit, by_file, dict(zip(wanted.tolist(), idf.tolist(), strict=True)))

    def words_of(self, unit: int) -> set[int]:
        """Return the numbers of the words in the name, the docstring and the code of a unit."""
        file = int(self.file_of[unit])
        rows = self.entries[file].rows
        mine = rows[rows["unit"] == unit - int(self.starts[file])]
        return set(mine["term"][mine["part"] <= Part.CODE].tolist())


def family_of(language: str) -> str:
    """Return the language, one name for all that stand beside each other in one project."""
    return "script" if language in _SCRIPTS else language


def index_of(sources: Mapping[str, str]) -> CodeIndex:
    """Return the index of files at hand, path -> text."""
    return CodeIndex({p: entry_of(p, text) for p, text in sources.items() if is_indexed(p)})


def _joined(arrays: Sequence[NDArray[Any]], kind: str) -> NDArray[Any]:
    return np.concatenate(arrays).astype(kind) if arrays else np.empty(0, dtype=kind)
