"""The effect ledger: one SQL row for each thing done to the world, so that none is done twice.

Intent with a lease -> look outside -> do -> done. Only then does the stage report the outcome to
the log; after a crash in between, the row is found and nothing is done again. Money is reserved
before it is spent: an intent that was never settled stays charged, because nobody knows.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from schemas.errors import FatalError, RefusedError, TransientError
from schemas.values import BudgetExceededError, Done, Effect, EffectOutcome

METADATA = MetaData()
EFFECTS = Table(
    "ledger_effects",
    METADATA,
    Column("key", String(36), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("project", String(64), nullable=False, index=True),
    Column("bug_id", String(36), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("request_sha256", String(64), nullable=False),
    Column("state", String(8), nullable=False),  # intent | done
    Column("tries", Integer, nullable=False),
    Column("lease_owner", String(36), nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
    # Of the try that runs now; 0 once it is settled.
    Column("reserved_usd_micros", BigInteger, nullable=False),
    # Of earlier tries that broke off: perhaps the other side charged for them.
    Column("lost_usd_micros", BigInteger, nullable=False),
    Column("cost_usd_micros", BigInteger, nullable=False),
    Column("result", Text),
    Column("started_us", BigInteger, nullable=False),
    Column("finished_us", BigInteger),
)
CHARGED = EFFECTS.c.reserved_usd_micros + EFFECTS.c.lost_usd_micros + EFFECTS.c.cost_usd_micros
"""What counts against the budget."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POLL_S_MAX = 0.5


class SqlLedger:
    """A `Ledger` in SQLite or PostgreSQL, shared by any number of threads and processes.

    Clocks of machines that share a ledger must agree within `lease_s`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        lease_s: float = 30.0,
        wait_s_max: float = 60.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_effect: Callable[[str, bool], None] = lambda _kind, _reused: None,
    ) -> None:
        """Use `engine`, making the table if it is missing.

        `wait_s_max`: how long `perform` waits for another owner. `on_effect` is told the kind and
        whether it was reused, once for each outcome returned.
        """
        self._engine = engine
        self._lease_s = lease_s
        self._wait_s_max = wait_s_max
        self._now = now
        self._on_effect = on_effect
        with self._writing(lock=0) as connection:
            METADATA.create_all(connection)

    def perform(
        self, effect: Effect, *, look: Callable[[], Done | None], do: Callable[[], Done]
    ) -> EffectOutcome:
        """Return the outcome of `effect`, doing it only if neither ledger nor world has it.

        Raises what `look` and `do` raise, `BudgetExceededError` before anything is done,
        `TransientError` when another owner holds the lease for too long, and `FatalError` when
        the key was used for another request. An intent whose `do` raised stays charged, unless
        it raised `RefusedError`, and is looked up and done again by the next call.
        """
        owner = str(uuid4())  # Of this call, not this process: two threads exclude each other too.
        claimed = self._claim_or_wait(effect, owner)
        if isinstance(claimed, EffectOutcome):
            self._on_effect(effect.kind, True)  # noqa: FBT003  # the callback's own shape
            return claimed
        with self._lease(effect, owner):
            done = look()
            found = done is not None
            if done is None:
                if claimed > 1:
                    self._reserve_again(effect)
                done = do()
        outcome = self._settle(effect, done, found=found)
        self._on_effect(effect.kind, outcome.reused)
        return outcome

    # --- the steps of perform ---

    def _claim_or_wait(self, effect: Effect, owner: str) -> EffectOutcome | int:
        """Return the outcome if there is one, else the number of the try that is now ours."""
        deadline = time.monotonic() + self._wait_s_max
        pause_s = 0.02
        while True:
            with self._writing(lock=effect.bug_id.int) as connection:
                claimed = self._claim(connection, effect, owner)
            if claimed is not None:
                return claimed
            if time.monotonic() >= deadline:
                raise TransientError(f"another worker is still busy with this {effect.kind}")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _POLL_S_MAX)

    def _claim(
        self, connection: Connection, effect: Effect, owner: str
    ) -> EffectOutcome | int | None:
        row = _row(connection, effect)
        now_us = _micros(self._now())
        if row is None:
            _check_budget(connection, effect)
            connection.execute(
                insert(EFFECTS).values(_intent(effect, owner, now_us, self._lease_s))
            )
            return 1
        if row.request_sha256 != effect.request_sha256:
            raise FatalError(f"effect {effect.key} was asked for before with another request")
        if row.state == "done":
            return _outcome(row)
        if row.lease_until_us > now_us:
            return None
        connection.execute(
            _update(effect).values(
                tries=row.tries + 1,
                lease_owner=owner,
                lease_until_us=now_us + int(self._lease_s * 1e6),
            )
        )
        return int(row.tries) + 1

    def _reserve_again(self, effect: Effect) -> None:
        """Reserve for a second try. What the broken one reserved is lost: it may have been paid."""
        with self._writing(lock=effect.bug_id.int) as connection:
            _check_budget(connection, effect)
            connection.execute(
                _update(effect).values(
                    lost_usd_micros=EFFECTS.c.lost_usd_micros + EFFECTS.c.reserved_usd_micros,
                    reserved_usd_micros=effect.reserve_usd_micros,
                )
            )

    def _settle(self, effect: Effect, done: Done, *, found: bool) -> EffectOutcome:
        with self._writing(lock=effect.bug_id.int) as connection:
            settled = connection.execute(
                # Whoever held the lease: the first to know the outcome writes it.
                _update(effect).values(
                    state="done",
                    result=json.dumps(dict(done.result)),
                    cost_usd_micros=done.cost_usd_micros,
                    reserved_usd_micros=0,
                    finished_us=_micros(self._now()),
                )
            )
            row = _row(connection, effect)
        if row is None:
            raise FatalError(f"effect {effect.key} has vanished from the ledger")
        return _outcome(row, reused=found or settled.rowcount == 0)

    @contextmanager
    def _lease(self, effect: Effect, owner: str) -> Iterator[None]:
        """Prolong the lease while the body runs. If it raises, let the next call begin at once."""
        stop = threading.Event()
        thread = threading.Thread(
            target=self._prolong, args=(effect, owner, stop), name="ledger-lease", daemon=True
        )
        thread.start()
        try:
            yield
        except RefusedError:
            self._let_go(effect, owner, reserved_usd_micros=0)
            raise
        except BaseException:
            self._let_go(effect, owner)
            raise
        finally:
            stop.set()
            thread.join()

    def _prolong(self, effect: Effect, owner: str, stop: threading.Event) -> None:
        while not stop.wait(self._lease_s / 3):
            try:
                with self._engine.begin() as connection:
                    until_us = _micros(self._now()) + int(self._lease_s * 1e6)
                    mine = _update(effect).where(EFFECTS.c.lease_owner == owner)
                    connection.execute(mine.values(lease_until_us=until_us))
            except SQLAlchemyError:
                # A busy database; two more beats fit into the lease.
                continue

    def _let_go(self, effect: Effect, owner: str, **values: int) -> None:
        try:
            with self._engine.begin() as connection:
                mine = _update(effect).where(EFFECTS.c.lease_owner == owner)
                connection.execute(mine.values(lease_until_us=0, **values))
        except SQLAlchemyError:
            # Then the lease runs out by itself; the error on its way up matters more.
            return

    @contextmanager
    def _writing(self, *, lock: int) -> Iterator[Connection]:
        """Open a transaction in which no other one claims for the same bug."""
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    # SQLite has one writer at a time anyway.
                    connection.execute(select(func.pg_advisory_xact_lock(lock % 2**63)))
                yield connection
        except OperationalError as error:
            raise TransientError("the ledger's database does not answer") from error
        except DBAPIError as error:
            raise FatalError(
                f"the ledger's database refuses: {type(error.orig).__name__}"
            ) from error


def _check_budget(connection: Connection, effect: Effect) -> None:
    if effect.budget_usd_micros is None:
        return
    query = select(func.coalesce(func.sum(CHARGED), 0)).where(
        EFFECTS.c.bug_id == str(effect.bug_id)
    )
    charged = int(connection.execute(query).scalar_one())
    left = effect.budget_usd_micros - charged
    if effect.reserve_usd_micros > left:
        raise BudgetExceededError(
            f"a {effect.kind} may cost {_usd(effect.reserve_usd_micros)}, and of"
            f" {_usd(effect.budget_usd_micros)} only {_usd(max(left, 0))} are left"
        )


def _intent(effect: Effect, owner: str, now_us: int, lease_s: float) -> dict[str, Any]:
    return {
        "key": str(effect.key),
        "kind": effect.kind,
        "project": effect.project,
        "bug_id": str(effect.bug_id),
        "attempt": effect.attempt,
        "request_sha256": effect.request_sha256,
        "state": "intent",
        "tries": 1,
        "lease_owner": owner,
        "lease_until_us": now_us + int(lease_s * 1e6),
        "reserved_usd_micros": effect.reserve_usd_micros,
        "lost_usd_micros": 0,
        "cost_usd_micros": 0,
        "started_us": now_us,
    }


def _row(connection: Connection, effect: Effect) -> Row[Any] | None:
    return connection.execute(select(EFFECTS).where(EFFECTS.c.key == str(effect.key))).one_or_none()


def _update(effect: Effect) -> Any:
    return update(EFFECTS).where(EFFECTS.c.key == str(effect.key), EFFECTS.c.state == "intent")


def _outcome(row: Row[Any], *, reused: bool = True) -> EffectOutcome:
    return EffectOutcome(
        result=json.loads(row.result),
        cost_usd_micros=row.cost_usd_micros,
        occurred_at=_time_of(row.finished_us),
        reused=reused,
    )


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _time_of(micros: int) -> datetime:
    """Return the UTC time that a `_us` column holds."""
    return _EPOCH + timedelta(microseconds=micros)


def _usd(micros: int) -> str:
    return f"${micros / 1e6:.4f}"
