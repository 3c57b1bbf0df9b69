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
from typing import Any

import numpy as np

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
class Asked:
    """A text as it is weighed: what its tokens count, what all of them come to, the mean length."""

    weights: Mapping[int, float]
    whole: float
    mean: float

    def share(self, counts: Mapping[int, int], length: int) -> float:
        """Return how much of the text a report holds that is so long."""
        norm: float = _norm(length, self.mean)
        total = 0.0
        for token, weight in self.weights.items():
            if held := counts.get(token):
                held = min(held, COUNT_MAX)
                total += weight * held / (held + norm)
        return total / self.whole


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

    def asked(self, counts: Mapping[int, int]) -> Asked:
        """Return how a text is weighed by what is known now."""
        known = len(self._rows)
        mean = max(self._length / known, 1.0) if known else 1.0
        norm: float = _norm(length_of(counts), mean)
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
        return Asked(weights, whole or 1.0, mean)

    def top(self, asked: Asked, count: int) -> list[int]:
        """Return the keys of the reports that hold most of a text, of equals the oldest first."""
        if not asked.weights:
            return []
        parts = [self._where[token] for token in asked.weights]
        rows = np.concatenate([np.frombuffer(part[0], np.uint32) for part in parts])
        times = np.concatenate([np.frombuffer(part[1], np.uint8) for part in parts])
        each = np.repeat([*asked.weights.values()], [len(part[0]) for part in parts])
        norms = _norm(np.frombuffer(self._lengths, np.uint32).astype(np.float64), asked.mean)
        held = times.astype(np.float64)
        total = np.bincount(rows, each * held / (held + norms[rows]), len(self._keys))
        total[np.frombuffer(self._keys, np.int64) < 0] = 0.0
        least = SHARE_MIN * asked.whole
        if len(total) > count:
            least = max(least, float(np.partition(total, -count)[-count]))
        best = ((-float(total[row]), self._keys[row]) for row in np.flatnonzero(total >= least))
        return [key for _, key in sorted(best)[:count]]

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


def length_of(counts: Mapping[int, int]) -> int:
    """Return how long a text is, as it is weighed."""
    return sum(min(count, COUNT_MAX) for count in counts.values())


def _norm(length: Any, mean: float) -> Any:  # a number, or an array of them
    return K1 * (1 - B + B / mean * length)
