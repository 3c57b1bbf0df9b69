"""The relay: each row exactly once and in order, on the log in memory and on real Kafka."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import get_args
from uuid import uuid4

import pytest
from sqlalchemy import text

from connectors.database import open_engine
from connectors.inbox import Inbox
from schemas import topics
from schemas.codec import decode
from schemas.errors import FatalError, TransientError, UserError
from streams.clock import VirtualClock
from streams.log import FencedError, Log, MustAbortError, RetriableError, partitions_of
from streams.memory_log import MemoryLog, Operation
from streams.receiving import submit_command
from streams.relay import RECOMMIT_S, ROWS_PER_TRANSACTION_MAX, Relay
from tests.connectors.test_inbox import entry

SOURCES = (topics.RAW["http"], topics.BUGS_COMMANDS)
YOUNG_TRIES_MAX = 50


@pytest.fixture
def log(log: Log) -> Log:
    """Return the log of either back end, with the topics in it."""
    log.ensure_topics(SOURCES)
    return log


@pytest.fixture
def memory() -> MemoryLog:
    log = MemoryLog()
    log.ensure_topics(SOURCES)
    return log


@pytest.fixture
def app() -> str:
    """Return a name of its own for each test: they share one Kafka."""
    return f"t-{uuid4().hex[:8]}"


def fill(inbox: Inbox, rows: int, *, first: int = 0) -> list[str]:
    """Accept rows about a few items, and return their event ids in order."""
    return [
        str(inbox.accept(entry(f"{inbox.database_id}-{n}", item=str(n % 5))).event_id)
        for n in range(first, first + rows)
    ]


def sent(log: Log, inbox: Inbox, *sources: topics.Topic) -> dict[str, list[str]]:
    """Return the ids of this inbox's events in the log, by key, in order."""
    start = dict.fromkeys(partitions_of(*(sources or SOURCES[:1])), 0)
    own: dict[str, list[str]] = {}
    for record in log.read(start):
        if str(inbox.database_id).encode() in (record.value or b""):
            key = (record.key or b"").decode()
            own.setdefault(key, []).append(str(decode(record.value).event_id))
    return own


def by_item(ids: list[str]) -> dict[str, list[str]]:
    return {f"http:tool#{n}": ids[n::5] for n in range(5)}


def drain(relay: Relay) -> int:
    """Step until nothing waits; a broker that has only just begun may ask for patience."""
    total, young = 0, YOUNG_TRIES_MAX
    while True:
        try:
            count = relay.step()
        except RetriableError as error:
            young -= 1
            if young < 0 or "NOT_COORDINATOR" not in str(error):
                raise
            time.sleep(0.1)
            continue
        total += count
        if not count:
            return total


def test_rows_arrive_once_and_in_order_per_item(inbox: Inbox, log: Log, app: str) -> None:
    relay = Relay(inbox, log, app=app)
    ids = fill(inbox, 23)
    first = drain(relay)
    ids += fill(inbox, 7, first=23)
    second = drain(relay)
    relay.close()

    assert (first, second) == (23, 7)
    assert sent(log, inbox) == by_item(ids)
    assert inbox.waiting() == 0


def test_the_bytes_are_sent_as_they_were_kept(inbox: Inbox, memory: MemoryLog) -> None:
    fill(inbox, 1)
    drain(Relay(inbox, memory, app="t"))
    (row,) = inbox.numbered(1, 1)
    (record,) = memory.read(dict.fromkeys(partitions_of(SOURCES[0]), 0))

    assert record.value == row.event
    assert dict(record.headers)["ce_type"] == b"raw.received"


def test_commands_go_to_their_own_topic(inbox: Inbox, memory: MemoryLog) -> None:
    bug = uuid4()
    command_id = submit_command(
        inbox,
        command="approve",
        bug_id=bug,
        project="shop",
        actor="os:ann",
        note=None,
        idempotency_key="k",
    )
    drain(Relay(inbox, memory, app="t"))
    (record,) = memory.read(dict.fromkeys(partitions_of(topics.BUGS_COMMANDS), 0))

    assert record.key == str(bug).encode()
    assert decode(record.value).event_id == command_id


def test_a_new_relay_goes_on_where_the_last_one_ended(inbox: Inbox, log: Log, app: str) -> None:
    ids = fill(inbox, 10)
    drain(Relay(inbox, log, app=app))  # Never closed, as after kill -9.
    ids += fill(inbox, 10, first=10)
    again = Relay(inbox, log, app=app)

    assert drain(again) == 10
    assert sent(log, inbox) == by_item(ids)
    again.close()


def test_a_second_relay_fences_the_first(inbox: Inbox, log: Log, app: str) -> None:
    first, second = Relay(inbox, log, app=app), Relay(inbox, log, app=app)
    ids = fill(inbox, 5)
    drain(first)
    ids += fill(inbox, 5, first=5)
    drain(second)
    ids += fill(inbox, 5, first=10)
    with pytest.raises(FencedError):
        drain(first)
    drain(second)

    assert sent(log, inbox) == by_item(ids)
    second.close()


def test_more_rows_than_fit_one_transaction_are_sent_in_several(
    inbox: Inbox, memory: MemoryLog
) -> None:
    ids = fill(inbox, ROWS_PER_TRANSACTION_MAX + 5)
    relay = Relay(inbox, memory, app="t")

    assert [relay.step(), relay.step(), relay.step()] == [ROWS_PER_TRANSACTION_MAX, 5, 0]
    assert sent(memory, inbox) == by_item(ids)


ERRORS = (
    RetriableError("away"),
    FatalError("unknown outcome"),
    MustAbortError("out of order", rebalancing=False),
    MustAbortError("moved on", rebalancing=True),
)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_fails_wherever_nothing_is_lost_or_doubled(
    tmp_path: Path, memory: MemoryLog, seed: int
) -> None:
    """Faults before and after each step take effect, kills, and a full inbox, all mixed."""
    chance = random.Random(seed)
    inbox = Inbox.open(tmp_path / "inbox.sqlite")
    relay = Relay(inbox, memory, app="t")
    ids: list[str] = []
    for _ in range(60):
        ids += fill(inbox, chance.randrange(3), first=len(ids))
        operation = chance.choice([o for o in get_args(Operation) if o != "poll"])
        memory.fail(operation, chance.choice(ERRORS), after=chance.random() < 0.5)
        with suppress(TransientError, FatalError, MustAbortError):
            relay.step()
        if chance.random() < 0.2:
            relay = Relay(inbox, memory, app="t")
    memory._faults.clear()
    drain(relay)

    assert sent(memory, inbox) == {key: found for key, found in by_item(ids).items() if found}
    assert inbox.waiting() == 0
    inbox.close()


def test_it_goes_on_by_itself_after_faults(inbox: Inbox, memory: MemoryLog) -> None:
    stop = threading.Event()
    relay = Relay(inbox, memory, app="t")
    memory.fail("init", RetriableError("away"))
    memory.fail("commit", FatalError("unknown outcome"), after=True)
    ids = fill(inbox, 6)
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    for _ in range(100):
        if inbox.waiting() == 0:
            break
        stop.wait(0.1)
    stop.set()
    thread.join(10)

    assert not thread.is_alive()
    assert sent(memory, inbox) == by_item(ids)


def test_being_fenced_ends_it(inbox: Inbox, memory: MemoryLog) -> None:
    relay = Relay(inbox, memory, app="t")
    fill(inbox, 1)
    memory.fail("commit", FencedError("taken over"))

    with pytest.raises(FencedError):
        relay.run(threading.Event())


def test_a_transaction_that_outlived_its_time_is_not_another_relay(
    inbox: Inbox, memory: MemoryLog
) -> None:
    """After an outage Kafka says "fenced" to the only relay there is."""

    class Slow(VirtualClock):
        def monotonic_s(self) -> float:
            self.advance(11)
            return super().monotonic_s()

    relay = Relay(inbox, memory, app="t", clock=Slow())
    ids = fill(inbox, 5)
    memory.fail("commit", FencedError("the epoch is old"))
    with pytest.raises(FatalError, match="outlived") as caught:
        relay.step()
    drain(relay)

    assert not isinstance(caught.value, FencedError)
    assert sent(memory, inbox) == by_item(ids)


def test_the_second_mark_is_made_up_for(inbox: Inbox, memory: MemoryLog) -> None:
    fill(inbox, 5)
    drain(Relay(inbox, memory, app="t"))
    inbox.forget_relayed()
    drain(Relay(inbox, memory, app="t"))

    assert inbox.waiting() == 0


def test_the_position_is_refreshed_while_nothing_comes(inbox: Inbox, memory: MemoryLog) -> None:
    clock = VirtualClock()
    relay = Relay(inbox, memory, app="t", clock=clock)
    fill(inbox, 1)
    drain(relay)
    memory.groups["t-relay"].positions.clear()
    clock.advance(RECOMMIT_S - 1)
    drain(relay)
    early = dict(memory.groups["t-relay"].positions)
    clock.advance(2)
    drain(relay)

    assert early == {}
    assert [p.offset for p in memory.groups["t-relay"].positions.values()] == [2]


def test_it_refuses_when_kafka_lost_the_position(inbox: Inbox, memory: MemoryLog) -> None:
    fill(inbox, 3)
    drain(Relay(inbox, memory, app="t"))
    empty = MemoryLog()
    empty.ensure_topics(SOURCES)
    relay = Relay(inbox, empty, app="t")

    with pytest.raises(UserError, match="send-again"):
        relay.run(threading.Event())
    assert sent(empty, inbox) == {}


def test_it_refuses_the_position_of_another_inbox(
    inbox: Inbox, tmp_path: Path, memory: MemoryLog
) -> None:
    fill(inbox, 3)
    drain(Relay(inbox, memory, app="t"))
    other = Inbox.open(tmp_path / "other.sqlite")
    fill(other, 9)

    with pytest.raises(UserError, match=str(inbox.database_id)):
        Relay(other, memory, app="t").step()
    assert sent(memory, other) == {}
    other.close()


@pytest.mark.parametrize("rows_since", [0, 2, 9])
def test_it_refuses_an_inbox_restored_from_a_backup(
    tmp_path: Path, memory: MemoryLog, rows_since: int
) -> None:
    path, backup = tmp_path / "inbox.sqlite", tmp_path / "backup.sqlite"
    inbox = Inbox.open(path)
    fill(inbox, 3)
    engine = open_engine(path)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.connection.execute(f"VACUUM INTO '{backup}'")
    engine.dispose()
    fill(inbox, 5, first=3)
    drain(Relay(inbox, memory, app="t"))
    inbox.close()
    restored = Inbox.open(backup)
    fill(restored, rows_since, first=100)
    restored.number(100)

    with pytest.raises(UserError, match="backup"):
        Relay(restored, memory, app="t").step()
    restored.close()


def test_it_refuses_an_inbox_with_gaps(inbox: Inbox, memory: MemoryLog, tmp_path: Path) -> None:
    fill(inbox, 5)
    inbox.number(10)
    engine = open_engine(tmp_path / "inbox.sqlite")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM inbox_rows WHERE relay_seq = 3"))
    engine.dispose()

    with pytest.raises(UserError, match="gaps"):
        Relay(inbox, memory, app="t").step()
    assert sent(memory, inbox) == {}


def test_starting_over_sends_everything_again(inbox: Inbox, log: Log, app: str) -> None:
    ids = fill(inbox, 6)
    drain(Relay(inbox, log, app=app))
    relay = Relay(inbox, log, app=app)
    relay.start_over()

    assert inbox.waiting() == 6
    assert drain(relay) == 6
    assert sent(log, inbox) == by_item([*ids[:5], ids[5]]) | {
        key: found * 2 for key, found in by_item(ids).items()
    }
    relay.close()


def test_starting_over_takes_over_from_another_inbox(
    inbox: Inbox, tmp_path: Path, memory: MemoryLog
) -> None:
    fill(inbox, 3)
    drain(Relay(inbox, memory, app="t"))
    other = Inbox.open(tmp_path / "other.sqlite")
    ids = fill(other, 5)
    relay = Relay(other, memory, app="t")
    relay.start_over()
    drain(relay)

    assert sent(memory, other) == by_item(ids)
    other.close()
