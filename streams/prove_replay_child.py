"""A process that builds views in order to be killed. Prints how many records it has folded in."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from sqlalchemy import Engine

from connectors.database import open_engine
from projections import store
from projections.base import Recorded
from projections.store import Generation
from streams.kafka_log import KafkaLog
from streams.projector import Offsets, Standing, Write, build, together

GAP_S = 0.02


def apart(
    engine: Engine, standing: Standing, batch: Sequence[Recorded]
) -> dict[Generation, Offsets]:
    """Write offsets and rows in transactions of their own: what the proof shows to be wrong.

    With a pause between the two, as a busy disk makes one: else a kill may miss the gap for long.
    """
    reached: dict[Generation, Offsets] = {}
    for generation, at in standing.items():
        new = [each for each in batch if each.offset >= at[each.partition]]
        with engine.begin() as connection:
            reached[generation] = store.advance(connection, generation, new, expected=at)
        time.sleep(GAP_S)
        with engine.begin() as connection:
            store.fold(connection, generation, new)
    return reached


WRITES: dict[str, Write] = {"together": together, "apart": apart}


def told(done: int, total: int) -> None:
    """Tell the parent, a line a batch."""
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


def main(bootstrap: str, url: str, batch_records: str, write: str) -> None:
    """Build every view once."""
    engine = open_engine(url)
    with KafkaLog(bootstrap) as log:
        build(log, engine, batch_records=int(batch_records), told=told, write=WRITES[write])
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
