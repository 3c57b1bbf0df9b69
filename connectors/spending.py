"""What effects cost, read from the ledger for people."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Engine, case, func, select

from connectors.database import reading
from connectors.ledger import CHARGED, EFFECTS


@dataclass(frozen=True, slots=True)
class Spending:
    """What effects cost, of one bug or one project."""

    of: str
    """Bug id or project id."""
    effects: int
    open_effects: int
    """Intents that are not settled: running, or broken off."""
    settled_usd_micros: int
    open_usd_micros: int
    """Reserved by what is running and lost to what broke off: at most this more was charged."""

    @property
    def charged_usd_micros(self) -> int:
        """Return what counts against the budget."""
        return self.settled_usd_micros + self.open_usd_micros


def per_project(engine: Engine) -> tuple[Spending, ...]:
    """Return what each project cost, most first."""
    return _spending(engine, EFFECTS.c.project)


def of_bug(engine: Engine, bug_id: UUID) -> Spending:
    """Return what one bug cost; zeros when nothing was done for it."""
    found = _spending(engine, EFFECTS.c.bug_id, EFFECTS.c.bug_id == str(bug_id))
    return found[0] if found else Spending(str(bug_id), 0, 0, 0, 0)


def _spending(engine: Engine, of: Column[str], *where: ColumnElement[bool]) -> tuple[Spending, ...]:
    charged = func.sum(CHARGED)
    query = (
        select(
            of,
            func.count(),
            func.sum(case((EFFECTS.c.state == "intent", 1), else_=0)),
            func.sum(EFFECTS.c.cost_usd_micros),
            charged - func.sum(EFFECTS.c.cost_usd_micros),
        )
        .where(*where)
        .group_by(of)
        .order_by(charged.desc(), of)
    )
    with reading(engine).begin() as connection:
        rows = connection.execute(query).all()
    # PostgreSQL sums whole numbers to decimals.
    return tuple(Spending(row[0], *(int(value) for value in row[1:])) for row in rows)
