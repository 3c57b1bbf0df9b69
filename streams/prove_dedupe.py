"""`bugstream prove --dedupe`: verdicts as of an undisturbed run, killed and with spoilt snapshots.

The stage is a process of its own with the models of `bugstream up`. It is killed with -9 while it
decides, and before it is started anew its snapshots are harmed, each time in another way.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from connectors.vector_index import DISTRUSTED, TAKEN_UP
from processors.base import PartitionState
from processors.ports import Progress
from schemas import topics
from schemas.bugs import LinkSuggested, ReportLinked
from schemas.codec import decode
from schemas.errors import FatalError
from schemas.event import Event
from schemas.registry import partition_of
from schemas.reports import ReportNormalized
from streams.broker import temporary_broker
from streams.figures import Figures, machine
from streams.kafka_log import KafkaLog
from streams.log import Log, Position, Record, TopicPartition, ask_until, outgoing, partitions_of
from streams.prove_dedupe_child import APP, INDEXES, stage
from streams.prove_dedupe_harm import HARMS, OLDER, SWAPPED, Harm, snapshots
from streams.prove_dedupe_input import reports as made_up
from streams.prove_process import ChildProcess

REPORTS = 320
KILLS = len(HARMS)
CONTROL_HARMS = (HARMS[0], OLDER, SWAPPED)
AHEAD_RECORDS = 36
"""So many wait at any time, so that no kill finds the stage idle. Not all at once: it would decide
on one partition after the other."""
FED_RECORDS = 12
PAUSE_S_MAX = 0.3
"""Between a commit and the kill: by chance, so that it hits deciding, writing and committing."""
STALLED_S_MAX = 120.0
_POLL_S = 0.02
_CHILD = "streams.prove_dedupe_child"
_VERDICTS = ("bug.opened", "report.linked", "report.updated", "link.suggested")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a run has decided: its facts in their order, and the state it has kept."""

    facts: Sequence[Event]
    state: dict[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the stage, from a start to a kill or to the end."""

    harm: str
    """Of the snapshots it found."""
    as_harmed: bool
    """Whether it took up and threw away what it should."""
    taken_up: int
    distrusted: int
    waiting: int
    """Records that were still to be decided on at its end."""
    facts: int = 0


@dataclass(slots=True)
class Run:
    """What one run came to, beside the undisturbed one."""

    name: str
    lives: list[Life] = field(default_factory=list)
    facts: int = 0
    lost: int = 0
    doubled: int = 0
    differing: Counter[str] = field(default_factory=Counter)
    """Fields of facts that say something else, by type and name."""
    misplaced: int = 0
    """Bugs whose facts came in another order."""
    state: int = 0
    """Records of the state that are other ones."""
    wall_s: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Return whether it decided just what the undisturbed run did."""
        wrong = (self.lost, self.doubled, self.differing.total(), self.misplaced, self.state)
        return self.facts > 0 and not any(wrong)

    @property
    def is_disturbed(self) -> bool:
        """Return whether every kill came in the middle, and every harm was found."""
        lives = all(life.facts and life.as_harmed for life in self.lives)
        return lives and all(life.waiting for life in self.lives[:-1])

    def row(self) -> tuple[str | int | float, ...]:
        """Return the row of the table."""
        return (
            *(self.name, len(self.lives) - 1, self.facts, self.lost, self.doubled),
            *(self.differing.total(), self.misplaced, self.state),
            sum(life.taken_up for life in self.lives),
            sum(life.distrusted for life in self.lives),
            self.wall_s,
        )


COLUMNS = (
    *("run", "kills", "facts", "lost", "doubled", "fields that differ", "bugs out of order"),
    *("state that differs", "snapshots taken up", "thrown away", "run, s"),
)


def prove(
    *, reports: int = REPORTS, kills: int = KILLS, seed: int = 1, progress: Progress
) -> Figures:
    """Return the figures of a run with kills and harm, and of its control that checks nothing."""
    given = list(made_up(reports, Random(seed)))  # noqa: S311  # made-up reports
    progress(0, 2 * reports, "undisturbed, one report after the other")
    wanted = undisturbed(given)
    harms = [HARMS[number % len(HARMS)] for number in range(kills)]
    # Side by side: a life is mostly spent on waiting for a process and its place in the group.
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(_Run(index, given, seed, progress).go, harmed, wanted)
            for index, harmed in (("checked", harms), ("trusted", CONTROL_HARMS))
        ]
        run, control = (one.result() for one in both)
    said = Counter(fact.type for fact in wanted.facts)
    rules = Counter(fact.rule for fact in wanted.facts if isinstance(fact, ReportLinked))
    asked = [fact for fact in wanted.facts if isinstance(fact, LinkSuggested)]
    return Figures(
        name="prove-dedupe",
        claim=(
            f"{reports} reports in two languages, dedupe killed {kills} times with -9 while it"
            " decides and its snapshots harmed in between: every field of every verdict, and the"
            " state, as of an undisturbed run"
        ),
        measured_on=machine() | {"kafka": "one node of its own", "models": "as bundled"},
        columns=COLUMNS,
        rows=(run.row(), control.row()),
        holds=run.is_exact and run.is_disturbed and all(said[one] for one in _VERDICTS),
        control_holds=not control.is_exact,
        notes=(
            "; ".join(
                f"{life.harm}: {life.taken_up} taken up, {life.distrusted} thrown away,"
                f" {life.facts} facts, {life.waiting} reports waiting at its end"
                for life in run.lives
            ),
            f"Verdicts: {_counted(said)}. Links by: {_counted(rules)}. Of the suggestions"
            f" {sum(bool(one.vetoes) for one in asked)} carry a veto,"
            f" {sum(set(one.scores) == {'meaning'} for one in asked)} are across languages.",
            "Control: snapshots are taken for what the state holds, as they are; killed"
            f" {len(CONTROL_HARMS)} times.",
        ),
        detail={"differing": dict(run.differing), "control_differing": dict(control.differing)},
    )


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in found.most_common())


def undisturbed(given: Iterable[ReportNormalized]) -> Verdicts:
    """Decide on one report after the other, in one process, without a snapshot."""
    made = stage(None)
    parts: dict[int, PartitionState] = {}
    facts: list[Event] = []
    state: dict[str, bytes | None] = {}
    for report in given:
        number = partition_of(report)
        part = parts.setdefault(number, made.open(number))
        decision = part.decide(report)
        part.commit()
        facts += decision.events
        state |= {change.key: change.value for change in decision.changes}
    return Verdicts(facts, state)


def compare(run: Run, got: Verdicts, wanted: Verdicts) -> None:
    """Note in `run` where it differs from the undisturbed one, field by field."""
    mine, theirs = _by_id(got.facts), _by_id(wanted.facts)
    run.facts = len(got.facts)
    run.lost = len(theirs.keys() - mine.keys())
    run.doubled = len(got.facts) - len(mine.keys() & theirs.keys())
    for event_id in mine.keys() & theirs.keys():
        one, other = mine[event_id], theirs[event_id]
        for name in one.keys() | other.keys():
            if one.get(name) != other.get(name):
                run.differing[f"{other['type']}.{name}"] += 1
    orders, quiet = _orders(got.facts), _orders(wanted.facts)
    run.misplaced = sum(orders.get(bug) != facts for bug, facts in quiet.items())
    keys = got.state.keys() | wanted.state.keys()
    run.state = sum(got.state.get(key) != wanted.state.get(key) for key in keys)


def _by_id(facts: Sequence[Event]) -> dict[UUID, dict[str, Any]]:
    return {fact.event_id: fact.model_dump(mode="json") for fact in facts}


def _orders(facts: Sequence[Event]) -> dict[UUID | None, list[UUID]]:
    found: dict[UUID | None, list[UUID]] = defaultdict(list)
    for fact in facts:
        found[fact.bug_id].append(fact.event_id)
    return found


class _Run:
    """One run on a broker and a data folder of its own."""

    def __init__(
        self, index: str, given: Sequence[ReportNormalized], seed: int, progress: Progress
    ) -> None:
        self._index, self._given, self._progress = index, given, progress
        self._chance = Random(seed)  # noqa: S311  # when to kill is no secret
        self._kills_ms: list[float] = []
        self.run = Run("killed and harmed" if index == "checked" else "control")

    def go(self, harms: Sequence[Harm], wanted: Verdicts) -> Run:
        """Feed all the while, kill and harm as told, let the last life finish, and compare."""
        began_s = time.monotonic()
        with (
            tempfile.TemporaryDirectory(prefix="bugstream-prove-") as folder,
            temporary_broker() as broker,
            KafkaLog(broker.bootstrap) as log,
        ):
            log.ensure_topics(topics.ALL)
            with closing(_Feed(log, self._given)) as feed:
                self._live(feed, broker.bootstrap, Path(folder), harms)
            found = list(log.read(dict.fromkeys(partitions_of(topics.BUGS_EVENTS), 0)))
            compare(self.run, Verdicts(*_read(log, found)), wanted)
            self._count(found)
        self.run.wall_s = time.monotonic() - began_s
        return self.run

    def _live(self, feed: _Feed, bootstrap: str, folder: Path, harms: Sequence[Harm]) -> None:
        before = Harm("begun with none", lambda *_: None)
        share = len(self._given) / (len(harms) + 1)
        for number, harm in enumerate((*harms, None)):
            words = folder / f"life-{number}.log"
            child = ChildProcess(_CHILD, bootstrap, str(folder), str(words), self._index)
            try:
                if harm is None:
                    self._watch(feed, child, lambda _: feed.is_done)
                else:
                    aim = share * self._chance.uniform(0.6, 0.9)
                    self._watch(feed, child, partial(_has_come_to, aim))
                    time.sleep(self._chance.uniform(0.0, PAUSE_S_MAX))
            finally:
                child.kill()
            self._kills_ms.append(1_000 * time.time())
            self.run.lives.append(_life(before, words.read_text(encoding="utf-8"), feed.waiting()))
            if harm is not None:
                _do(harm, folder, number, self._chance)
                before = harm

    def _watch(self, feed: _Feed, child: ChildProcess, is_enough: Callable[[int], bool]) -> None:
        """Feed until it has decided on enough. Raises `FatalError` when it does not."""
        deadline_s = time.monotonic() + STALLED_S_MAX
        while not is_enough(child.done):
            feed.keep_ahead()
            base = 0 if self._index == "checked" else len(self._given)
            what = f"{self.run.name}: life {len(self.run.lives) + 1}"
            self._progress(base + feed.fed, 2 * len(self._given), what)
            if child.exit_code is not None or time.monotonic() > deadline_s:
                raise FatalError(f"dedupe of the proof does not go on: {child.last_words()}")
            time.sleep(_POLL_S)

    def _count(self, found: Sequence[Record]) -> None:
        """Count the facts of each life by when the broker appended them."""
        ends_ms = [0.0, *self._kills_ms]
        self.run.lives = [
            replace(life, facts=sum(begin < one.timestamp_ms <= end for one in found))
            for life, begin, end in zip(self.run.lives, ends_ms, ends_ms[1:], strict=False)
        ]


class _Feed:
    """Writes reports so that some are always waiting, and not all of them at once."""

    def __init__(self, log: Log, given: Sequence[ReportNormalized]) -> None:
        self._log, self._given = log, given
        self.fed = 0
        self._places = sorted({outgoing(one).partition for one in given})
        self._producer = log.producer(f"{APP}-feed")
        ask_until(self._producer.init, 60.0)

    @property
    def is_done(self) -> bool:
        """Return whether all were fed and decided on."""
        return self.fed == len(self._given) and not self.waiting()

    def waiting(self) -> int:
        """Return how many of those fed are still to be decided on."""
        places = [TopicPartition(topics.BUGS_NORMALIZED.name, one) for one in self._places]
        at = self._log.committed(f"{APP}-dedupe", places)
        ends = self._log.end_offsets(places)
        # The marker that ends what was fed last counts as a record, and nobody is given it.
        found = {place: ends[place] - at.get(place, Position(0)).offset for place in places}
        return sum(count for count in found.values() if count > 1)

    def keep_ahead(self) -> None:
        """Write some more when few are waiting."""
        if self.fed == len(self._given) or self.waiting() >= AHEAD_RECORDS:
            return
        self._producer.begin()
        for report in self._given[self.fed : self.fed + FED_RECORDS]:
            self._producer.produce(outgoing(report))
        self._producer.commit()
        self.fed = min(self.fed + FED_RECORDS, len(self._given))

    def close(self) -> None:
        """Free the connection."""
        self._producer.close()


def _has_come_to(aim: float, done: int) -> bool:
    return done >= aim


def _read(log: Log, found: Sequence[Record]) -> tuple[list[Event], dict[str, bytes | None]]:
    state = {
        (record.key or b"").decode(): record.value
        for record in log.read(dict.fromkeys(partitions_of(topics.BUGS_EMBEDDINGS), 0))
    }
    return [decode(record.value) for record in found], state


def _life(harm: Harm, words: str, waiting: int) -> Life:
    """Return what a life said of the snapshots it found, by its log."""
    lines = words.splitlines()
    begin, middle, end = TAKEN_UP.split("%d")
    taken_up = sum(one.startswith(begin) and middle in one and end in one for one in lines)
    distrusted = lines.count(DISTRUSTED)
    as_harmed = taken_up >= harm.is_taken_up and distrusted >= harm.is_distrusted
    return Life(harm.name, as_harmed, taken_up, distrusted, waiting)


def _do(harm: Harm, folder: Path, number: int, chance: Random) -> None:
    """Keep the snapshots as they are for later harm, then harm them."""
    kept = folder / f"kept-{number}"
    shutil.copytree(folder / INDEXES, kept)
    older = folder / f"kept-{max(number - 1, 0)}"
    harm.do(snapshots(folder / INDEXES), snapshots(older), chance)
