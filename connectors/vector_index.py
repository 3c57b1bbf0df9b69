"""The nearest vectors by FAISS: all of them while that is quick, then by clusters. With snapshots.

An index is never the truth: what it holds is in the state of its stage. So a snapshot that is
doubtful in any way is thrown away, and the index is made anew. One that is whole and only older
than the state is brought up to it, for a stage is hardly ever killed just after it kept one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LOG = logging.getLogger(__name__)
FLAT_MAX = 20_000
"""Vectors that are all looked at: 20,000 take 2 ms, 100,000 would take 10."""
LISTS = 256
VECTORS_PER_LIST_MIN = 8
PROBES = 32
"""Clusters looked into, of 256: an eighth of the vectors, and about 99 of 100 of the nearest."""
TRAINING_MAX = 10_000
"""Those with the smallest keys; a key is a hash, so it is a fair sample."""
MORE = 20
"""Looked at beyond what was asked for, so that equals at the end are told apart by key."""
VERSION = 1
SIDECAR_BYTES_MAX = 64 * 1024
TAKEN_UP = "an index of %d vectors took up %d of them from its snapshot"
DISTRUSTED = "a snapshot of vectors is not whole, or not of this index: the index is made anew"
_KIND = (faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
_BY_KEY = 2
"""FAISS' DirectMap.Hashtable: vectors are found by key, so that one can be forgotten."""


class FaissIndex:
    """Vectors of length one under whole numbers. It switches by itself, and never back.

    What it then learnt is in `clusters`: made anew with those, an index finds the same.
    """

    def __init__(
        self, dim: int, *, clusters: bytes | None = None, flat_max: int = FLAT_MAX
    ) -> None:
        """Hold vectors of `dim` numbers, by `clusters` if some were learnt before."""
        # One text at a time: more threads only wait for each other, 50 ms on a busy machine.
        faiss.omp_set_num_threads(1)
        self._dim, self._flat_max = dim, flat_max
        self._clusters = clusters
        self._keys: set[int] = set()
        self._index: Any = (
            faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
            if clusters is None
            else _clustered(dim, clusters)
        )

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: int) -> bool:
        return key in self._keys

    @property
    def clusters(self) -> bytes | None:
        """Return what was learnt of the vectors; None: all of them are looked at."""
        return self._clusters

    def add(self, key: int, vector: NDArray[np.float32]) -> None:
        """Take a vector; one that is known under `key` is replaced."""
        self.add_many({key: vector})

    def add_many(self, vectors: Mapping[int, NDArray[np.float32]]) -> None:
        """Take many at once."""
        self.remove_many(vectors)
        if not vectors:
            return
        keys = np.array([*vectors], np.int64)
        self._index.add_with_ids(np.stack([*vectors.values()]), keys)
        self._keys.update(vectors)
        if self._clusters is None and len(self._keys) > self._flat_max:
            self._switch()

    def remove(self, key: int) -> None:
        """Forget a vector; one that is not known is none."""
        self.remove_many((key,))

    def remove_many(self, keys: Iterable[int]) -> None:
        """Forget many at once."""
        known = self._keys.intersection(keys)
        if known:
            self._keys -= known
            gone = np.array([*known], np.int64)
            self._index.remove_ids(faiss.IDSelectorArray(len(gone), faiss.swig_ptr(gone)))

    def nearest(self, vector: NDArray[np.float32], count: int) -> Sequence[int]:
        """Return the keys of the nearest, nearest first; of equals the smaller key."""
        if not self._keys:
            return []
        asked = min(count + MORE, len(self._keys))
        scores, keys = self._index.search(vector[np.newaxis], asked)
        ranked = sorted(zip((-scores[0]).tolist(), keys[0].tolist(), strict=True))
        return [key for _, key in ranked if key >= 0][:count]

    def _switch(self) -> None:
        keys = np.array(sorted(self._keys), np.int64)
        vectors = np.stack([self._index.reconstruct(key) for key in keys.tolist()])
        self._clusters = _learn(vectors[:TRAINING_MAX])
        self._index = _clustered(self._dim, self._clusters)
        self._index.add_with_ids(vectors, keys)

    # --- snapshots ---

    def save(self, path: Path, *, about: Mapping[str, str]) -> None:
        """Write it whole or not at all. `about` is what it must be asked for with."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = faiss.serialize_index(self._index).tobytes()
        # The sidecar last: without it the other file is nothing.
        _write(path, content)
        _write(_sidecar(path), json.dumps(self._beside(content, about, self._keys)).encode())

    def restore(self, path: Path, *, about: Mapping[str, str], keys: Iterable[int]) -> bool:
        """Take what was saved of `keys`, if all of it is whole and about the same; else nothing.

        It may be older than `keys`: what is not in it is for the caller to add. Returns whether
        anything was taken.
        """
        found = _read(path)
        if found is None:
            return False
        content, said = found
        index = _whole(content, said)
        held = keys_in(index)
        if index is None or index.d != self._dim or said != self._beside(content, about, held):
            _LOG.warning(DISTRUSTED)
            return False
        self._index, self._keys = index, held
        self.remove_many(held.difference(keys))
        return True

    def _beside(
        self, content: bytes, about: Mapping[str, str], keys: set[int]
    ) -> dict[str, object]:
        ordered = np.array(sorted(keys), np.int64).tobytes()
        return {
            "version": VERSION,
            "about": dict(about),
            "dim": self._dim,
            "clusters": hashlib.sha256(self._clusters or b"").hexdigest(),
            "count": len(keys),
            "keys": hashlib.sha256(ordered).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
        }


@dataclass(frozen=True, slots=True)
class VectorIndexes:
    """The indexes of a stage, with their snapshots in a folder; None: without any."""

    folder: Path | None
    model_id: str
    flat_max: int = FLAT_MAX
    make: type[FaissIndex] = FaissIndex

    def learns(self, count: int) -> bool:
        """Return whether an index of so many vectors looks by clusters."""
        return count > self.flat_max

    def open(
        self, name: str, dim: int, *, clusters: bytes | None, vectors: Mapping[int, bytes]
    ) -> FaissIndex:
        """Return an index that holds just `vectors`: as kept or, on any doubt, made anew."""
        index = self.make(dim, clusters=clusters, flat_max=self.flat_max)
        if not vectors:
            return index
        path = self._path(name)
        if path is not None and index.restore(path, about=self._about(name), keys=vectors):
            _LOG.info(TAKEN_UP, len(vectors), len(index))
        missing = {
            key: np.frombuffer(one, np.float16).astype(np.float32)
            for key, one in vectors.items()
            if key not in index
        }
        if missing:
            index.add_many(missing)
        return index

    def keep(self, name: str, index: object) -> None:
        """Write a snapshot of an index that was opened as `name`. It may be lost at any time."""
        path = self._path(name)
        if path is None or not isinstance(index, FaissIndex):
            return
        try:
            index.save(path, about=self._about(name))
        except OSError as error:
            _LOG.warning("no snapshot of vectors was written: %s", error.strerror)

    def _about(self, name: str) -> dict[str, str]:
        return {"name": name, "model": self.model_id}

    def _path(self, name: str) -> Path | None:
        # Names of projects come from settings; a file's name is made of none.
        file = hashlib.sha256(name.encode()).hexdigest()[:32]
        return None if self.folder is None else self.folder / f"{file}.faiss"


def _learn(vectors: NDArray[np.float32]) -> bytes:
    """Return the centres of clusters, as halves, and the ranges of the numbers around them."""
    count, dim = vectors.shape
    lists = max(min(LISTS, count // VECTORS_PER_LIST_MIN), 1)
    index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(dim), dim, lists, *_KIND)
    index.cp.seed = 1
    index.cp.min_points_per_centroid = 1
    index.train(vectors)
    centres = index.quantizer.reconstruct_n(0, lists).astype(np.float16)
    ranges = faiss.vector_to_array(index.sq.trained).astype(np.float32)
    found: bytes = lists.to_bytes(4, "big") + centres.tobytes() + ranges.tobytes()
    return found


def _clustered(dim: int, clusters: bytes) -> Any:  # faiss has no types
    lists = int.from_bytes(clusters[:4], "big")
    end = 4 + 2 * dim * lists
    centres = np.frombuffer(clusters[4:end], np.float16).reshape(lists, dim).astype(np.float32)
    quantizer = faiss.IndexFlatIP(dim)
    quantizer.add(centres)
    index = faiss.IndexIVFScalarQuantizer(quantizer, dim, lists, *_KIND)
    faiss.copy_array_to_vector(np.frombuffer(clusters[end:], np.float32), index.sq.trained)
    index.is_trained = True
    index.nprobe = PROBES
    index.set_direct_map_type(_BY_KEY)
    return index


def _read(path: Path) -> tuple[bytes, object] | None:
    """Return the bytes of a snapshot and what is said beside it; None where there is none."""
    try:
        if _sidecar(path).stat().st_size > SIDECAR_BYTES_MAX:
            return None
        return path.read_bytes(), json.loads(_sidecar(path).read_bytes())
    except OSError:
        return None
    except ValueError:
        return b"", None


def _whole(content: bytes, said: object) -> Any:  # faiss has no types
    """Return the index in `content`; None where it is not, byte for byte, what was written."""
    # Looked at before faiss reads it: what is spoilt may ask for all the memory there is.
    if not isinstance(said, dict) or said.get("sha256") != hashlib.sha256(content).hexdigest():
        return None
    try:
        return faiss.deserialize_index(np.frombuffer(content, np.uint8))
    except RuntimeError:
        return None


def keys_in(index: Any) -> set[int]:
    """Return the keys that an index holds, by itself."""
    if isinstance(index, faiss.IndexIDMap2):
        return set(faiss.vector_to_array(index.id_map).tolist())
    if not isinstance(index, faiss.IndexIVFScalarQuantizer):
        return set()
    lists: Any = index.invlists
    found: set[int] = set()
    for number in range(index.nlist):
        size = lists.list_size(number)
        if size:
            found.update(faiss.rev_swig_ptr(lists.get_ids(number), size).tolist())
    return found


def _sidecar(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
