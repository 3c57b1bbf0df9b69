from __future__ import annotations

from dataclasses import replace

from processors.locating.line_history import (
    PLACES_MAX,
    TITLE_CHARS_MAX,
    TOUCHES_MAX,
    Span,
    Touch,
    remembered,
    spans_of,
)
from tests.processors.locating.reports import report
from tests.processors.locating.test_ranking import ranked

TOUCH = Touch("c0ffee1234567", "2026-01-02", "Round\x1b[31m sums " + "x" * 200)


def test_the_lines_of_the_best_places_alone_are_looked_up() -> None:
    ranking = ranked(report("The refund of an invoice"))
    many = replace(ranking, units=ranking.units * PLACES_MAX)

    assert spans_of(ranking)[0] == Span("shop/pay.py", 1, 4)
    assert len(spans_of(many)) == PLACES_MAX


def test_who_last_changed_the_lines_is_a_reason_and_moves_nothing() -> None:
    ranking = ranked(report("The refund of an invoice"))
    first = spans_of(ranking)[0]
    found = remembered(ranking, {first: [TOUCH] * (TOUCHES_MAX + 1)})

    assert [each.place for each in found.units] == [each.place for each in ranking.units]
    assert found.units[0].reasons[-1] == (
        "its lines last changed in c0ffee1234 (2026-01-02); c0ffee1234 (2026-01-02)"
    )
    assert found.units[1] == ranking.units[1]
    assert remembered(ranking, {}) == ranking


def test_a_title_is_told_only_when_asked_for_and_is_cut_and_harmless() -> None:
    ranking = ranked(report("The refund of an invoice"))
    found = remembered(ranking, {spans_of(ranking)[0]: [TOUCH]}, with_titles=True)
    said = found.units[0].reasons[-1]

    assert "Round" in said
    assert "\x1b" not in said
    assert len(said) < TITLE_CHARS_MAX + 60
