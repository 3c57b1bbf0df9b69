"""The proof of the relay, small."""

from __future__ import annotations

import pytest

from streams.prove_relay import prove


@pytest.mark.kafka
def test_the_relay_holds_and_the_control_does_not() -> None:
    told: list[str] = []
    figures = prove(kills=2, rows=300, progress=lambda done, total, what: told.append(what))
    proof, control = (dict(zip(figures.columns, row, strict=True)) for row in figures.rows)

    assert figures.exit_code == 0, figures.rows
    assert (proof["kills"], proof["broker kills"]) == (2, 1)
    assert proof["records"] == proof["rows"]
    assert control["doubled"]
    assert told
