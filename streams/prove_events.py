"""`bugstream prove --events`: normalize and dedupe exactly once, while their workers are killed."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from processors.ports import Progress, VectorIndexes
from processors.similarity.features import Spaces
from schemas import topics
from schemas.codec import decode
from schemas.errors import FatalError
from schemas.event import derived_id
from schemas.topics import Topic
from streams.broker import temporary_broker
from streams.channels import PARSERS
from streams.figures import Figures, machine
from streams.kafka_log import KafkaLog
from streams.log import Log, Outgoing, Record, ask_until, outgoing, partitions_of
from streams.prove_control import AtLeastOnceLog
from streams.prove_events_input import DUPLICATES_SHARE, PROJECTS, raw_events
from streams.prove_workers import Workers, join, wait_for_group
from streams.runner import Runner
from streams.signals import stop_on_signals

APP = "prove"
RATE_PER_S = 1_000
"""Fed steadily, below what two cores can do: a stall is then a stall, and not a queue."""
KILL_EVERY_S = 4.0
"""At least: a worker takes seconds to start, and only one that works is worth killing."""
BATCH = 50
STALL_GOAL_S = 10.0
CONTROL_EVENTS_MAX = 6_000
CONTROL_KILLS_MAX = 6
_RAW = topics.RAW["http"]
_SLOTS = 2


@dataclass(slots=True)
class Run:
    """What one run came to."""

    name: str
    events: int = 0
    kills: int = 0
    deaths: int = 0
    normalized: int = 0
    lost: int = 0
    doubled: int = 0
    linked: int = 0
    wrong: int = 0
    """Facts of dedupe that differ from the sequential run: lost, doubled, or other bytes."""
    wall_s: float = 0.0
    stalls_s: dict[int, float] = field(default_factory=dict)
    """By partition of the last topic: the longest time without a record, from first to last."""

    @property
    def is_exact(self) -> bool:
        """Return whether nothing was lost, doubled or decided otherwise."""
        return self.lost == self.doubled == self.wrong == 0 < self.normalized == self.events

    def row(self) -> tuple[str | int | float | None, ...]:
        """Return the row of the table."""
        stall = max(self.stalls_s.values(), default=None)
        return (
            *(self.name, self.events, self.kills, self.normalized, self.lost, self.doubled),
            *(self.linked, self.wrong, stall, self.wall_s),
        )


COLUMNS = (
    *("run", "events in", "kills", "normalized", "lost", "doubled", "links", "facts wrong"),
    *("longest stall, s", "run, s"),
)


def prove(*, events: int, kills: int, seed: int = 1, progress: Progress) -> Figures:
    """Return the figures of a run with kills, and of its control without transactions."""
    control_events = min(events, CONTROL_EVENTS_MAX)
    control_kills = min(kills, CONTROL_KILLS_MAX)
    with temporary_broker() as broker:
        run = _run(broker.bootstrap, "transactions", events, kills, seed, progress)
    with temporary_broker() as broker:
        control = _run(broker.bootstrap, "control", control_events, control_kills, seed, progress)
    slow = [n for n, stall_s in run.stalls_s.items() if stall_s > STALL_GOAL_S]
    per_partition = ", ".join(f"{n}: {s:.1f}" for n, s in sorted(run.stalls_s.items()))
    return Figures(
        name="prove-events",
        claim=(
            f"{events:,} events with {DUPLICATES_SHARE:.0%} duplicates through normalize and"
            f" dedupe, workers killed {run.kills} times with -9: none lost, none doubled,"
            " links as in a sequential run"
        ),
        measured_on=machine() | {"kafka": "one node of its own", "workers": 2 * _SLOTS},
        columns=COLUMNS,
        rows=(run.row(), control.row()),
        holds=run.is_exact and run.kills == kills,
        control_holds=control.doubled > 0 or control.lost > 0,
        notes=(
            f"Longest stall of each partition of {topics.BUGS_EVENTS.name}, in s: {per_partition}",
            f"Goal of {STALL_GOAL_S:.0f} s per partition: "
            + (f"missed by {len(slow)} partitions" if slow else "met by all"),
            f"Fed at {RATE_PER_S} events/s. Blobs are kept in memory. Workers that ended by"
            f" themselves and were started anew: {run.deaths}",
            "Vectors are made by a quick fake that hashes words: the model would take hours.",
            "Control: normalize alone, records written at once and positions committed after.",
        ),
        detail={"stalls_s": {str(n): s for n, s in sorted(run.stalls_s.items())}},
    )


def _run(bootstrap: str, name: str, events: int, kills: int, seed: int, progress: Progress) -> Run:
    run = Run(name, events=events)
    stages = ("normalize",) if name == "control" else ("normalize", "dedupe")
    work = [(bootstrap, name, stage, str(slot)) for stage in stages for slot in range(_SLOTS)]
    with KafkaLog(bootstrap) as log:
        log.ensure_topics(topics.ALL)
        began_s = time.monotonic()
        with Workers("streams.prove_events", work, Random(seed)) as workers:  # noqa: S311
            told = _Told(progress, name, 2 * events)
            run.kills = _feed(log, events, kills, seed, workers, told)
            try:
                wait_for_group(log, f"{APP}-normalize", _RAW, workers, told.at(events))
                if name != "control":
                    source = topics.BUGS_NORMALIZED
                    wait_for_group(log, f"{APP}-dedupe", source, workers, told.at(events))
            except FatalError as error:
                raise FatalError(f"{error}; last words: {workers.last_words()}") from error
            run.deaths = workers.deaths
        run.wall_s = time.monotonic() - began_s
        progress(2 * events, 2 * events, f"{name}: checking")
        _check_normalized(log, run)
        if name != "control":
            _check_decided(log, run)
    return run


@dataclass(frozen=True, slots=True)
class _Told:
    progress: Progress
    name: str
    total: int

    def __call__(self, done: int, what: str) -> None:
        self.progress(done, self.total, f"{self.name}: {what}")

    def at(self, done: int) -> Callable[[str], None]:
        """Return how to tell more while no more is done."""
        return lambda what: self(done, what)


def _feed(log: Log, events: int, kills: int, seed: int, workers: Workers, told: _Told) -> int:
    """Write the deliveries at a steady rate and kill workers all the while. Returns the kills."""
    producer = log.producer(f"{APP}-feed")
    batches = -(-events // BATCH)
    pause_s = max(events / RATE_PER_S, kills * KILL_EVERY_S) / batches
    killed = 0
    try:
        ask_until(producer.init, 60.0)
        workers.wait_until_all_work()
        due_s = time.monotonic()
        for number, batch in enumerate(_batches(raw_events(events, Random(seed)))):  # noqa: S311
            producer.begin()
            for record in batch:
                producer.produce(record)
            producer.commit()
            if killed < kills * (number + 1) // batches:
                killed += workers.kill_one()
            workers.tend()
            told(number * BATCH, f"fed {number * BATCH:,}, killed {killed}")
            due_s += pause_s
            time.sleep(max(0.0, due_s - time.monotonic()))
    finally:
        producer.close()
    return killed


def _batches(source: Iterator[Outgoing]) -> Iterator[list[Outgoing]]:
    while batch := list(islice(source, BATCH)):
        yield batch


def _read(log: Log, topic: Topic) -> list[Record]:
    return list(log.read(dict.fromkeys(partitions_of(topic), 0)))


def _check_normalized(log: Log, run: Run) -> None:
    """Compare deliveries and reports, each by the id that the one must have for the other."""
    wanted = {derived_id(decode(raw.value).event_id, "normalize") for raw in _read(log, _RAW)}
    got = Counter(decode(record.value).event_id for record in _read(log, topics.BUGS_NORMALIZED))
    run.normalized = sum(got.values())
    run.lost = len(wanted - got.keys())
    run.doubled = sum(count - 1 for count in got.values()) + len(got.keys() - wanted)


def _check_decided(log: Log, run: Run) -> None:
    """Decide once more, one report after the other in one process, and compare every byte."""
    wanted = Counter(_decide_alone(_read(log, topics.BUGS_NORMALIZED)))
    records = _read(log, topics.BUGS_EVENTS)
    got = Counter(record.value or b"" for record in records)
    run.wrong = sum((wanted - got).values()) + sum((got - wanted).values())
    run.linked = sum(decode(value).type == "report.linked" for value in got)
    run.stalls_s = _stalls_s(records)


def _decide_alone(records: Sequence[Record]) -> Iterator[bytes]:
    from processors import dedupe

    stage = dedupe.make(*_quick())
    states = {number: stage.open(number) for number in range(topics.PARTITIONS)}
    for record in sorted(records, key=lambda one: (one.partition, one.offset)):
        state = states[record.partition]
        for fact in state.decide(decode(record.value)).events:
            yield outgoing(fact).value or b""
        state.commit()


def _quick() -> tuple[Spaces, VectorIndexes]:
    """Return spaces that cost little: what is proven is that no verdict is lost, not its worth."""
    from connectors import vector_index
    from connectors.embeddings import HashingEmbedder

    spaces = Spaces(HashingEmbedder(), HashingEmbedder())
    return spaces, vector_index.VectorIndexes(None, spaces.model_id)


def _stalls_s(records: Sequence[Record]) -> dict[int, float]:
    """Return the longest time without a record, of each partition."""
    found: dict[int, float] = {}
    before: dict[int, int] = {}
    for record in sorted(records, key=lambda one: (one.partition, one.offset)):
        number = record.partition
        gap_s = (record.timestamp_ms - before.get(number, record.timestamp_ms)) / 1000
        found[number] = max(found.get(number, 0.0), gap_s)
        before[number] = record.timestamp_ms
    return found


def work(bootstrap: str, name: str, stage: str, slot: str) -> None:
    """Run one stage until SIGTERM: what `Workers` starts, and kills."""
    from connectors.blobs import MemoryBlobs
    from processors import dedupe, normalize

    made = (
        normalize.make(MemoryBlobs(), PROJECTS, PARSERS)
        if stage == "normalize"
        else dedupe.make(*_quick())
    )
    log: KafkaLog = AtLeastOnceLog(bootstrap) if name == "control" else KafkaLog(bootstrap)
    with log, stop_on_signals() as stop, Runner(made, log, app=APP, slot=int(slot)) as runner:
        join(runner, stop)
        runner.run(stop)


if __name__ == "__main__":
    work(*sys.argv[1:])
