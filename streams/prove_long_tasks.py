"""`bugstream prove --long-tasks`: finished out of order, exactly once, while being killed."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path
from random import Random
from uuid import UUID, uuid5
from zlib import crc32

from processors.base import Task
from processors.ports import Progress
from schemas import topics
from schemas.bugs import LocateDeclined, LocateRequested
from schemas.codec import decode
from schemas.errors import FatalError
from schemas.event import NAMESPACE, Actor, BlobRef, Event, caused_by
from schemas.raw import Origin
from schemas.reports import ReportLink, Severity, Trust
from streams.broker import temporary_broker
from streams.figures import Figures, machine
from streams.kafka_log import KafkaLog
from streams.log import Log, TopicPartition, ask_until, outgoing, partitions_of
from streams.long_tasks import LongTaskRunner
from streams.prove_control import ForgetfulLog
from streams.prove_workers import Ended, Workers, join, wait_for_group
from streams.signals import stop_on_signals

APP = "prove"
STAGE = "locate"
SLOTS = 2
THREADS = 4
PARTITIONS = (0, 1, 6, 7)
"""Two for each worker: so few that the tasks of one partition overtake each other."""
TASKS_PER_BUG = 2
"""Of one bug the tasks must be done in order."""
SHORT_S_MAX = 0.5
LONG_S_MAX = 4.0
LONG_SHARE = 0.1
TERMS_SHARE = 0.25
"""SIGTERMs, beside the kills."""
DRAIN_S_MAX = 10.0
LOOK_EVERY_S = 0.25
STALLED_S_MAX = 120.0
CONTROL_TASKS_MAX = 300
CONTROL_KILLS_MAX = 5
_REQUESTED, _ANSWERED = b"locate.requested", b"locate.declined"
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Run:
    """What one run came to."""

    name: str
    tasks: int = 0
    kills: int = 0
    terms: int = 0
    deaths: int = 0
    results: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    out_of_order: int = 0
    """Results that came before that of an older task of the same partition."""
    again_killed: int = 0
    """Executed again because its process ended before its result was committed."""
    again_moved: int = 0
    """Executed again because its partition went to another worker that lives on."""
    again_done: int = 0
    """Executed again although its result was committed: must never happen."""
    wall_s: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Return whether every task has one result, in order per bug, and none was repeated."""
        bad = self.lost + self.doubled + self.disordered + self.again_done + self.again_moved
        return bad == 0 < self.results == self.tasks

    def row(self) -> tuple[str | int | float | None, ...]:
        """Return the row of the table."""
        return (
            *(self.name, self.tasks, f"{self.kills} + {self.terms}", self.results, self.lost),
            *(self.doubled, self.disordered, self.out_of_order),
            *(self.again_killed, self.again_moved, self.again_done, self.wall_s),
        )


Executions = dict[int, list[tuple[float, int]]]
"""Task -> when it was begun, and by which process."""

COLUMNS = (
    *("run", "tasks", "kill -9 + TERM", "results", "lost", "doubled", "disordered per bug"),
    *("finished out of order", "again: killed", "again: moved", "again: was done", "run, s"),
)


def prove(*, kills: int, tasks: int, seed: int = 1, progress: Progress) -> Figures:
    """Return the figures of a run with kills, and of its control that forgets what is done."""
    with temporary_broker() as broker:
        run = _run(broker.bootstrap, "done set", tasks, kills, seed, progress)
    few, fewer = min(tasks, CONTROL_TASKS_MAX), min(kills, CONTROL_KILLS_MAX)
    with temporary_broker() as broker:
        control = _run(broker.bootstrap, "control", few, fewer, seed, progress)
    return Figures(
        name="prove-long-tasks",
        claim=(
            f"{tasks:,} tasks of up to {LONG_S_MAX:.0f} s, finished out of order, workers ended"
            f" {run.kills} times with -9 and {run.terms} times with TERM: none lost, none doubled,"
            " executed again only what ran or waited for its commit when killed"
        ),
        measured_on=machine()
        | {"kafka": "one node of its own", "workers": SLOTS, "threads each": THREADS},
        columns=COLUMNS,
        rows=(run.row(), control.row()),
        holds=run.is_exact and run.kills == kills,
        control_holds=control.doubled > 0 or control.lost > 0,
        notes=(
            f"Workers that ended by themselves and were started anew: {run.deaths}",
            "Control: the same transactions, without the done set in the offsets' metadata.",
        ),
    )


def _run(bootstrap: str, name: str, tasks: int, kills: int, seed: int, told: Progress) -> Run:
    run = Run(name, tasks=tasks)
    with tempfile.TemporaryDirectory() as folder, KafkaLog(bootstrap) as log:
        executed = Path(folder) / "executed"
        log.ensure_topics(topics.ALL)
        work = [(bootstrap, name, str(n), str(seed), str(executed)) for n in range(SLOTS)]
        chance = Random(seed)  # noqa: S311
        began_s = time.monotonic()
        with Workers("streams.prove_long_tasks", work, chance) as workers:
            workers.wait_until_all_work()
            _feed(log, tasks)
            _disturb(log, run, kills, workers, told)
            wait_for_group(
                log,
                f"{APP}-{STAGE}",
                topics.BUGS_EVENTS,
                workers,
                lambda what: told(tasks, tasks, f"{name}: {what}"),
            )
            run.deaths, ended = workers.deaths, workers.ended
        run.wall_s = time.monotonic() - began_s
        results = Results()
        results.read(log)
        _check_results(run, results)
        _check_executions(run, results, _executions(executed), ended)
    return run


def _feed(log: Log, tasks: int) -> None:
    producer = log.producer(f"{APP}-feed")
    try:
        ask_until(producer.init, 60.0)
        producer.begin()
        for number in range(tasks):
            producer.produce(outgoing(_request(number)))
        producer.commit()
    finally:
        producer.close()


def _disturb(log: Log, run: Run, kills: int, workers: Workers, told: Progress) -> None:
    """End workers at even distances of progress, until every task has a result."""
    terms = int(kills * TERMS_SHARE)
    due = [signal.SIGKILL] * kills + [signal.SIGTERM] * terms
    workers.chance.shuffle(due)
    results = Results()
    deadline = time.monotonic() + STALLED_S_MAX
    while len(results.at_ms) < run.tasks:
        before = len(results.at_ms)
        results.read(log)
        done = len(results.at_ms)
        if done > before:
            deadline = time.monotonic() + STALLED_S_MAX
        if time.monotonic() > deadline:
            raise FatalError(f"no result any more after {done}: {workers.last_words()}")
        ended = run.kills + run.terms
        if ended < len(due) and done * (len(due) + 1) >= run.tasks * (ended + 1):
            number = due[ended]
            if workers.kill_one(number):
                run.kills += number == signal.SIGKILL
                run.terms += number == signal.SIGTERM
        workers.tend()
        told(done, run.tasks, f"{run.name}: {run.kills} killed, {run.terms} stopped")
        time.sleep(LOOK_EVERY_S)


@dataclass(slots=True)
class Results:
    """The answers in the log, read on from where the last reading ended."""

    at_ms: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Task -> when each of its results was appended."""
    order: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Partition -> tasks, as their results came."""
    asked: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Partition -> tasks, as they were asked for."""
    _next: dict[TopicPartition, int] = field(
        default_factory=lambda: dict.fromkeys(partitions_of(topics.BUGS_EVENTS), 0)
    )

    def read(self, log: Log) -> None:
        """Take in what has come."""
        for record in log.read(self._next):
            self._next[record.source] = record.offset + 1
            kind = dict(record.headers)["ce_type"]
            event = decode(record.value)
            assert isinstance(event, LocateDeclined | LocateRequested)  # noqa: S101  # narrows
            if kind == _ANSWERED:
                self.at_ms[event.attempt].append(record.timestamp_ms)
                self.order[record.partition].append(event.attempt)
            elif kind == _REQUESTED:
                self.asked[record.partition].append(event.attempt)


def _check_results(run: Run, results: Results) -> None:
    counts = Counter({task: len(times) for task, times in results.at_ms.items()})
    run.results = counts.total()
    run.lost = sum(task not in counts for task in range(run.tasks))
    run.doubled = sum(count - 1 for count in counts.values())
    for order in results.order.values():
        newest, newest_of_bug = -1, dict[int, int]()
        for task in order:
            bug = task // TASKS_PER_BUG
            run.disordered += task < newest_of_bug.get(bug, -1)
            newest_of_bug[bug] = max(task, newest_of_bug.get(bug, -1))
            run.out_of_order += task < newest
            newest = max(newest, task)


def _check_executions(
    run: Run,
    results: Results,
    executions: Executions,
    ended: list[Ended],
) -> None:
    """Say why each task that was executed more than once was."""
    end_of = {one.pid: one.at_s for one in ended}
    for task, starts in executions.items():
        starts.sort()
        for (_, pid), (again_s, _) in pairwise(starts):
            if min(results.at_ms.get(task, [sys.maxsize])) / 1000 < again_s:
                run.again_done += 1
            elif end_of.get(pid, again_s + 1) <= again_s:
                run.again_killed += 1
            else:
                run.again_moved += 1


def _executions(file: Path) -> Executions:
    found: Executions = defaultdict(list)
    for line in file.read_text().splitlines():
        task, pid, at_s = line.split()
        found[int(task)].append((float(at_s), int(pid)))
    return found


def _request(number: int) -> LocateRequested:
    bug_id = _bug_id(number // TASKS_PER_BUG)
    return LocateRequested(
        event_id=uuid5(NAMESPACE, f"prove/task/{number}"),
        project="prove",
        bug_id=bug_id,
        actor=Actor.stage("lifecycle"),
        occurred_at=_EPOCH,
        correlation_id=bug_id,
        attempt=number,
        report=ReportLink(
            report_id=bug_id,
            origin=Origin(channel="http", container="prove", item=str(number)),
            report_blob=BlobRef(sha256="0" * 64, size_bytes=0, media_type="text/plain", subject=""),
            reporter="",
            trust=Trust.STRANGER,
            severity=Severity.UNKNOWN,
            content_sha256="0" * 64,
        ),
    )


def _bug_id(number: int) -> UUID:
    """Return an id that lies in one of `PARTITIONS`."""
    ids = (uuid5(NAMESPACE, f"prove/bug/{number}/{salt}") for salt in count())
    return next(one for one in ids if crc32(str(one).encode()) % topics.PARTITIONS in PARTITIONS)


def _length_s(task: int, seed: str) -> float:
    chance = Random(f"{seed}/{task}")  # noqa: S311
    longest_s = LONG_S_MAX if chance.random() < LONG_SHARE else SHORT_S_MAX
    return chance.random() * longest_s


def work(bootstrap: str, name: str, slot: str, seed: str, executed: str) -> None:
    """Run the task until SIGTERM, and note every execution: what `Workers` starts, and kills."""

    def handle(event: Event) -> Iterator[Event]:
        assert isinstance(event, LocateRequested)  # noqa: S101  # narrows for the type checker
        with Path(executed).open("a") as file:
            file.write(f"{event.attempt} {os.getpid()} {time.time()}\n")
        time.sleep(_length_s(event.attempt, seed))
        yield LocateDeclined(
            **caused_by(event, STAGE), bug_id=event.bug_id, attempt=event.attempt, reason="proof"
        )

    task = Task(STAGE, topics.SOURCES[STAGE], (LocateRequested,), handle, THREADS)
    log: KafkaLog = ForgetfulLog(bootstrap) if name == "control" else KafkaLog(bootstrap)
    with (
        log,
        stop_on_signals() as stop,
        LongTaskRunner(task, log, app=APP, slot=int(slot)) as runner,
    ):
        join(runner, stop)
        runner.run(stop, drain_s_max=DRAIN_S_MAX)


if __name__ == "__main__":
    work(*sys.argv[1:])
