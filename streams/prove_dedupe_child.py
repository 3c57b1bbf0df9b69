"""The stage dedupe as a process that is killed. Prints how many reports it has decided on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import faiss
import numpy as np

from connectors.vector_index import FaissIndex, VectorIndexes, keys_in
from processors import dedupe
from processors.base import StatefulProcessor
from streams.config import Settings
from streams.kafka_log import KafkaLog
from streams.prove_process import stop_with_parent, tell
from streams.runner import Runner
from streams.wiring import spaces_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

APP = "prove"
INDEXES = "indexes"
FLAT_MAX = 30
"""So that some hundred reports are looked up both ways: all vectors, and by clusters."""
SNAPSHOT_EVERY_REPORTS = 4
BATCH_RECORDS = 12
"""Small, so that a life of two seconds commits several."""
STEP_S = 0.2


class Trusting(FaissIndex):
    """The control: takes a snapshot for what the state holds, whatever it is and says.

    It never falls over for it: what it finds otherwise is decided otherwise, and no dead letter.
    """

    _believed: frozenset[int] = frozenset()
    _foreign: frozenset[int] = frozenset()

    def restore(self, path: Path, *, about: Mapping[str, str], keys: Iterable[int]) -> bool:
        """Take what can be read at all."""
        del about
        try:
            index = faiss.deserialize_index(np.frombuffer(path.read_bytes(), np.uint8))
        except (OSError, RuntimeError):
            return False
        self._index, self._keys = index, keys_in(index)
        self._believed = frozenset(keys)
        self._foreign = frozenset(self._keys - self._believed)
        return True

    def __contains__(self, key: int) -> bool:
        return key in self._believed or super().__contains__(key)

    def nearest(self, vector: NDArray[np.float32], count: int) -> Sequence[int]:
        """Leave out what its owner has never heard of."""
        return [key for key in super().nearest(vector, count) if key not in self._foreign]


INDEX: dict[str, type[FaissIndex]] = {"checked": FaissIndex, "trusted": Trusting}


def stage(folder: Path | None, index: str = "checked") -> StatefulProcessor:
    """Return dedupe with the models of `bugstream up`, and its snapshots in `folder`."""
    spaces = spaces_of(Settings())
    indexes = VectorIndexes(folder, spaces.model_id, flat_max=FLAT_MAX, make=INDEX[index])
    return dedupe.make(spaces, indexes, snapshot_every_reports=SNAPSHOT_EVERY_REPORTS)


def main(bootstrap: str, folder: str, words: str, index: str) -> None:
    """Decide until the parent ends or says so; `words` is the file to log to."""
    logging.basicConfig(filename=words, level=logging.INFO, format="%(message)s")
    made = stage(Path(folder) / INDEXES, index)
    with (
        KafkaLog(bootstrap) as log,
        stop_with_parent() as stop,
        Runner(made, log, app=APP, batch_records_max=BATCH_RECORDS) as runner,
    ):
        done = 0
        while not stop.is_set():
            if count := runner.step(STEP_S):
                done += count
                tell(done)


if __name__ == "__main__":
    main(*sys.argv[1:])
