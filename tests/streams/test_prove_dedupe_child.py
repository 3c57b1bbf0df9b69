from __future__ import annotations

from pathlib import Path

import numpy as np

from connectors.vector_index import VectorIndexes
from streams.prove_dedupe_child import FLAT_MAX, Trusting, stage

DIM = 8
ALL = {
    key: one.astype(np.float16).tobytes()
    for key, one in enumerate(np.random.default_rng(1).normal(size=(40, DIM)))
}
ASKED = np.ones(DIM, np.float32)


def some(begin: int, end: int) -> dict[int, bytes]:
    return {key: ALL[key] for key in range(begin, end)}


def nearest(indexes: VectorIndexes, begin: int, end: int) -> set[int]:
    index = indexes.open("0/shop/main", DIM, clusters=None, vectors=some(begin, end))
    return set(index.nearest(ASKED, 40))


def test_the_control_believes_a_snapshot_that_is_older_or_of_others(tmp_path: Path) -> None:
    checked = VectorIndexes(tmp_path, "model")
    trusted = VectorIndexes(tmp_path, "model", make=Trusting)
    checked.keep("0/shop/main", checked.open("", DIM, clusters=None, vectors=some(0, 20)))

    assert nearest(checked, 5, 30) == {*range(5, 30)}
    assert nearest(trusted, 5, 30) == {*range(5, 20)}
    assert nearest(trusted, 30, 40) == set()


def test_without_a_snapshot_that_can_be_read_the_control_does_as_all_do(tmp_path: Path) -> None:
    trusted = VectorIndexes(tmp_path, "model", make=Trusting)
    assert nearest(trusted, 0, 10) == {*range(10)}

    trusted.keep("0/shop/main", trusted.open("", DIM, clusters=None, vectors=some(0, 10)))
    [path] = tmp_path.glob("*.faiss")
    path.write_bytes(path.read_bytes()[:40])
    assert nearest(trusted, 0, 10) == {*range(10)}


def test_what_the_control_is_given_later_it_finds(tmp_path: Path) -> None:
    trusted = VectorIndexes(tmp_path, "model", flat_max=FLAT_MAX, make=Trusting)
    trusted.keep("0/shop/main", trusted.open("", DIM, clusters=None, vectors=some(0, 20)))
    index = trusted.open("0/shop/main", DIM, clusters=None, vectors=some(10, 25))
    for key in range(25, 40):
        index.add(key, np.frombuffer(ALL[key], np.float16).astype(np.float32))
    index.remove(12)

    assert index.clusters is not None
    assert {*index.nearest(ASKED, 40)} == {*range(10, 20), *range(25, 40)} - {12}


def test_the_stage_has_the_models_of_the_settings() -> None:
    made = stage(None)

    assert made.name == "dedupe"
