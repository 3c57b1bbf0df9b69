from __future__ import annotations

from uuid import UUID

from projections.budget import BUDGET, Budget
from schemas import bugs
from tests.projections.given import BUG, fact, folded, link

OPENED = fact(bugs.BugOpened, report=link("1"))
ASKED = fact(
    bugs.FixRequested, attempt=1, report=link("1"), base_commit="c", budget_usd_micros=2_000_000
)
PAID = fact(
    bugs.BudgetSpent,
    attempt=1,
    effect_key=UUID(int=3),
    model="m",
    cost_usd_micros=400,
    tokens_in=5,
    tokens_out=2,
)


def test_calls_add_up_within_the_budget_that_was_asked_for() -> None:
    row = folded(BUDGET, [OPENED, ASKED, PAID, PAID])

    assert row == Budget(str(BUG), "shop", 2_000_000, 800, 2, 10, 4)


def test_opened_bug_has_spent_nothing() -> None:
    assert folded(BUDGET, [OPENED]) == Budget(str(BUG), "shop", 0, 0, 0, 0, 0)
