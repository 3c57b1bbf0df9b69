"""The proof of the effect ledger, small."""

from __future__ import annotations

import pytest

from streams.prove_effects import Outcome, prove


@pytest.mark.kafka
def test_effects_hold_under_kills_and_the_control_does_not() -> None:
    told: list[str] = []
    figures = prove(kills=2, bugs=10, progress=lambda done, total, what: told.append(what))
    proof, control = (dict(zip(figures.columns, row, strict=True)) for row in figures.rows)

    assert figures.exit_code == 0
    assert proof["kills -9"] == 2
    assert proof["branches"] == proof["pushes"] == proof["comments"] == 10
    assert control["doubled comments"]
    assert told


def exact() -> Outcome:
    return Outcome(
        "proof",
        bugs=10,
        kills=2,
        branches=10,
        pushes=10,
        comments=10,
        model_calls=12,
        answered_usd_micros=900,
        charged_usd_micros=1_000,
        open_usd_micros=100,
    )


def test_an_exact_run_is_called_exact() -> None:
    assert exact().is_exact


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("branches", 9),
        ("pushes", 11),
        ("comments", 11),
        ("comments", 9),
        ("doubled_comments", 1),
        ("doubled_events", 1),
        ("failed", 1),
        ("model_calls", 13),
        ("charged_usd_micros", 899),
        ("charged_usd_micros", 1_001),
    ],
)
def test_each_fault_alone_breaks_the_claim(field: str, value: int) -> None:
    outcome = exact()
    setattr(outcome, field, value)

    assert not outcome.is_exact
