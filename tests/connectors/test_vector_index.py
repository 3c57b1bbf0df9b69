from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from connectors.vector_index import DISTRUSTED, TAKEN_UP, FaissIndex, VectorIndexes
from processors.ports import VectorIndex
from processors.similarity.exact import ExactIndex

DIM = 16
FLAT_MAX = 300


def vectors(count: int, seed: int = 1) -> dict[int, NDArray[np.float32]]:
    """Return vectors that stand in groups, as texts do."""
    chance = np.random.default_rng(seed)
    middle = np.random.default_rng(0).normal(size=(40, DIM))
    found = middle[chance.integers(0, 40, count)] + 0.4 * chance.normal(size=(count, DIM))
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    halves = found.astype(np.float16).astype(np.float32)
    return dict(zip(chance.permutation(count).tolist(), halves, strict=True))


def halves(given: dict[int, NDArray[np.float32]]) -> dict[int, bytes]:
    return {key: vector.astype(np.float16).tobytes() for key, vector in given.items()}


ALL = vectors(2_000)
ASKED = list(vectors(40, seed=2).values())


def filled(index: VectorIndex, given: dict[int, NDArray[np.float32]]) -> VectorIndex:
    for key, vector in given.items():
        index.add(key, vector)
    return index


@pytest.mark.parametrize("make", [ExactIndex, FaissIndex], ids=["exact", "faiss"])
def test_all_are_looked_at_while_that_is_quick(make: type[ExactIndex | FaissIndex]) -> None:
    index = filled(make(DIM), ALL)
    for key in list(ALL)[:100]:
        index.remove(key)
    index.remove(-5)
    left = dict(list(ALL.items())[100:])

    for asked in ASKED:
        scores = {key: float(vector @ asked) for key, vector in left.items()}
        found = index.nearest(asked, 10)
        assert len(found) == 10
        assert min(scores[key] for key in found) >= sorted(scores.values())[-10] - 1e-5


def test_beyond_a_size_it_looks_by_clusters_and_finds_nearly_all() -> None:
    exact, index = filled(ExactIndex(DIM), ALL), FaissIndex(DIM, flat_max=FLAT_MAX)
    filled(index, dict(list(ALL.items())[:FLAT_MAX]))
    assert index.clusters is None

    filled(index, ALL)

    assert index.clusters is not None
    assert len(index) == len(ALL)
    shared = [len({*index.nearest(a, 10)} & {*exact.nearest(a, 10)}) for a in ASKED]
    assert sum(shared) / (10 * len(ASKED)) > 0.9


def test_what_is_forgotten_is_not_found_by_clusters() -> None:
    index = FaissIndex(DIM, flat_max=FLAT_MAX)
    index.add_many(ALL)
    [nearest] = index.nearest(ASKED[0], 1)

    index.remove(nearest)
    index.remove(nearest)

    assert nearest not in index.nearest(ASKED[0], 50)
    assert len(index) == len(ALL) - 1


def test_one_key_is_one_vector() -> None:
    index = FaissIndex(DIM)
    for vector in ASKED:
        index.add(7, vector)

    assert len(index) == 1
    assert index.nearest(ASKED[0], 5) == [7]


@settings(max_examples=10, deadline=None)
@given(st.permutations(list(ALL)[: FLAT_MAX + 50]))
def test_with_what_was_learnt_the_order_of_arrival_changes_nothing(order: list[int]) -> None:
    first = FaissIndex(DIM, flat_max=FLAT_MAX)
    filled(first, {key: ALL[key] for key in sorted(order)})
    again = FaissIndex(DIM, flat_max=FLAT_MAX, clusters=first.clusters)
    filled(again, {key: ALL[key] for key in order})

    assert [again.nearest(a, 10) for a in ASKED[:5]] == [first.nearest(a, 10) for a in ASKED[:5]]


def kept(folder: Path, count: int) -> tuple[VectorIndexes, dict[int, bytes], FaissIndex]:
    indexes = VectorIndexes(folder, "model", flat_max=FLAT_MAX)
    given = halves(dict(list(ALL.items())[:count]))
    index = indexes.open("shop", DIM, clusters=None, vectors=given)
    indexes.keep("shop", index)
    return indexes, given, index


def answers(index: FaissIndex) -> list[list[int]]:
    return [list(index.nearest(asked, 10)) for asked in ASKED]


@pytest.mark.parametrize("count", [FLAT_MAX, FLAT_MAX + 1], ids=["flat", "clusters"])
def test_a_snapshot_is_taken_up_again(
    tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexes, given, index = kept(tmp_path, count)
    monkeypatch.setattr(FaissIndex, "add_many", None)  # Nothing is put in anew.

    again = indexes.open("shop", DIM, clusters=index.clusters, vectors=given)

    assert answers(again) == answers(index)
    monkeypatch.undo()
    again.remove(next(iter(given)))
    assert len(again) == count - 1


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def forge(path: Path) -> None:
    beside = path.with_name(f"{path.name}.json")
    beside.write_text(json.dumps(json.loads(beside.read_text()) | {"count": 3}))


def garble(path: Path) -> None:
    path.with_name(f"{path.name}.json").write_bytes(b"\xff{")


@pytest.mark.parametrize("harm", [flip, cut, forge, garble, Path.unlink])
@pytest.mark.parametrize("count", [FLAT_MAX, FLAT_MAX + 1], ids=["flat", "clusters"])
def test_a_snapshot_that_is_harmed_changes_no_answer(
    tmp_path: Path, harm: object, count: int
) -> None:
    indexes, given, index = kept(tmp_path, count)
    [path] = tmp_path.glob("*.faiss")
    assert callable(harm)
    harm(path)

    again = indexes.open("shop", DIM, clusters=index.clusters, vectors=given)

    assert answers(again) == answers(index)


@pytest.mark.parametrize("count", [FLAT_MAX - 1, FLAT_MAX + 1], ids=["flat", "clusters"])
def test_an_older_snapshot_is_brought_up_to_what_is_known_now(
    tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    indexes, given, index = kept(tmp_path, count)
    gone, new = list(given)[:20], halves(dict(list(ALL.items())[count:][:21]))
    now = {key: one for key, one in given.items() if key not in gone} | new
    fresh = VectorIndexes(None, "model", flat_max=FLAT_MAX).open(
        "shop", DIM, clusters=index.clusters, vectors=now
    )
    added: list[int] = []
    add_many = FaissIndex.add_many

    def watched(self: FaissIndex, vectors: dict[int, NDArray[np.float32]]) -> None:
        added.extend(vectors)
        add_many(self, vectors)

    monkeypatch.setattr(FaissIndex, "add_many", watched)
    with caplog.at_level("INFO"):
        again = indexes.open("shop", DIM, clusters=index.clusters, vectors=now)

    assert caplog.messages == [TAKEN_UP % (len(now), len(now) - len(new))]
    assert added == [*new]
    assert answers(again) == answers(fresh)
    assert len(again) == len(now)
    assert not any(key in again for key in gone)


@pytest.mark.parametrize("harm", [flip, cut, forge, garble])
def test_of_a_snapshot_that_is_distrusted_the_log_says_so(
    tmp_path: Path, harm: object, caplog: pytest.LogCaptureFixture
) -> None:
    indexes, given, index = kept(tmp_path, 100)
    [path] = tmp_path.glob("*.faiss")
    assert callable(harm)
    harm(path)

    indexes.open("shop", DIM, clusters=index.clusters, vectors=given)

    assert caplog.messages == [DISTRUSTED]


def test_a_snapshot_under_another_name_or_of_another_model_is_none(tmp_path: Path) -> None:
    _, given, _ = kept(tmp_path, 100)
    [path] = tmp_path.glob("*.faiss")

    for about in ({"name": "desk", "model": "model"}, {"name": "shop", "model": "x"}):
        index = FaissIndex(DIM)
        assert not index.restore(path, about=about, keys=given)
        assert len(index) == 0
    assert FaissIndex(DIM).restore(path, about={"name": "shop", "model": "model"}, keys=given)
    other = VectorIndexes(tmp_path, "another model")
    assert len(other.open("shop", DIM, clusters=None, vectors=given)) == 100


def test_what_was_kept_before_clusters_were_learnt_is_none_after(tmp_path: Path) -> None:
    indexes, given, _ = kept(tmp_path, FLAT_MAX)
    [path] = tmp_path.glob("*.faiss")
    learnt = FaissIndex(DIM, flat_max=FLAT_MAX)
    learnt.add_many(ALL)
    index = FaissIndex(DIM, clusters=learnt.clusters)

    assert not index.restore(path, about={"name": "shop", "model": "model"}, keys=given)
    again = indexes.open("shop", DIM, clusters=learnt.clusters, vectors=given)
    assert (again.clusters, len(again)) == (learnt.clusters, FLAT_MAX)


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept(tmp_path / "file" / "folder", 10)

    assert not list(tmp_path.glob("*.faiss"))


def test_a_snapshot_cut_at_any_kilobyte_changes_no_answer(tmp_path: Path) -> None:
    indexes, given, index = kept(tmp_path, FLAT_MAX)
    [path] = tmp_path.glob("*.faiss")
    content = path.read_bytes()

    for size in range(0, len(content), 1024):
        path.write_bytes(content[:size])
        again = indexes.open("shop", DIM, clusters=None, vectors=given)
        assert answers(again) == answers(index)


def test_on_a_full_disk_no_snapshot_is_written_and_the_one_before_stays_whole(
    tmp_path: Path,
) -> None:
    """The limit on the size of a file stands for the disk; it holds for a process of its own."""
    indexes, given, index = kept(tmp_path, FLAT_MAX)
    [path] = tmp_path.glob("*.faiss")
    before = path.read_bytes()
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from tests.connectors.test_vector_index import ALL, DIM, FLAT_MAX, halves\n"
        "from connectors.vector_index import VectorIndexes\n"
        "indexes = VectorIndexes(Path(sys.argv[1]), 'model', flat_max=FLAT_MAX)\n"
        "given = halves(dict(list(ALL.items())[: FLAT_MAX - 1]))\n"
        "index = indexes.open('shop', DIM, clusters=None, vectors=given)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "indexes.keep('shop', index)\n"
        "print(len(index))\n"
    )
    root = Path(__file__).parents[2]

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=root,
    )

    assert (done.returncode, done.stdout.strip()) == (0, str(FLAT_MAX - 1)), done.stderr
    assert "no snapshot of vectors was written" in done.stderr
    assert path.read_bytes() == before
    assert answers(indexes.open("shop", DIM, clusters=None, vectors=given)) == answers(index)


def test_two_writers_of_one_folder_spoil_no_answer(tmp_path: Path) -> None:
    """As when a process that was thought dead writes once more: who reads it makes it anew."""
    indexes, given, index = kept(tmp_path, FLAT_MAX)
    [path] = tmp_path.glob("*.faiss")
    beside = path.with_name(f"{path.name}.json").read_bytes()
    kept(tmp_path, FLAT_MAX - 10)
    path.with_name(f"{path.name}.json").write_bytes(beside)  # One's vectors, the other's sidecar.

    assert answers(indexes.open("shop", DIM, clusters=None, vectors=given)) == answers(index)
