from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from projections.effects import WorldEffect, evolve
from schemas import bugs, rollouts
from tests.projections.given import BUG, fact, link, logged

KEY = UUID(int=3)


def effect_of(event: Any) -> WorldEffect | None:
    return evolve(None, logged([event])[0])


def test_push_is_an_effect_with_its_commit_as_receipt() -> None:
    released = fact(
        bugs.FixReleased, attempt=2, branch="b", commit="abc", remote="file:///r", trace_id=BUG
    )

    effect = effect_of(released)

    assert effect is not None
    assert (effect.kind, effect.target, effect.receipt) == ("git.push", "file:///r b", "abc")
    assert effect.attempt == 2


def test_paid_call_is_an_effect_with_its_price() -> None:
    spent = fact(bugs.BudgetSpent, attempt=1, effect_key=KEY, model="m", cost_usd_micros=7)

    effect = effect_of(spent)

    assert effect is not None
    assert (effect.kind, effect.receipt, effect.cost_usd_micros) == ("model.call", str(KEY), 7)


@pytest.mark.parametrize(
    ("model", "fields", "receipt"),
    [
        (rollouts.RolloutStarted, {"share_percent": 10}, "10 %"),
        (rollouts.RolloutHalted, {"reason": "errors"}, "halted"),
        (rollouts.RolloutCompleted, {"outcome": "live"}, "live"),
    ],
)
def test_rollout_touches_the_world(model: Any, fields: dict[str, Any], receipt: str) -> None:
    effect = effect_of(fact(model, attempt=1, rollout_id=KEY, **fields))

    assert effect is not None
    assert (effect.kind, effect.receipt) == ("rollout", receipt)


def test_asking_for_something_is_not_doing_it() -> None:
    assert effect_of(fact(bugs.LocateRequested, attempt=1, report=link("1"))) is None
