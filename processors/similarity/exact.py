"""The nearest vectors by looking at all of them: what every quicker index is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from processors.similarity.features import floats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


class ExactIndex:
    """Vectors in a table. Meant for some thousands."""

    def __init__(self, dim: int) -> None:
        """Hold vectors of `dim` numbers."""
        self._keys: list[int] = []
        self._rows: dict[int, int] = {}
        self._table = np.zeros((16, dim), np.float32)

    @property
    def clusters(self) -> bytes | None:
        """Return None: it looks at all of them."""
        return None

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: int, vector: NDArray[np.float32]) -> None:
        """Take a vector; one that is known under `key` is replaced."""
        self.remove(key)
        if len(self._keys) == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[len(self._keys)] = vector
        self._rows[key] = len(self._keys)
        self._keys.append(key)

    def remove(self, key: int) -> None:
        """Forget a vector; one that is not known is none."""
        row, last = self._rows.pop(key, None), len(self._keys) - 1
        if row is None:
            return
        if row != last:
            self._table[row], self._keys[row] = self._table[last], self._keys[last]
            self._rows[self._keys[row]] = row
        self._keys.pop()

    def nearest(self, vector: NDArray[np.float32], count: int) -> Sequence[int]:
        """Return the keys of the nearest, nearest first; of equals the smaller key."""
        # Not one matrix product: its rounding depends on the row.
        products = np.einsum("ij,j->i", self._table[: len(self._keys)], vector)
        ranked = sorted(zip((-products).tolist(), self._keys, strict=True))
        return [key for _, key in ranked[:count]]


class ExactIndexes:
    """Makes exact indexes, and keeps no snapshots."""

    def learns(self, count: int) -> bool:
        """Return False: they look at all of them."""
        del count
        return False

    def open(
        self, name: str, dim: int, *, clusters: bytes | None, vectors: Mapping[int, bytes]
    ) -> ExactIndex:
        """Return an index of just `vectors`."""
        del name, clusters
        index = ExactIndex(dim)
        for key, vector in vectors.items():
            index.add(key, floats(vector))
        return index

    def keep(self, name: str, index: object) -> None:
        """Keep nothing."""
