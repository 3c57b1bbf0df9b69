from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import numpy as np
import pytest

from connectors.vector_index import DISTRUSTED, VectorIndexes
from streams.prove_dedupe_harm import HARMS, Harm, snapshots

DIM = 8
NAMES = ("0/shop/main", "0/shop/many", "6/desk/main", "6/desk/many", "10/mail/main", "10/mail/many")


def vectors(name: str, count: int) -> dict[int, bytes]:
    made = np.random.default_rng(NAMES.index(name)).normal(size=(count, DIM))
    return {key: one.astype(np.float16).tobytes() for key, one in enumerate(made)}


def keep(folder: Path, count: int) -> VectorIndexes:
    indexes = VectorIndexes(folder, "model")
    for name in NAMES:
        index = indexes.open(name, DIM, clusters=None, vectors=vectors(name, count))
        indexes.keep(name, index)
    return indexes


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.name)
@pytest.mark.parametrize("seed", range(3))
def test_each_harm_is_met_as_it_says(
    tmp_path: Path, harm: Harm, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    older, folder = tmp_path / "older", tmp_path / "indexes"
    keep(older, 20)
    shutil.copytree(older, folder)
    indexes = keep(folder, 25)
    asked = np.ones(DIM, np.float32)
    caplog.clear()
    harm.do(snapshots(folder), snapshots(older), Random(seed))

    with caplog.at_level("INFO"):
        found = [
            indexes.open(name, DIM, clusters=None, vectors=vectors(name, 30)).nearest(asked, 30)
            for name in NAMES
        ]

    distrusted = caplog.messages.count(DISTRUSTED)
    taken_up = len(caplog.messages) - distrusted
    assert distrusted == (len(NAMES) if harm.is_distrusted else 0)
    assert taken_up == (len(NAMES) if harm.is_taken_up else 0)
    fresh = VectorIndexes(None, "model")
    for name, nearest in zip(NAMES, found, strict=True):
        quiet = fresh.open(name, DIM, clusters=None, vectors=vectors(name, 30))
        assert nearest == quiet.nearest(asked, 30)


def test_the_snapshots_are_found_by_the_names_of_their_indexes(tmp_path: Path) -> None:
    keep(tmp_path, 3)
    found = snapshots(tmp_path)
    assert sorted(found) == sorted(NAMES)

    # One whose sidecar was never written is none.
    found[NAMES[0]].with_name(f"{found[NAMES[0]].name}.json").unlink()
    assert sorted(snapshots(tmp_path)) == sorted(NAMES[1:])


@pytest.mark.parametrize("said", [b"", b"\xff{", b"[]", b'{"about": 3}', b'{"abouT": {}}'])
def test_a_snapshot_whose_name_was_harmed_is_left_as_it_is(tmp_path: Path, said: bytes) -> None:
    keep(tmp_path, 3)
    for path in tmp_path.glob("*.json"):
        path.write_bytes(said)

    assert snapshots(tmp_path) == {}
