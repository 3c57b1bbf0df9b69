"""The benchmark runs all of them for real, and its verdict follows from its figures."""

from __future__ import annotations

import time

import pytest

from streams import bench_throughput
from streams.bench_throughput import CONTENDERS, _figures, bench


@pytest.mark.parametrize(
    ("stage", "bare", "faust", "holds"),
    [(8000, 10_000, 1000, True), (7900, 10_000, 900, False), (8000, 10_000, 1001, False)],
)
def test_it_holds_by_both_ratios(stage: int, bare: int, faust: int, holds: bool) -> None:
    rates = {
        "stage": [1.0, stage, 9e9],
        "bare": [bare] * 3,
        "faust": [faust] * 3,
        "faust-tuned": [2 * faust] * 3,
    }

    figures = _figures(rates, records=1, rounds=3)

    assert figures.holds is holds
    assert figures.exit_code == (0 if holds else 1)
    assert figures.rows[0][1] == stage  # The median, not the mean.


@pytest.mark.kafka
def test_all_of_them_turn_every_record_into_one() -> None:
    told: list[str] = []

    figures = bench(records=600, rounds=1, progress=lambda done, total, what: told.append(what))

    rates = figures.detail["rates"]
    assert set(rates) == set(CONTENDERS)
    assert all(len(found) == 1 and found[0] > 0 for found in rates.values())
    assert told[1:] == [*(f"{name}, round 1" for name in CONTENDERS), "done"]


def test_a_contender_that_fails_is_told_with_its_words() -> None:
    with bench_throughput._running("nonsense", "127.0.0.1:9", "group") as failure:
        while (words := failure()) is None:
            time.sleep(0.05)

    assert "KeyError: 'nonsense'" in words
