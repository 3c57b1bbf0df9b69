from __future__ import annotations

import pytest

from streams.prove_replay import Outcome, prove

ROWS: list[tuple[object, ...]] = [("a", 1), ("b", 2)]


def test_rows_are_compared_in_order_and_one_by_one() -> None:
    live = Outcome("live", {"bugs": list(ROWS)})

    assert Outcome("same", {"bugs": list(ROWS)}).differing(live) == 0
    assert Outcome("lost", {"bugs": ROWS[:1]}).differing(live) == 1
    assert Outcome("changed", {"bugs": [("a", 1), ("b", 3)]}).differing(live) == 2
    assert Outcome("disordered", {"bugs": ROWS[::-1]}).differing(live) == 1


@pytest.mark.kafka
def test_views_are_the_same_however_they_are_built_and_the_control_is_not() -> None:
    figures = prove(bugs=12, kills=2, progress=lambda done, total, what: None)

    assert figures.holds
    assert figures.control_holds
    assert figures.exit_code == 0
