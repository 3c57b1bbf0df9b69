from __future__ import annotations

from pathlib import Path

import pytest

import projections
from connectors.database import open_engine
from projections import store
from schemas.topics import BUGS_EVENTS
from streams.lives import lives
from streams.log import outgoing
from streams.memory_log import MemoryLog
from streams.projector import Write, build
from streams.prove_replay_child import WRITES


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_both_ways_of_writing_agree_as_long_as_nobody_is_killed(
    tmp_path: Path, write: Write
) -> None:
    log = MemoryLog()
    log.ensure_topics([BUGS_EVENTS])
    producer = log.producer("test")
    producer.init()
    producer.begin()
    for event in lives(seed=1, count=5):
        producer.produce(outgoing(event))
    producer.commit()
    dumps = []
    for name, how in (("reference", None), ("this", write)):
        engine = open_engine(tmp_path / f"{name}.sqlite")
        build(log, engine, batch_records=7, write=how)
        with engine.begin() as connection:
            found = [store.live(connection, each) for each in projections.ALL]
            dumps.append([list(store.dump(connection, each)) for each in found if each])
        engine.dispose()

    assert dumps[0] == dumps[1]
