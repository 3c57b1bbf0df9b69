"""BM25: how well units, files or commits fit the words of a query. Words are numbers in arrays.

Score: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
Where the counts were weighed by field before, it is their BM25F.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

K1 = 1.2


@dataclass(frozen=True, slots=True)
class Found:
    """Where words of a query stand: an item a place, and in what (its owner)."""

    owners: NDArray[np.int64]
    words: NDArray[np.int64]
    """Each as its number in the query."""
    counts: NDArray[np.float64]
    lengths: NDArray[np.float64]
    """Of every owner."""
    usual: NDArray[np.bool_]
    """Of every owner, whether it is one of those that say what is rare and what is long."""


def hits(
    terms: NDArray[np.uint64], wanted: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where in `terms` any of `wanted` stands, and which: numbers into the two arrays.

    `wanted` is sorted and not empty.
    """
    at = np.searchsorted(wanted, terms)
    at[at == len(wanted)] = 0
    where = np.flatnonzero(wanted[at] == terms)
    return where, at[where]


def scored(
    found: Found, weights: NDArray[np.float64], b: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the score of each owner, and of each word its inverse document frequency, weighted.

    `b`: how much length counts against an owner, between 0 and 1.
    """
    size = len(weights)
    pairs, inverse = np.unique(found.owners * size + found.words, return_inverse=True)
    frequency = np.bincount(inverse, found.counts, minlength=len(pairs))
    owner, word = np.divmod(pairs, size)
    holders = np.bincount(word[found.usual[owner]], minlength=size)
    all_usual = int(found.usual.sum())
    idf = np.log(1 + (all_usual - holders + 0.5) / (holders + 0.5)) * weights
    mean = max(float(found.lengths[found.usual].mean()), 1e-9)
    norm = K1 * (1 - b + b * found.lengths[owner] / mean)
    gain = idf[word] * frequency * (K1 + 1) / (frequency + norm)
    return summed(owner, gain, len(found.lengths)), idf


def summed(
    owners: NDArray[np.int64], amounts: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Return of each of `size` owners what its amounts come to."""
    return np.bincount(owners, amounts, minlength=size).astype(np.float64)
