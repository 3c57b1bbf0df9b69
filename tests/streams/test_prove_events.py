"""The proof itself, small: it holds, and its control bites."""

from __future__ import annotations

import pytest

from streams.prove_events import prove


@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_small_run_holds_and_its_control_bites() -> None:
    told: list[str] = []

    figures = prove(events=3_000, kills=3, progress=lambda _d, _t, what: told.append(what))

    run = dict(zip(figures.columns, figures.rows[0], strict=True))
    assert (run["events in"], run["normalized"], run["kills"]) == (3_000, 3_000, 3)
    assert (run["lost"], run["doubled"], run["facts wrong"]) == (0, 0, 0)
    assert run["links"] == 150
    assert figures.holds
    assert figures.control_holds
    assert figures.exit_code == 0
    assert any("killed 3" in what for what in told)
