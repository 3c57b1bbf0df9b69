"""At most once to the eye of the world, whatever crashes; and never more money than allowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from connectors import spending
from connectors.database import open_engine
from connectors.ledger import SqlLedger
from processors.ports import Ledger
from schemas.errors import FatalError, RefusedError, TransientError
from schemas.values import BudgetExceededError, Done, Effect

BUG = UUID(int=7)
PUSH = Effect(
    key=UUID(int=1),
    kind="git.push",
    project="shop",
    bug_id=BUG,
    attempt=1,
    request_sha256="a" * 64,
)
CALL = replace(PUSH, kind="model.call", reserve_usd_micros=400, budget_usd_micros=1000)


class World:
    """Something outside that counts what is done to it, and can be asked for it."""

    def __init__(self, *, visible: bool = True) -> None:
        self.done = 0
        self.looked = 0
        self._visible = visible

    def look(self) -> Done | None:
        self.looked += 1
        return Done({"number": self.done}) if self._visible and self.done else None

    def do(self) -> Done:
        self.done += 1
        return Done({"number": self.done}, cost_usd_micros=100)

    def do_and_lose_the_answer(self) -> Done:
        self.do()
        raise TransientError("connection reset")


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "ledger.sqlite")
    yield engine
    engine.dispose()


def crash(ledger: SqlLedger, effect: Effect, do: Callable[[], Done]) -> None:
    """Do as a killed process does: the row is left as an intent under a lease."""

    def claim_only() -> Done | None:
        do()
        raise SystemExit

    ledger._let_go = lambda *_args, **_values: None  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        ledger.perform(effect, look=claim_only, do=do)


def test_an_effect_is_done_once_and_its_outcome_comes_back_for_ever(engine: Engine) -> None:
    clock, world = Clock(), World()
    ledger: Ledger = SqlLedger(engine, now=clock)
    first = ledger.perform(PUSH, look=world.look, do=world.do)
    clock.forward(86_400)

    again = SqlLedger(engine, now=clock).perform(PUSH, look=world.look, do=world.do)

    assert world.done == 1
    assert (first.reused, again.reused) == (False, True)
    assert (again.result, again.cost_usd_micros) == ({"number": 1}, 100)
    assert again.occurred_at == first.occurred_at == datetime(2026, 11, 22, tzinfo=UTC)


def test_after_a_crash_the_world_is_asked_before_anything_is_done_again(engine: Engine) -> None:
    clock, world = Clock(), World()
    crash(SqlLedger(engine, now=clock), PUSH, world.do)
    clock.forward(31)

    outcome = SqlLedger(engine, now=clock).perform(PUSH, look=world.look, do=world.do)

    assert world.done == 1
    assert outcome.reused


def test_even_a_new_intent_asks_the_world_since_a_ledger_may_come_from_a_backup(
    engine: Engine,
) -> None:
    world = World()
    world.do()

    SqlLedger(engine).perform(PUSH, look=world.look, do=world.do)

    assert world.done == 1


def test_a_lost_answer_is_looked_up_at_once_by_the_next_try(engine: Engine) -> None:
    ledger, world = SqlLedger(engine), World()
    with pytest.raises(TransientError):
        ledger.perform(PUSH, look=lambda: None, do=world.do_and_lose_the_answer)

    outcome = ledger.perform(PUSH, look=world.look, do=world.do)

    assert (world.done, outcome.reused) == (1, True)


def test_another_owner_is_waited_for_and_its_outcome_used(engine: Engine) -> None:
    started, go_on = threading.Event(), threading.Event()
    world = World()

    def slow() -> Done:
        started.set()
        go_on.wait(10)
        return world.do()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(SqlLedger(engine).perform, PUSH, look=world.look, do=slow)
        started.wait(10)
        second = pool.submit(SqlLedger(engine).perform, PUSH, look=world.look, do=world.do)
        time.sleep(0.1)
        assert not second.done()
        go_on.set()

        assert (first.result(10).reused, second.result(10).reused) == (False, True)
    assert world.done == 1


def test_waiting_for_another_owner_has_an_end(engine: Engine) -> None:
    clock, world = Clock(), World()
    crash(SqlLedger(engine, now=clock), PUSH, lambda: Done({}))

    with pytest.raises(TransientError, match="busy"):
        SqlLedger(engine, now=clock, wait_s_max=0.05).perform(PUSH, look=world.look, do=world.do)

    assert world.done == 0


def test_the_lease_is_prolonged_while_the_effect_takes_long(engine: Engine) -> None:
    world = World()
    started = threading.Event()

    def slow() -> Done:
        started.set()
        time.sleep(1.0)
        return world.do()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(SqlLedger(engine, lease_s=0.3).perform, PUSH, look=world.look, do=slow)
        started.wait(10)
        second = SqlLedger(engine, lease_s=0.3).perform(PUSH, look=world.look, do=world.do)
        assert not first.result(10).reused

    assert second.reused
    assert world.done == 1


def test_of_two_that_settle_the_first_is_believed(engine: Engine) -> None:
    """A process frozen past its lease wakes up after another one took over."""
    clock = Clock()
    late = SqlLedger(engine, now=clock)

    def freeze() -> Done:
        clock.forward(31)
        SqlLedger(engine, now=clock).perform(PUSH, look=lambda: None, do=lambda: Done({"by": "b"}))
        return Done({"by": "a"})

    outcome = late.perform(PUSH, look=lambda: None, do=freeze)

    assert outcome.result == {"by": "b"}
    assert outcome.reused


def test_the_same_key_with_another_request_stops_the_process(engine: Engine) -> None:
    ledger, world = SqlLedger(engine), World()
    ledger.perform(PUSH, look=world.look, do=world.do)

    with pytest.raises(FatalError, match="another request"):
        ledger.perform(replace(PUSH, request_sha256="b" * 64), look=world.look, do=world.do)


def test_many_threads_and_one_effect_do_it_once(engine: Engine) -> None:
    world = World(visible=False)
    ledger = SqlLedger(engine)

    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(ledger.perform, PUSH, look=world.look, do=world.do) for _ in range(8)]
        outcomes = [each.result(30) for each in tries]

    assert world.done == 1
    assert sum(not outcome.reused for outcome in outcomes) == 1


# --- money ---


def call(number: int, **changes: int) -> Effect:
    return replace(CALL, key=UUID(int=number), **changes)  # type: ignore[arg-type]


def test_what_does_not_fit_into_the_budget_is_refused_before_it_is_done(engine: Engine) -> None:
    ledger, world = SqlLedger(engine), World(visible=False)
    for number in range(1, 8):  # 100 each when settled; the seventh still fits: 600 + 400.
        ledger.perform(call(number), look=world.look, do=world.do)

    with pytest.raises(BudgetExceededError, match=r"\$0\.0004.*\$0\.0010.*\$0\.0003 are left"):
        ledger.perform(call(8), look=world.look, do=world.do)

    assert world.done == 7
    assert spending.of_bug(engine, BUG).charged_usd_micros == 700


def test_a_paid_answer_is_reused_even_when_the_budget_is_spent(engine: Engine) -> None:
    ledger, world = SqlLedger(engine), World(visible=False)
    ledger.perform(call(1), look=world.look, do=world.do)

    outcome = ledger.perform(call(1, budget_usd_micros=0), look=world.look, do=world.do)

    assert outcome.reused


def test_calls_at_the_same_time_cannot_both_take_the_last_money(engine: Engine) -> None:
    ledger = SqlLedger(engine)
    barrier = threading.Barrier(2, timeout=10)

    def together() -> Done:
        barrier.wait()  # Both of those that got through hold their reservation here.
        return Done({}, cost_usd_micros=400)

    def perform(number: int) -> bool:
        try:
            ledger.perform(call(number), look=lambda: None, do=together)
        except BudgetExceededError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        through = list(pool.map(perform, range(1, 7)))

    assert sum(through) == 2
    assert spending.of_bug(engine, BUG).charged_usd_micros == 800


def test_a_call_that_broke_off_stays_charged_and_the_next_try_reserves_again(
    engine: Engine,
) -> None:
    ledger, world = SqlLedger(engine), World(visible=False)
    with pytest.raises(TransientError):
        ledger.perform(CALL, look=world.look, do=world.do_and_lose_the_answer)
    after_one = spending.of_bug(engine, BUG)

    outcome = ledger.perform(CALL, look=world.look, do=world.do)

    assert after_one.charged_usd_micros == 400
    assert after_one.open_effects == 1
    assert outcome.cost_usd_micros == 100
    assert spending.of_bug(engine, BUG).charged_usd_micros == 500
    assert spending.of_bug(engine, BUG).open_usd_micros == 400


def test_broken_calls_cannot_spend_more_than_the_budget(engine: Engine) -> None:
    ledger, world = SqlLedger(engine), World(visible=False)
    for _ in range(2):
        with pytest.raises(TransientError):
            ledger.perform(CALL, look=world.look, do=world.do_and_lose_the_answer)

    with pytest.raises(BudgetExceededError):
        ledger.perform(CALL, look=world.look, do=world.do_and_lose_the_answer)

    assert world.done == 2


def test_a_refusal_before_anything_was_done_gives_the_money_back(engine: Engine) -> None:
    ledger, world = SqlLedger(engine), World(visible=False)

    def overloaded() -> Done:
        raise RefusedError("overloaded")

    for _ in range(5):
        with pytest.raises(RefusedError):
            ledger.perform(CALL, look=world.look, do=overloaded)
    assert spending.of_bug(engine, BUG).charged_usd_micros == 0

    ledger.perform(CALL, look=world.look, do=world.do)

    assert spending.of_bug(engine, BUG).charged_usd_micros == 100


def test_other_bugs_have_their_own_budget(engine: Engine) -> None:
    ledger, world = SqlLedger(engine), World(visible=False)
    for bug in range(10):
        effect = replace(call(bug + 1), bug_id=UUID(int=bug))
        ledger.perform(effect, look=world.look, do=world.do)

    assert world.done == 10


def test_each_outcome_is_counted_once(engine: Engine) -> None:
    counted: list[tuple[str, bool]] = []
    ledger = SqlLedger(engine, on_effect=lambda kind, reused: counted.append((kind, reused)))
    world = World()

    for _ in range(2):
        ledger.perform(PUSH, look=world.look, do=world.do)

    assert counted == [("git.push", False), ("git.push", True)]
