from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine

import projections
from connectors.database import open_engine
from projections import store
from projections.bugs import BUGS
from projections.views import Filter, Views
from schemas.errors import FatalError
from schemas.event import BugScoped
from schemas.topics import BUGS_EVENTS
from streams.clock import VirtualClock
from streams.lives import lives
from streams.log import Outgoing, RetriableError, outgoing
from streams.memory_log import MemoryLog
from streams.projector import Projector, build

LIVES = list(lives(seed=3, count=12))


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog(VirtualClock())
    log.ensure_topics([BUGS_EVENTS])
    return log


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "views.sqlite")
    yield engine
    engine.dispose()


@pytest.fixture
def projector(log: MemoryLog, engine: Engine) -> Iterator[Projector]:
    projector = Projector(log, engine)
    yield projector
    projector.close()


def append(log: MemoryLog, events: Iterable[BugScoped | Outgoing]) -> None:
    producer = log.producer("test")
    producer.init()
    producer.begin()
    for event in events:
        producer.produce(event if isinstance(event, Outgoing) else outgoing(event))
    producer.commit()
    producer.close()


def drain(projector: Projector) -> int:
    total = 0
    while read := projector.step(timeout_s=0):
        total += read
    return total


def dumps(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.begin() as connection:
        return {
            projection.name: list(store.dump(connection, generation))
            for projection in projections.ALL
            if (generation := store.live(connection, projection))
        }


def test_projector_follows_the_log(log: MemoryLog, engine: Engine, projector: Projector) -> None:
    append(log, LIVES[:50])
    projector.step(timeout_s=0)
    append(log, LIVES[50:])

    assert drain(projector) == len(LIVES) - 50
    assert len(Views(engine).bugs(Filter(), limit=100)) == 12
    assert len(dumps(engine)["timeline"]) == len(LIVES)


def test_another_projector_goes_on_from_the_stored_offsets(log: MemoryLog, engine: Engine) -> None:
    append(log, LIVES[:50])
    first = Projector(log, engine)
    drain(first)
    first.close()
    append(log, LIVES[50:])
    second = Projector(log, engine)

    assert drain(second) == len(LIVES) - 50
    second.close()


def test_two_projectors_at_once_fold_every_event_once(log: MemoryLog, engine: Engine) -> None:
    pair = [Projector(log, engine, batch_records=7) for _ in range(2)]
    moved_on = 0
    for cut in range(0, len(LIVES), 40):
        append(log, LIVES[cut : cut + 40])
        for projector in pair * 12:
            try:
                projector.step(timeout_s=0)
            except store.MovedOnError:
                moved_on += 1
    twice = dumps(engine)
    for projector in pair:
        projector.close()
    build(log, engine)

    assert dumps(engine) == twice
    assert moved_on > 0


def test_rebuilt_views_are_equal_and_the_live_projector_moves_over(
    log: MemoryLog, engine: Engine, projector: Projector
) -> None:
    append(log, LIVES[:80])
    drain(projector)
    before = dumps(engine)
    told: list[tuple[int, int]] = []

    build(log, engine, batch_records=11, told=lambda done, total: told.append((done, total)))
    append(log, LIVES[80:])
    with pytest.raises(store.MovedOnError):
        projector.step(timeout_s=0)
    drain(projector)

    assert told[-1] == (80, 80)
    assert len(dumps(engine)["timeline"]) == len(LIVES)
    assert [row for row in dumps(engine)["timeline"] if row in before["timeline"]] == before[
        "timeline"
    ]


def test_views_made_by_another_fold_are_built_anew(
    log: MemoryLog, engine: Engine, projector: Projector
) -> None:
    append(log, LIVES)
    drain(projector)
    projector.close()
    with engine.begin() as connection:
        bugs = store.GENERATIONS.c.projection == BUGS.name
        connection.execute(store.GENERATIONS.update().where(bugs).values(version="another"))

    drain(projector)

    with engine.begin() as connection:
        live = store.live(connection, BUGS)
    assert live is not None
    assert live.is_current
    assert live.number == 2


def test_interrupted_build_goes_on_where_it_stopped(log: MemoryLog, engine: Engine) -> None:
    class KilledError(Exception):
        pass

    def die(done: int, total: int) -> None:
        if done >= total / 2:
            raise KilledError

    append(log, LIVES)
    with pytest.raises(KilledError):
        build(log, engine, batch_records=10, told=die)

    assert build(log, engine) < len(LIVES)
    assert len(dumps(engine)["timeline"]) == len(LIVES)


def unknown(log: MemoryLog) -> Outgoing:
    first = outgoing(LIVES[0])
    value = (first.value or b"").replace(b"bug.opened", b"bug.praised")
    return Outgoing(first.topic, first.partition, first.key, value)


def test_event_of_a_newer_program_stops_the_projector_with_the_way_out(
    log: MemoryLog, engine: Engine, projector: Projector
) -> None:
    projector.step(timeout_s=0)
    append(log, [unknown(log)])

    with pytest.raises(FatalError, match=r"bug\.praised.*upgrade this one"):
        projector.step(timeout_s=0)
    assert dumps(engine)["timeline"] == []


def test_record_that_nobody_can_ever_read_is_passed_over(
    log: MemoryLog, engine: Engine, projector: Projector
) -> None:
    first = outgoing(LIVES[0])
    append(log, [Outgoing(first.topic, first.partition, b"k", b"not json"), *LIVES])

    drain(projector)

    assert len(dumps(engine)["timeline"]) == len(LIVES)


def test_views_of_another_kafka_are_refused_until_they_are_rebuilt(
    log: MemoryLog, engine: Engine, projector: Projector
) -> None:
    append(log, LIVES)
    drain(projector)
    projector.close()
    empty = MemoryLog(VirtualClock())
    empty.ensure_topics([BUGS_EVENTS])
    other = Projector(empty, engine)

    with pytest.raises(FatalError, match="projections rebuild"):
        other.step(timeout_s=0)
    build(empty, engine)
    assert other.step(timeout_s=0) == 0
    assert dumps(engine)["timeline"] == []
    other.close()


def in_thread(work: Callable[[], None]) -> Thread:
    thread = Thread(target=work)
    thread.start()
    return thread


def test_run_waits_out_a_log_that_does_not_answer_and_ends_when_told(
    log: MemoryLog, engine: Engine, projector: Projector
) -> None:
    append(log, LIVES)
    log.fail("poll", RetriableError("no answer"))
    stop = Event()
    thread = in_thread(lambda: projector.run(stop))
    for _ in range(600):
        if len(dumps(engine).get("timeline", ()) if has_views(engine) else ()) == len(LIVES):
            break
        stop.wait(0.05)
    stop.set()
    thread.join(10)

    assert len(dumps(engine)["timeline"]) == len(LIVES)


def has_views(engine: Engine) -> bool:
    with engine.begin() as connection:
        return store.is_prepared(connection)
