"""Merges and splits through the log: two bugs on two partitions, while the fix of one is running.

Dedupe, lifecycle and the views are real; locate, fix, verify and release are played.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from connectors.database import open_engine
from processors import dedupe, lifecycle
from processors.base import StatefulProcessor, Task
from projections.views import Views
from schemas import bugs, commands, topics
from schemas.codec import decode
from schemas.errors import FatalError
from schemas.event import Event, caused_by, derived_id
from schemas.identity import BugAbsorbed, BugMerged
from schemas.lifecycle import Status
from schemas.projects import Project
from schemas.registry import partition_of
from streams.audit import replay
from streams.broker import temporary_broker
from streams.clock import VirtualClock
from streams.kafka_log import KafkaLog
from streams.log import FencedError, Log, MustAbortError, outgoing
from streams.long_tasks import LongTaskRunner
from streams.memory_log import MemoryLog, Operation
from streams.projector import Projector
from streams.runner import EARLY_RETRIES_MAX, Runner
from tests.factories import BLOB, CHECK, EPOCH, EXAMPLES, PERSON, PLACE, SEED, envelope, normalized
from tests.streams.logs import read_all, write

SHOP = Project(id="shop", git_url="file:///srv/shop.git")
WAIT_S_MAX = 20.0
QUIET_ROUNDS = 5
RESTARTS_MAX = 200
OPERATIONS: tuple[Operation, ...] = ("begin", "produce", "send_offsets", "commit")
Fields = dict[str, Any]
BASE: Fields = {"base_commit": "a" * 40}


def stateful() -> list[StatefulProcessor]:
    return [dedupe.make(), lifecycle.make([SHOP])]


def played(gate: Callable[[UUID], None] = lambda _: None) -> list[Task]:
    """Return the stages that work; fix goes through `gate` first."""

    def locate(event: Event) -> Iterable[Event]:
        assert isinstance(event, bugs.LocateRequested)
        made: Fields = {"bug_id": event.bug_id, "attempt": event.attempt, "locations": (PLACE,)}
        yield bugs.BugLocated(**caused_by(event, "locate"), **made, **BASE, method="played")

    def fix(event: Event) -> Iterable[Event]:
        assert isinstance(event, bugs.FixRequested)
        gate(event.bug_id)
        made: Fields = {
            "bug_id": event.bug_id,
            "attempt": event.attempt,
            "patch": BLOB,
            "files": (),
        }
        yield bugs.FixProposed(**caused_by(event, "fix"), **made, **BASE, proposer="played")

    def verify(event: Event) -> Iterable[Event]:
        assert isinstance(event, bugs.VerifyRequested)
        made: Fields = {"bug_id": event.bug_id, "attempt": event.attempt, "patch": BLOB}
        yield bugs.FixVerified(**caused_by(event, "verify"), **made, **BASE, checks=(CHECK,))

    def release(event: Event) -> Iterable[Event]:
        assert isinstance(event, bugs.ReleaseRequested)
        made: Fields = {"bug_id": event.bug_id, "attempt": event.attempt, "branch": "b"}
        yield bugs.FixReleased(
            **caused_by(event, "release"), **made, commit="b" * 40, remote="r", trace_id=SEED
        )

    asked: dict[str, Any] = {
        "locate": (bugs.LocateRequested, locate),
        "fix": (bugs.FixRequested, fix),
        "verify": (bugs.VerifyRequested, verify),
        "release": (bugs.ReleaseRequested, release),
    }
    return [
        Task(name, (topics.BUGS_EVENTS,), (accepts,), handle, concurrency=2)
        for name, (accepts, handle) in asked.items()
    ]


def told(log: Log) -> list[Event]:
    return [decode(record.value) for record in read_all(log, topics.BUGS_EVENTS)]


def opened_in(log: Log) -> set[UUID]:
    return {event.bug_id for event in told(log) if isinstance(event, bugs.BugOpened)}


def asked(model: Any, name: str, bug_id: UUID, **fields: Any) -> Event:
    made: Event = model(**envelope(name, bug_id=bug_id, actor=PERSON), **fields)
    return made


def report(item: str, text: str = "") -> Event:
    words = text or " ".join(f"word{item}x{n}" for n in range(30))
    made = normalized(words, item=item, title=f"title {item}" if not text else "same")
    return made.model_copy(update={"occurred_at": EPOCH + timedelta(hours=int(item))})


def bug_of(item: str) -> UUID:
    return derived_id(normalized(item=item).report.report_id, "bug")


def apart() -> tuple[str, str]:
    """Return two items whose bugs lie on different partitions, the older bug's first."""
    names = [str(n) for n in range(1, 20)]
    lies = {name: partition_of(asked(commands.RetryBug, name, bug_of(name))) for name in names}
    return next((a, b) for a in names for b in names if int(a) < int(b) and lies[a] != lies[b])


@contextmanager
def system(log: Log, folder: Path, tasks: list[Task]) -> Iterator[Callable[[], None]]:
    """Yield what runs all stages and the views until nothing happens any more."""
    engine = open_engine(folder / "views.sqlite")
    with ExitStack() as opened:
        runners = [opened.enter_context(Runner(each, log)) for each in stateful()]
        workers = [opened.enter_context(LongTaskRunner(each, log)) for each in tasks]
        projector = Projector(log, engine)
        opened.callback(engine.dispose)
        opened.callback(projector.close)

        def settle() -> None:
            quiet = 0
            while quiet < QUIET_ROUNDS:
                did = sum(each.step() for each in runners) + sum(each.step() for each in workers)
                did += projector.step(0)
                quiet = 0 if did else quiet + 1

        yield settle


def test_two_bugs_on_two_partitions_become_one_while_a_fix_is_running(tmp_path: Path) -> None:
    first, second = apart()
    older, newer = bug_of(first), bug_of(second)
    running, go_on = set[UUID](), threading.Event()

    def gate(bug_id: UUID) -> None:
        running.add(bug_id)
        assert go_on.wait(WAIT_S_MAX)

    with MemoryLog() as log, system(log, tmp_path, played(gate)) as settle:
        log.ensure_topics(topics.ALL)
        write(log, outgoing(report(first)), outgoing(report(second)))
        until(lambda: running == {older, newer}, settle)
        merge = asked(commands.MergeBugs, "merge", older, other_bug_id=newer)
        write(log, outgoing(merge))
        settle()
        assert [e.bug_id for e in told(log) if isinstance(e, BugMerged)] == [newer]
        go_on.set()
        awaited = {("fix.proposed", newer), ("bug.closed", older)}
        until(lambda: awaited <= {(e.type, e.bug_id) for e in told(log)}, settle)
        settle()

        events = told(log)
        engine = open_engine(tmp_path / "views.sqlite")
        views = Views(engine)
        shown, merged = views.find(str(older)), views.find(str(newer))
        audits = [replay(log, views, each) for each in (older, newer)]
        survivor = views.survivor(merged)
        engine.dispose()

    work = [e.type for e in events if e.bug_id == newer]
    assert "verify.requested" not in work  # What came of the cancelled work changed nothing.
    assert (shown.status, merged.status) == (Status.FIXED, Status.MERGED)
    assert {r.origin.item for r in shown.reports} == {first, second}
    assert survivor.bug_id == shown.bug_id
    fixed = [e for e in events if isinstance(e, bugs.NotifyRequested) and e.outcome == "fixed"]
    assert sorted(e.origin.item for e in fixed) == sorted([first, second])
    assert all(audit.equals_live for audit in audits)


@pytest.mark.kafka
def test_it_does_the_same_on_kafka(tmp_path: Path) -> None:
    """Dedupe reads two topics there, one of them compacted, as one group.

    Lifecycle may read the command before the bugs it is about: of two topics either comes first.
    """
    first, second = apart()
    older, newer = bug_of(first), bug_of(second)
    with temporary_broker() as broker, KafkaLog(broker.bootstrap) as log:
        log.ensure_topics(topics.ALL)
        with system(log, tmp_path, []) as settle:
            write(log, outgoing(report(first)), outgoing(report(second)))
            until(lambda: opened_in(log) == {older, newer}, settle)
            merge = asked(commands.MergeBugs, "merge", older, other_bug_id=newer)
            write(log, outgoing(merge))
            until(lambda: (BugAbsorbed, older) in {(type(e), e.bug_id) for e in told(log)}, settle)
            report_id = normalized(item=second).report.report_id
            write(log, outgoing(asked(commands.SplitReport, "s", older, report_id=report_id)))
            until(lambda: len(opened_in(log)) == 3, settle)
        links = [decode(record.value).type for record in read_all(log, topics.BUGS_LINKS)]

    assert sorted(links) == ["report.moved", "reports.joined", "reports.parted"]


def until(there: Callable[[], bool], settle: Callable[[], None]) -> None:
    for _ in range(2_000):
        if there():
            return
        settle()
    raise AssertionError("it never came")


@pytest.mark.parametrize("is_opened", [True, False])
def test_a_command_that_is_read_before_its_bug_waits_for_it(is_opened: bool) -> None:
    clock = VirtualClock()
    opened = next(e for e in EXAMPLES if isinstance(e, bugs.BugOpened))
    give_up = commands.AbandonBug(**envelope("stop", bug_id=opened.bug_id, actor=PERSON))
    with MemoryLog() as log:
        log.ensure_topics(topics.ALL)
        write(log, outgoing(give_up))
        with Runner(lifecycle.make([SHOP]), log, clock=clock) as runner:
            runner.step()
            assert told(log) == []
            if is_opened:
                write(log, outgoing(opened))
            for _ in range(EARLY_RETRIES_MAX + 1):
                runner.step()
                clock.advance(10.0)
        ends = [e.type for e in told(log) if e.type in {"bug.closed", "command.refused"}]

    assert ends == ["bug.closed" if is_opened else "command.refused"]


def test_no_reader_ever_sees_a_merge_without_its_other_half() -> None:
    first, second = apart()
    older, newer = bug_of(first), bug_of(second)
    merge = asked(commands.MergeBugs, "merge", older, other_bug_id=newer)
    with MemoryLog() as log:
        log.ensure_topics(topics.ALL)
        write(log, outgoing(report(first)), outgoing(report(second)))
        run(log)
        write(log, outgoing(merge))
        seen = [set[type[Event]]()]
        with Runner(lifecycle.make([SHOP]), log, batch_records_max=1) as runner:
            while BugAbsorbed not in seen[-1]:
                log.fail("produce", MustAbortError("moved on", rebalancing=True), after=True)
                runner.step()  # Written in part, and aborted.
                log.heal()
                seen.append({type(event) for event in told(log)} & {BugMerged, BugAbsorbed})
                runner.step()
                seen.append({type(event) for event in told(log)} & {BugMerged, BugAbsorbed})

    assert all(each in (set(), {BugMerged, BugAbsorbed}) for each in seen)


def run(log: MemoryLog, *, size: int = 2_000) -> int:
    """Run dedupe and lifecycle until nothing happens any more; return how often one died."""
    quiet, restarts = 0, 0
    while quiet < QUIET_ROUNDS:
        did = 0
        for made in stateful():
            try:
                with Runner(made, log, batch_records_max=size) as runner:
                    while handled := runner.step():
                        did += handled
            except (FatalError, FencedError):
                restarts += 1
                did += 1
                assert restarts < RESTARTS_MAX
        quiet = 0 if did else quiet + 1
    return restarts


STORY: tuple[Callable[[], Event], ...] = (
    lambda: report("1", SAME),
    lambda: report("2", SAME),
    lambda: report("3"),
    lambda: asked(commands.MergeBugs, "merge", bug_of("1"), other_bug_id=bug_of("3")),
    lambda: asked(
        commands.SplitReport, "split", bug_of("1"), report_id=normalized(item="2").report.report_id
    ),
    lambda: normalized("Edited: other words by far than it had before.", item="3", title="new"),
    lambda: normalized("Edited: also here the words are new ones, all.", item="2", title="new"),
    lambda: asked(commands.MergeBugs, "again", bug_of("3"), other_bug_id=bug_of("1")),
    lambda: report("4", SAME),
    lambda: report("5"),
    lambda: asked(commands.KeepApart, "apart", bug_of("5"), other_bug_id=bug_of("1")),
    lambda: asked(commands.KeepApart, "of one", bug_of("1"), other_bug_id=bug_of("3")),
)
SAME = "The total of an order ignores the coupon when the cart holds more than nine articles."


def lived(size: int, chance: Random | None) -> tuple[list[bytes], list[bytes], int]:
    """Return all facts and links of the story, and how often a stage died of a `chance`."""
    deaths = 0
    with MemoryLog() as log:
        log.ensure_topics(topics.ALL)
        for happens in STORY:
            write(log, outgoing(happens()))
            if chance is not None:
                for _ in range(chance.randrange(4)):
                    killed, is_late = FatalError("killed"), chance.random() < 0.5
                    log.fail(chance.choice(OPERATIONS), killed, after=is_late)
                if chance.random() < 0.5:
                    log.fail("commit", MustAbortError("moved on", rebalancing=True))
            deaths += run(log, size=size)
        found = [
            sorted(record.value or b"" for record in read_all(log, topic))
            for topic in (topics.BUGS_EVENTS, topics.BUGS_LINKS)
        ]
        return found[0], found[1], deaths


@pytest.mark.parametrize("seed", range(6))
def test_kills_and_batches_change_no_fact(seed: int) -> None:
    chance = Random(seed)  # when to kill, not a secret
    events, links, _ = lived(2_000, None)

    again_events, again_links, deaths = lived(chance.choice([1, 2, 7]), chance)

    assert deaths > 0
    assert (again_events, again_links) == (events, links)


def test_the_story_holds_a_merge_a_split_a_keeping_apart_and_edits_that_find_their_bugs() -> None:
    events, links, _ = lived(1, None)
    types = [decode(value).type for value in events]

    assert types.count("bug.merged") == 1
    assert types.count("bug.opened") == 4  # Three by reports, one by the split.
    assert types.count("bug.kept_apart") == 2
    assert types.count("command.refused") == 2  # The second merge, and what is one bug already.
    assert types.count("report.updated") == 2
    assert sorted(decode(value).type for value in links) == [
        "report.moved",
        "reports.joined",
        "reports.parted",
        "reports.parted",
    ]
