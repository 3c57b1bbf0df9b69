"""Sums for people, from rows the ledger wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from connectors import spending
from connectors.database import open_engine
from connectors.ledger import SqlLedger
from schemas.errors import TransientError
from schemas.values import Done, Effect

CALL = Effect(
    key=UUID(int=1),
    kind="model.call",
    project="shop",
    bug_id=UUID(int=1),
    attempt=1,
    request_sha256="a" * 64,
    reserve_usd_micros=50,
    budget_usd_micros=1000,
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "ledger.sqlite")
    ledger = SqlLedger(engine)
    for key, bug, project, cost in ((1, 1, "shop", 10), (2, 1, "shop", 20), (3, 2, "bank", 40)):
        effect = replace(CALL, key=UUID(int=key), bug_id=UUID(int=bug), project=project)
        ledger.perform(effect, look=lambda: None, do=lambda cost=cost: Done({}, cost))  # type: ignore[misc]
    yield engine
    engine.dispose()


def test_sums_per_project_put_the_dearest_first(engine: Engine) -> None:
    shown = spending.per_project(engine)

    assert [(each.of, each.effects, each.charged_usd_micros) for each in shown] == [
        ("bank", 1, 40),
        ("shop", 2, 30),
    ]


def test_what_broke_off_is_shown_apart_from_what_was_settled(engine: Engine) -> None:
    def fail() -> Done:
        raise TransientError("reset")

    with pytest.raises(TransientError):
        SqlLedger(engine).perform(replace(CALL, key=UUID(int=9)), look=lambda: None, do=fail)

    shown = spending.of_bug(engine, UUID(int=1))

    assert (shown.settled_usd_micros, shown.open_usd_micros, shown.open_effects) == (30, 50, 1)


def test_a_bug_without_effects_cost_nothing(engine: Engine) -> None:
    assert spending.of_bug(engine, UUID(int=99)).charged_usd_micros == 0
