"""A log, its views and blobs in memory, filled with made-up lives: for the tests of questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from connectors.blobs import MemoryBlobs
from connectors.database import open_engine
from projections.views import Views
from schemas.event import BlobRef, BugScoped
from schemas.reports import BugReport
from schemas.topics import BUGS_EVENTS
from streams.clock import VirtualClock
from streams.lives import lives
from streams.log import outgoing
from streams.memory_log import MemoryLog
from streams.projector import build
from tests.projections.given import link

LIVES = list(lives(seed=5, count=30))
ORIGIN = link("1").origin


@dataclass(frozen=True, slots=True)
class Known:
    """Everything a question is answered from."""

    log: MemoryLog
    clock: VirtualClock
    engine: Engine
    views: Views
    blobs: MemoryBlobs

    def append(self, events: Iterable[BugScoped]) -> None:
        """Write `events`, each a second after the one before."""
        producer = self.log.producer("test")
        producer.init()
        for event in events:
            self.clock.advance(1)
            producer.begin()
            producer.produce(outgoing(event))
            producer.commit()

    def build(self) -> None:
        """Fold everything into new views."""
        build(self.log, self.engine)

    def report(self, title: str, subject: str = "someone") -> BlobRef:
        """Store a report's text."""
        text = BugReport(report_id=ORIGIN.report_id, origin=ORIGIN, title=title)
        return self.blobs.put(
            text.model_dump_json().encode(), media_type="application/json", subject=subject
        )


@contextmanager
def known(folder: Path, events: Iterable[BugScoped] = LIVES) -> Iterator[Known]:
    """Yield a filled system without any server."""
    clock = VirtualClock()
    log = MemoryLog(clock)
    log.ensure_topics([BUGS_EVENTS])
    engine = open_engine(folder / "views.sqlite")
    made = Known(log, clock, engine, Views(engine), MemoryBlobs())
    made.append(events)
    made.build()
    try:
        yield made
    finally:
        engine.dispose()
