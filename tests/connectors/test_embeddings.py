from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from connectors.embeddings import (
    BUNDLED,
    HashingEmbedder,
    MultilingualEmbedder,
    OnnxEmbedder,
    SentenceTransformerEmbedder,
    embedder,
)
from processors.ports import Embedder
from schemas.errors import FatalError, UserError

TEXTS = (
    "The total of an empty cart fails with ZeroDivisionError",
    "Summing up a cart with nothing in it divides by zero",
    "The window of the editor is too small on a second screen",
    "编辑器在第二个屏幕上窗口太小",
    "",
)
ONNX, MULTILINGUAL = OnnxEmbedder(), MultilingualEmbedder()
ALL: tuple[Embedder, ...] = (ONNX, MULTILINGUAL, HashingEmbedder())


@pytest.mark.parametrize("tried", ALL, ids=lambda one: one.model_id)
def test_a_text_has_one_vector_whatever_is_beside_it(tried: Embedder) -> None:
    together = tried.embed(TEXTS)
    alone = np.vstack([tried.embed([text]) for text in reversed(TEXTS)])[::-1]

    assert together.shape == (len(TEXTS), tried.dim)
    assert together.dtype == np.float32
    assert together.tobytes() == alone.tobytes()
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)


def test_the_number_of_threads_changes_no_vector() -> None:
    two = OnnxEmbedder(threads=2).embed(TEXTS)

    assert two.tobytes() == ONNX.embed(TEXTS).tobytes()


def test_no_text_is_too_long() -> None:
    long = ONNX.embed(["word " * 100_000, "word " * 300])

    assert long[0].tobytes() == long[1].tobytes()


def test_what_means_the_same_is_nearer_than_what_does_not() -> None:
    cart, other, window, *_ = ONNX.embed(TEXTS)

    assert cart @ other > 0.5 > cart @ window


def test_chinese_and_english_meet() -> None:
    cart, _, window, chinese, _ = MULTILINGUAL.embed(TEXTS)

    assert chinese @ window > 0.5 > chinese @ cart


def test_a_model_that_is_not_whole_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"lacks model\.onnx"):
        OnnxEmbedder(tmp_path).embed(["x"])


def test_the_settings_name_the_embedder() -> None:
    assert embedder(BUNDLED).model_id.startswith("minilm-l6-int8@")


@pytest.mark.skipif(find_spec("sentence_transformers") is not None, reason="the extra is there")
def test_another_model_needs_the_extra() -> None:
    with pytest.raises(UserError, match=r"bugstream\[st\]"):
        SentenceTransformerEmbedder("some/model")
