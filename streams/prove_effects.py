"""`bugstream prove --effects`: one model answer, one push, one comment a bug, whoever is killed."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

from sqlalchemy import func, select

from connectors import spending
from connectors.database import open_engine, reading
from connectors.git_command import Git
from connectors.ledger import EFFECTS, SqlLedger
from processors.ports import Progress
from schemas import topics
from schemas.bugs import FixProposed, FixReleased, FixRequested, ReporterNotified, StageFailed
from schemas.codec import decode
from schemas.errors import FatalError
from schemas.event import Actor, BlobRef, Event
from schemas.raw import Origin
from schemas.reports import ReportLink, Severity, Trust
from streams.broker import Broker, temporary_broker
from streams.effects_outside import read_lines
from streams.effects_worker import APP, BUDGET_USD_MICROS, FILE, TEXT, Setup
from streams.environment import git_env
from streams.figures import Figures, machine
from streams.kafka_log import KafkaLog
from streams.log import Log, TopicPartition, outgoing, partitions_of
from streams.prove_process import ChildProcess

WORKERS = 2
STALLED_S_MAX = 180.0
CONTROL_BUGS_MAX = 40
CONTROL_KILLS_MAX = 8
START_S_MAX = 30.0
_POLL_S = 0.05
_STEPS = (FixProposed, FixReleased, ReporterNotified)
_IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "proof"), ("EMAIL", "proof@noreply.invalid"))
}


@dataclass(slots=True)
class Outcome:
    """What one run came to, counted outside: at the remote, the comment box, the model, the log."""

    name: str
    bugs: int = 0
    kills: int = 0
    branches: int = 0
    pushes: int = 0
    comments: int = 0
    doubled_comments: int = 0
    model_calls: int = 0
    doubled_events: int = 0
    failed: int = 0
    """Bugs that a stage gave up on."""
    resumed: int = 0
    """Effects that were begun more than once: what the kills and lost answers hit."""
    answered_usd_micros: int = 0
    charged_usd_micros: int = 0
    open_usd_micros: int = 0
    wall_s: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Return whether each bug has one of each, and no money is unaccounted for."""
        unsettled = self.charged_usd_micros - self.answered_usd_micros
        return (
            self.branches == self.pushes == self.comments == self.bugs
            and self.doubled_events == self.doubled_comments == self.failed == 0
            and self.model_calls <= self.bugs + self.kills
            and 0 <= unsettled <= self.open_usd_micros
        )


def prove(*, kills: int = 50, bugs: int = 200, progress: Progress) -> Figures:
    """Return what `kills` kills did to the effects of `bugs` bugs, with and without the ledger.

    Starts its own broker and ends it. Raises `FatalError` when nothing moves any more.
    """
    with temporary_broker() as broker:
        proof = _Run(broker, "proof", bugs=bugs, kills=kills, progress=progress).go()
    few = min(bugs, CONTROL_BUGS_MAX)
    with temporary_broker() as broker:
        run = _Run(
            *(broker, "control"),
            bugs=few,
            kills=min(kills, CONTROL_KILLS_MAX),
            progress=progress,
            has_ledger=False,
        )
        control = run.go()
    return Figures(
        name="effects",
        claim="Each bug gets one branch, one push, one comment; every model call is accounted for",
        measured_on=machine(),
        columns=(
            *("run", "bugs", "kills -9", "branches", "pushes", "comments", "doubled comments"),
            *("doubled events", "failed", "model calls", "effects resumed"),
            *("answered $", "charged $", "of it open $", "seconds"),
        ),
        rows=[_row(proof), _row(control)],
        holds=proof.is_exact and proof.kills >= kills,
        control_holds=control.doubled_comments > 0 or control.model_calls > few,
        notes=(
            f"proof: {WORKERS} processes with fix, release and notify on the long-task runner,"
            " killed as the work goes on; pushes counted by a hook of the bare repository,"
            " comments by a server that accepts all it is sent and drops some answers.",
            "control: the same without the ledger. Its pushes do not double, since a release makes"
            " the same commit again and finds it there.",
            "A stand-in for lifecycle leads from stage to stage, and the model is scripted.",
        ),
    )


def _row(found: Outcome) -> tuple[str | int | float, ...]:
    return (
        *(found.name, found.bugs, found.kills, found.branches, found.pushes, found.comments),
        *(found.doubled_comments, found.doubled_events, found.failed, found.model_calls),
        *(found.resumed, found.answered_usd_micros / 1e6, found.charged_usd_micros / 1e6),
        *(found.open_usd_micros / 1e6, found.wall_s),
    )


@dataclass(slots=True)
class _Seen:
    """What the topic has shown so far."""

    next: dict[TopicPartition, int]
    events: Counter[tuple[str, UUID]] = field(default_factory=Counter)

    def read(self, log: Log) -> None:
        """Read on to the end."""
        for record in log.read(self.next):
            self.next[record.source] = record.offset + 1
            event = decode(record.value)
            if isinstance(event, (*_STEPS, StageFailed)):
                self.events[event.type, event.bug_id] += 1

    def count(self, *kinds: type[Event]) -> int:
        """Return how many bugs have got to each of `kinds`, added up."""
        wanted = {kind.model_fields["type"].default for kind in kinds}
        return sum(1 for kind, _ in self.events if kind in wanted)


class _Run:
    """One run: bugs come in, two workers work on them, and one or the other is killed."""

    def __init__(
        self,
        broker: Broker,
        name: str,
        *,
        bugs: int,
        kills: int,
        progress: Progress,
        has_ledger: bool = True,
    ) -> None:
        self._broker = broker
        self._kills = kills
        self._progress = progress
        self._has_ledger = has_ledger
        self._random = Random(kills * 1_000_003 + bugs)  # noqa: S311  # who dies is no secret
        self._workers: dict[int, ChildProcess] = {}
        self.outcome = Outcome(name, bugs=bugs)

    def go(self) -> Outcome:
        """Run to the end, and count."""
        started_s = time.monotonic()
        with ExitStack() as stack:
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="bugstream-prove-"))
            folder = Path(place)
            log = stack.enter_context(KafkaLog(self._broker.bootstrap))
            log.ensure_topics([topics.BUGS_EVENTS, *_own_topics()])
            base = _make_remote(folder)
            setup = Setup(
                bootstrap=self._broker.bootstrap,
                folder=place,
                git_url=str(folder / "remote.git"),
                model_url=stack.enter_context(_outside("model", folder)),
                answer_url=stack.enter_context(_outside("comments", folder)),
                has_ledger=self._has_ledger,
            )
            _ask_for_fixes(log, self.outcome.bugs, base)
            seen = _Seen(dict.fromkeys(partitions_of(topics.BUGS_EVENTS), 0))
            try:
                self._work(log, seen, json.dumps(asdict(setup)))
            finally:
                for slot in list(self._workers):
                    self._end(slot)
            self._count(folder, seen)
        self.outcome.wall_s = time.monotonic() - started_s
        return self.outcome

    def _work(self, log: Log, seen: _Seen, setup: str) -> None:
        steps = len(_STEPS) * self.outcome.bugs
        moved_s, last = time.monotonic(), -1
        while (done := seen.count(*_STEPS)) < steps and not seen.count(StageFailed):
            self._keep_working(setup)
            if done != last:
                last, moved_s = done, time.monotonic()
                self._progress(done, steps, f"effects done ({self.outcome.name})")
            if time.monotonic() - moved_s > STALLED_S_MAX:
                raise FatalError(f"no effect was finished for {STALLED_S_MAX} s")
            # Spread over the whole run, the start and the end included.
            if done >= steps * self.outcome.kills / max(self._kills, 1) * 0.95 and (
                self.outcome.kills < self._kills
            ):
                time.sleep(self._random.uniform(0, 0.3))
                self._end(self._random.choice(list(self._workers)))
                self.outcome.kills += 1
            time.sleep(_POLL_S)
            seen.read(log)

    def _keep_working(self, setup: str) -> None:
        for slot in range(WORKERS):
            worker = self._workers.get(slot)
            if worker is not None and worker.exit_code is not None:
                self._end(slot)
            if slot not in self._workers:
                self._workers[slot] = ChildProcess("streams.effects_worker", setup, str(slot))

    def _end(self, slot: int) -> None:
        self._workers.pop(slot).kill()

    def _count(self, folder: Path, seen: _Seen) -> None:
        outcome = self.outcome
        comments = Counter(line["key"] for line in read_lines(folder / "comments"))
        answers = read_lines(folder / "model")
        outcome.branches = len(_git(folder)("for-each-ref", "refs/heads/bugstream").splitlines())
        outcome.pushes = len((folder / "pushes").read_text().splitlines())
        outcome.comments = comments.total()
        outcome.doubled_comments = comments.total() - len(comments)
        outcome.model_calls = len(answers)
        outcome.answered_usd_micros = sum(answer["cost_usd_micros"] for answer in answers)
        outcome.doubled_events = seen.events.total() - len(seen.events)
        outcome.failed = seen.count(StageFailed)
        engine = open_engine(folder / "ledger.sqlite")
        try:
            SqlLedger(engine)  # Makes the table where the control has never opened one.
            for each in spending.per_project(engine):
                outcome.charged_usd_micros += each.charged_usd_micros
                outcome.open_usd_micros += each.open_usd_micros
            with reading(engine).begin() as connection:
                again = select(func.count()).where(EFFECTS.c.tries > 1)
                outcome.resumed = connection.execute(again).scalar_one()
        finally:
            engine.dispose()


def _own_topics() -> list[topics.Topic]:
    stages = ("fix", "lifecycle", "release", "notify")
    return [make(stage) for stage in stages for make in (topics.retries, topics.dead_letters)]


# --- the bare repository ---


def _git(folder: Path) -> Git:
    return Git(folder / "remote.git", git_env())


def _make_remote(folder: Path) -> str:
    """Make the bare repository, with a hook that writes down each branch it was pushed."""
    git = _git(folder)
    git("init", "--quiet", "--bare", "--template=", str(git.git_dir))
    blob = git.line("hash-object", "-w", "--stdin", stdin=TEXT.encode())
    tree = git.line("mktree", stdin=f"100644 blob {blob}\t{FILE}\n".encode())
    base = git.line("commit-tree", tree, "-m", "base", env=_IDENTITY)
    git("update-ref", "refs/heads/main", base)
    pushes = folder / "pushes"
    pushes.touch()
    hook = git.git_dir / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\nwhile read -r old new ref; do\n"
        f'  case "$ref" in refs/heads/*) echo "$old $new $ref" >> "{pushes}";; esac\ndone\n'
    )
    hook.chmod(0o755)
    return base


# --- the bugs ---


def _ask_for_fixes(log: Log, bugs: int, base: str) -> None:
    producer = log.producer(f"{APP}-bugs")
    try:
        producer.init()
        producer.begin()
        for number in range(bugs):
            producer.produce(outgoing(_fix_requested(number, base)))
        producer.commit()
    finally:
        producer.close()


def _fix_requested(number: int, base: str) -> FixRequested:
    origin = Origin(channel="http", container=APP, item=str(number))
    bug_id = uuid5(origin.report_id, "bug")
    blob = BlobRef(sha256="0" * 64, size_bytes=0, media_type="application/json", subject=APP)
    report = ReportLink(
        report_id=origin.report_id,
        origin=origin,
        report_blob=blob,
        reporter=APP,
        trust=Trust.MEMBER,
        severity=Severity.UNKNOWN,
        content_sha256="0" * 64,
    )
    return FixRequested(
        event_id=uuid5(bug_id, "fix.requested"),
        project=APP,
        bug_id=bug_id,
        actor=Actor.stage("lifecycle"),
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        correlation_id=bug_id,
        attempt=1,
        report=report,
        base_commit=base,
        budget_usd_micros=BUDGET_USD_MICROS,
    )


@contextmanager
def _outside(role: str, folder: Path) -> Iterator[str]:
    """Run a part of the world in a process of its own, and yield its URL."""
    process = ChildProcess("streams.effects_outside", role, str(folder / role))
    try:
        yield f"http://127.0.0.1:{process.first_number(START_S_MAX)}/"
    finally:
        process.kill()
