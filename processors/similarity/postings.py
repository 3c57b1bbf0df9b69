"""Which reports share a text's tokens, weighed by how rare those are. Grows a report at a time.

Score: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) by what is
known so far and no more, as a share of what the text would score against itself. All counts are
whole numbers, so that the way by which a state was reached leaves no trace in a score.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

K1 = 1.2
B = 0.75
COMMON_SHARE = 0.1
COMMON_FROM = 1_000
"""Once so many reports are known, a token in a tenth of them says nothing and is passed over."""
DEAD_SHARE_MAX = 0.5
"""Of the rows: from there on they are written anew."""
DEAD_MIN = 1_000
COUNT_MAX = 255
SHARE_MIN = 0.02
"""A smaller share of a text is chance."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of a text each report holds. Good until the next report is taken or forgotten."""

    rows: Mapping[int, int]
    keys: array[int]
    values: NDArray[np.float64]

    def of(self, key: int) -> float:
        """Return the share of the report called `key`; 0 where it shares nothing."""
        row = self.rows.get(key)
        return float(self.values[row]) if row is not None and row < len(self.values) else 0.0

    def top(self, count: int) -> list[int]:
        """Return the keys of the best, the oldest first among equals."""
        if len(self.values) > count:
            least = np.partition(self.values, -count)[-count]
            rows = np.flatnonzero(self.values >= max(least, SHARE_MIN))
        else:
            rows = np.flatnonzero(self.values >= SHARE_MIN)
        alive = [(-float(self.values[row]), self.keys[row]) for row in rows if self.keys[row] >= 0]
        return [key for _, key in sorted(alive)[:count]]


class Postings:
    """Token -> the keys of the reports it stands in, and how often."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: dict[int, int] = {}
        self._keys = array("q")
        """By row; -1 where the report is gone."""
        self._lengths = array("I")
        self._tokens: list[array[int]] = []
        self._where: dict[int, tuple[array[int], array[int]]] = {}
        self._seen: dict[int, int] = {}
        """Token -> in how many reports that are not gone."""
        self._length = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, key: int, counts: Mapping[int, int]) -> None:
        """Take a report; one that is known under `key` is replaced."""
        self.remove(key)
        row = len(self._keys)
        self._rows[key] = row
        self._keys.append(key)
        length = 0
        for token, count in counts.items():
            held = min(count, COUNT_MAX)
            length += held
            rows, times = self._where.setdefault(token, (array("I"), array("B")))
            rows.append(row)
            times.append(held)
            self._seen[token] = self._seen.get(token, 0) + 1
        self._lengths.append(length)
        self._length += length
        self._tokens.append(array("I", counts))

    def remove(self, key: int) -> None:
        """Forget a report; one that is not known is none."""
        row = self._rows.pop(key, None)
        if row is None:
            return
        self._keys[row] = -1
        self._length -= self._lengths[row]
        for token in self._tokens[row]:
            self._seen[token] -= 1
        dead = len(self._keys) - len(self._rows)
        if dead > max(DEAD_MIN, DEAD_SHARE_MAX * len(self._keys)):
            self._rewrite()

    def scores(self, counts: Mapping[int, int]) -> Shares:
        """Return how much of a text each of the known reports holds."""
        weights, whole = self._weigh(counts)
        if not weights or not self._rows:
            return Shares({}, array("q"), np.zeros(0))
        parts = [self._where[token] for token in weights]
        rows = np.concatenate([np.frombuffer(part[0], np.uint32) for part in parts])
        times = np.concatenate([np.frombuffer(part[1], np.uint8) for part in parts])
        each = np.repeat(list(weights.values()), [len(part[0]) for part in parts])
        lengths = np.frombuffer(self._lengths, np.uint32)
        norms = K1 * (1 - B + B * lengths * (len(self._rows) / max(self._length, 1)))
        times = times.astype(np.float64)
        total = np.bincount(rows, each * times / (times + norms[rows]), len(self._keys))
        total[np.frombuffer(self._keys, np.int64) < 0] = 0.0
        return Shares(self._rows, self._keys, total / whole)

    def score(self, counts: Mapping[int, int], other: Mapping[int, int]) -> float:
        """Return what `scores` says of a report that holds `other`, whether it is known or not."""
        weights, whole = self._weigh(counts)
        norm = self._norm(sum(min(count, COUNT_MAX) for count in other.values()))
        shared = (
            (weight, min(other[token], COUNT_MAX))
            for token, weight in weights.items()
            if token in other
        )
        return sum(weight * held / (held + norm) for weight, held in shared) / whole

    def _weigh(self, counts: Mapping[int, int]) -> tuple[dict[int, float], float]:
        """Return the weights of the tokens that are known, and what all come to in the text."""
        known = len(self._rows)
        norm = self._norm(sum(min(count, COUNT_MAX) for count in counts.values()))
        weights: dict[int, float] = {}
        whole = 0.0
        for token in sorted(counts):
            seen = self._seen.get(token, 0)
            if known >= COMMON_FROM and seen > COMMON_SHARE * known:
                continue
            # The text itself counts as a report, so that no token weighs without end.
            weight = math.log(1 + (known - seen + 0.5) / (seen + 1.5))
            held = min(counts[token], COUNT_MAX)
            whole += weight * held / (held + norm)
            if seen:
                weights[token] = weight
        return weights, whole or 1.0

    def _norm(self, length: int) -> float:
        return K1 * (1 - B + B * length * (max(len(self._rows), 1) / max(self._length, 1)))

    def _rewrite(self) -> None:
        """Write the rows anew, without those that are gone."""
        alive = sorted(self._rows.items(), key=lambda item: item[1])
        place = {row: new for new, (_, row) in enumerate(alive)}
        for token, (rows, times) in list(self._where.items()):
            kept = [
                (place[row], held) for row, held in zip(rows, times, strict=True) if row in place
            ]
            if kept:
                self._where[token] = (
                    array("I", [row for row, _ in kept]),
                    array("B", [held for _, held in kept]),
                )
            else:
                del self._where[token], self._seen[token]
        self._keys = array("q", [key for key, _ in alive])
        self._lengths = array("I", [self._lengths[row] for _, row in alive])
        self._tokens = [self._tokens[row] for _, row in alive]
        self._rows = {key: new for new, (key, _) in enumerate(alive)}
