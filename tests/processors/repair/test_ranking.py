from __future__ import annotations

import math

import pytest

from processors.repair.harness import Crash, CrashFrame, Lines
from processors.repair.ranking import ochiai, rank
from processors.repair.source import Source
from schemas.places import Location

TEXT = """RATE = 3


def price(n, m=[]):
    a = n + 1
    b = n * RATE
    return a + b


def other():
    return 1
"""
SOURCES = {"shop.py": Source("shop.py", TEXT)}


def _lines(suspects: list[object]) -> list[int]:
    return [suspect.statement.lineno for suspect in suspects]  # type: ignore[attr-defined]


def test_ochiai_is_failed_over_the_root_of_all_failed_times_executed() -> None:
    lines = Lines(failed={"shop.py": {5: 2, 6: 1}}, passed={"shop.py": {5: 6}})

    scores = ochiai(lines, failed_total=2)

    assert scores == {
        "shop.py": {5: pytest.approx(2 / math.sqrt(16)), 6: pytest.approx(1 / 2**0.5)}
    }


def test_line_that_only_failing_tests_run_comes_first_and_unexecuted_ones_never() -> None:
    scores = {"shop.py": {5: 0.4, 6: 0.9, 7: 0.4}}

    ranked = rank(SOURCES, scores=scores, crashes=())

    assert _lines(list(ranked))[0] == 6
    assert 11 not in _lines(list(ranked))


def test_def_line_and_constant_that_a_suspicious_line_uses_are_suspicious_too() -> None:
    ranked = rank(SOURCES, scores={"shop.py": {6: 0.9}}, crashes=())

    assert _lines(list(ranked)) == [6, 1, 4]


def test_deepest_project_frame_of_the_traceback_weighs_most() -> None:
    frames = (
        CrashFrame("tests/test_shop.py", 3, "test", {}),
        CrashFrame("shop.py", 7, "price", {}),
        CrashFrame("shop.py", 5, "price", {}),
    )
    crash = Crash("TypeError", "no", frames)

    ranked = rank(SOURCES, scores={"shop.py": {5: 0.5, 6: 0.5, 7: 0.5}}, crashes=(crash,))

    assert _lines(list(ranked))[:3] == [5, 7, 6]
    assert ranked[0].crash is crash
    assert next(s for s in ranked if s.statement.lineno == 6).crash is None


def test_locate_breaks_ties() -> None:
    there = Location(path="shop.py", line_start=7, line_end=7, score=1.0, reasons=())

    ranked = rank(SOURCES, scores={"shop.py": {5: 0.5, 7: 0.5}}, crashes=(), locations=(there,))

    assert _lines(list(ranked))[0] == 7


def test_locate_alone_serves_where_nothing_could_be_traced() -> None:
    there = Location(path="shop.py", line_start=5, line_end=6, score=1.0, reasons=())

    ranked = rank(SOURCES, scores={}, crashes=(), locations=(there,))

    assert {5, 6} <= set(_lines(list(ranked)))
