"""`bugstream prove --replay`: views come out the same however often they are built, and how."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random
from uuid import UUID

from sqlalchemy import Engine

import projections
from connectors.database import open_engine
from processors.ports import Progress
from projections import store
from projections.base import Recorded
from projections.views import Views
from schemas.errors import FatalError
from schemas.event import BugScoped
from schemas.topics import BUGS_EVENTS
from streams.audit import replay, replayed
from streams.broker import temporary_broker
from streams.environment import base_env
from streams.figures import Cell, Figures, machine
from streams.kafka_log import KafkaLog
from streams.lives import lives
from streams.log import Log, TransactionProducer, outgoing, partitions_of
from streams.projector import Projector, build, readable

WRITTEN_TOGETHER = 50
"""Facts of one Kafka transaction."""
ABORTED_EVERY = 40
"""Of so many transactions one is left open by a writer that ends, and written by its successor."""
SENT_S = 0.1
"""Time for its records to reach the broker, where they stay, seen by nobody."""
READ_ALONE = 10
"""Audits that read the log for themselves, as `bugstream audit replay` does; half a second each."""
BATCHES = (7, 97, 5_000)
KILLED_BATCH = 10
KILLS = 5
CONTROL_ROUNDS_MAX = 4
"""A kill must hit between the two transactions of the control; it is given several chances."""
CHILD_S_MAX = 300.0
STEP_S = 0.2
QUIET_STEPS = 5

_KILLED = {
    "together": "built by processes that are killed",
    "apart": "control: the same, offsets and rows in two transactions",
}
Dumps = dict[str, list[tuple[object, ...]]]


@dataclass(slots=True)
class Outcome:
    """What one way of building the views came to."""

    name: str
    dumps: Dumps = field(default_factory=dict)
    kills: int = 0
    wall_s: float = 0.0

    @property
    def rows(self) -> int:
        """Return the number of rows in all views."""
        return sum(len(rows) for rows in self.dumps.values())

    def differing(self, live: Outcome) -> int:
        """Return how many rows are in one of the two only, as ordered dumps."""
        if self.dumps == live.dumps:
            return 0
        unequal = 0
        for name in self.dumps.keys() | live.dumps.keys():
            mine, theirs = Counter(self.dumps.get(name, ())), Counter(live.dumps.get(name, ()))
            unequal += (mine - theirs).total() + (theirs - mine).total()
        return max(1, unequal)


def prove(*, bugs: int, progress: Progress, kills: int = KILLS, seed: int = 1) -> Figures:
    """Return whether the views of `bugs` made-up bugs are the same however they are built.

    Starts its own broker and ends it.
    """
    random = Random(seed)  # noqa: S311  # when to kill, not a secret
    with (
        temporary_broker() as broker,
        tempfile.TemporaryDirectory() as folder,
        KafkaLog(broker.bootstrap) as log,
    ):
        run = _Run(log, broker.bootstrap, Path(folder), random, progress)
        return run.figures(list(lives(seed, bugs)), kills=kills)


class _Run:
    def __init__(
        self, log: Log, bootstrap: str, folder: Path, random: Random, progress: Progress
    ) -> None:
        self.log = log
        self.bootstrap = bootstrap
        self.folder = folder
        self.random = random
        self.progress = progress

    def figures(self, facts: list[BugScoped], *, kills: int) -> Figures:
        live = self.live(facts)
        others = [self.rebuilt_beside(), *(self.built(size) for size in BATCHES)]
        others.append(self.killed("killed", "together", kills))
        bug_ids = sorted({fact.bug_id for fact in facts})
        audited = self.audited(bug_ids)
        control = self.control(live, kills)
        complete = len(live.dumps["timeline"]) == len(facts)
        same = all(other.dumps == live.dumps for other in others)
        return Figures(
            name="replay",
            claim="Views are the same however they are built, and as each bug's own events say",
            measured_on=machine() | {"bugs": len(bug_ids), "events": len(facts)},
            columns=("run", "rows", "kills -9", "seconds", "rows that differ from live"),
            rows=[
                ("live, while the events were written", live.rows, 0, live.wall_s, 0),
                *(_row(other, live) for other in others),
                ("audit replay of every bug", len(bug_ids), 0, audited.wall_s, audited.unequal),
                _row(control, live),
            ],
            holds=complete and same and audited.unequal == 0,
            control_holds=control.dumps != live.dumps,
            notes=(
                f"Every event is a row of the timeline: {'yes' if complete else 'NO'}.",
                f"Of the audits about {READ_ALONE} read the log alone; all are judged alike.",
            ),
            detail={"dumps_sha256": {each.name: _hashes(each.dumps) for each in (live, *others)}},
        )

    def live(self, facts: list[BugScoped]) -> Outcome:
        """Write everything, some of it aborted first, while a projector follows."""
        self.log.ensure_topics([BUGS_EVENTS])
        producer = _writer(self.log)
        began_s, done = time.monotonic(), 0
        with self.engine("live") as engine:
            projector = Projector(self.log, engine)
            for number, batch in enumerate(_cut(facts, WRITTEN_TOGETHER)):
                _write(producer, batch)
                if number % ABORTED_EVERY == 0:
                    time.sleep(SENT_S)
                    producer.close()
                    producer = _writer(self.log)
                    _write(producer, batch)
                producer.commit()
                projector.step(0)
                done += len(batch)
                self.progress(done, len(facts), "writing events, a projector follows")
            _catch_up(projector)
            dumps = _dump(engine)
        producer.close()
        return Outcome("live", dumps, wall_s=time.monotonic() - began_s)

    def rebuilt_beside(self) -> Outcome:
        return self.timed("rebuilt beside the live views", "live", batch_records=500)

    def built(self, size: int) -> Outcome:
        return self.timed(f"built in batches of {size}", f"size-{size}", batch_records=size)

    def timed(self, name: str, database: str, *, batch_records: int) -> Outcome:
        began_s = time.monotonic()
        with self.engine(database) as engine:

            def told(done: int, total: int) -> None:
                self.progress(done, total, name)

            build(self.log, engine, batch_records=batch_records, told=told)
            wall_s = time.monotonic() - began_s
            return Outcome(name, _dump(engine), wall_s=wall_s)

    def killed(self, database: str, write: str, kills: int) -> Outcome:
        """Build in processes that are killed at random moments, the last one not."""
        outcome = Outcome(_KILLED[write])
        began_s = time.monotonic()
        for number in range(kills + 1):
            self.progress(number, kills + 1, outcome.name)
            outcome.kills += self.child(database, write, dies=number < kills)
        with self.engine(database) as engine:
            outcome.dumps = _dump(engine)
        outcome.wall_s = time.monotonic() - began_s
        return outcome

    def child(self, database: str, write: str, *, dies: bool) -> bool:
        """Run one process; return whether it was killed before it was done."""
        words = [self.bootstrap, self.url(database), str(KILLED_BATCH), write]
        command = [sys.executable, "-m", "streams.prove_replay_child", *words]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=base_env()
        ) as process:
            if dies and process.stdout is not None:
                # A share of what is left, so that every one of them gets somewhere.
                share = self.random.uniform(0.05, 0.3)
                for line in process.stdout:
                    done, total = (int(word) for word in line.split())
                    if done >= total * share:
                        time.sleep(self.random.uniform(0, 0.02))
                        process.kill()
                        break
            _, error = process.communicate(timeout=CHILD_S_MAX)
        if process.returncode not in {0, -9}:
            raise FatalError(f"a process that builds views failed: {error[-2_000:]}")
        return process.returncode == -9

    def control(self, live: Outcome, kills: int) -> Outcome:
        control = Outcome("")
        for attempt in range(CONTROL_ROUNDS_MAX):
            control = self.killed(f"control-{attempt}", "apart", max(kills, 1))
            if control.dumps != live.dumps:
                break
        return control

    def audited(self, bug_ids: list[UUID]) -> _Audited:
        """Audit every bug; the log is read once for all of them and once for each of a few."""
        began_s, unequal = time.monotonic(), 0
        stored: defaultdict[UUID, list[Recorded]] = defaultdict(list)
        everything = dict.fromkeys(partitions_of(BUGS_EVENTS), 0)
        for fact in readable(self.log.read(everything)):
            stored[fact.event.bug_id].append(fact)
        with self.engine("live") as engine:
            views = Views(engine)
            for number, bug_id in enumerate(bug_ids):
                found = replayed(views, bug_id, partial(stored.__getitem__, bug_id), at=None)
                if number % (len(bug_ids) // READ_ALONE + 1) == 0:
                    alone = replay(self.log, views, bug_id)
                    unequal += alone != found
                unequal += not found.equals_live
                self.progress(number + 1, len(bug_ids), "auditing every bug")
        return _Audited(unequal, time.monotonic() - began_s)

    def url(self, database: str) -> str:
        return f"sqlite:///{self.folder / database}.sqlite"

    @contextmanager
    def engine(self, database: str) -> Iterator[Engine]:
        engine = open_engine(self.url(database))
        try:
            yield engine
        finally:
            engine.dispose()


@dataclass(frozen=True, slots=True)
class _Audited:
    unequal: int
    wall_s: float


def _writer(log: Log) -> TransactionProducer:
    """Return a writer; what another one left open under this name is aborted."""
    producer = log.producer("prove-replay")
    producer.init()
    return producer


def _write(producer: TransactionProducer, batch: list[BugScoped]) -> None:
    """Leave `batch` in an open transaction."""
    producer.begin()
    for fact in batch:
        producer.produce(outgoing(fact))


def _catch_up(projector: Projector) -> None:
    """Step until nothing has come for a while; what is missing then shows in the figures."""
    quiet = 0
    while quiet < QUIET_STEPS:
        quiet = 0 if projector.step(STEP_S) else quiet + 1
    projector.close()


def _dump(engine: Engine) -> Dumps:
    with engine.begin() as connection:
        found = [store.live(connection, projection) for projection in projections.ALL]
        return {
            generation.projection.name: list(store.dump(connection, generation))
            for generation in found
            if generation is not None
        }


def _hashes(dumps: Dumps) -> dict[str, str]:
    return {name: sha256(repr(rows).encode()).hexdigest() for name, rows in dumps.items()}


def _row(outcome: Outcome, live: Outcome) -> tuple[Cell, ...]:
    kills = outcome.kills
    return (outcome.name, outcome.rows, kills, outcome.wall_s, outcome.differing(live))


def _cut(facts: list[BugScoped], size: int) -> Iterator[list[BugScoped]]:
    source = iter(facts)
    while batch := list(islice(source, size)):
        yield batch
