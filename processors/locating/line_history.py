"""Which commits last changed the very lines of the best places: told as reasons, ranks stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from processors.locating.ranking import Ranked, Ranking
from processors.quoting import one_line

PLACES_MAX = 3
"""Functions and classes whose lines are looked up."""
TOUCHES_MAX = 2
"""Commits that are told of each."""
TITLE_CHARS_MAX = 80


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of a file, 1-based and inclusive."""

    path: str
    line_start: int
    line_end: int


@dataclass(frozen=True, slots=True)
class Touch:
    """A commit that changed some lines."""

    commit: str
    day: str
    title: str


def spans_of(ranking: Ranking) -> list[Span]:
    """Return the lines of the best places, at most `PLACES_MAX`."""
    spans = (_span(ranked) for ranked in ranking.units[:PLACES_MAX])
    return [span for span in spans if span is not None]


def remembered(
    ranking: Ranking, touched: Mapping[Span, Sequence[Touch]], *, with_titles: bool = False
) -> Ranking:
    """Return the same ranking, where each place whose lines were `touched` says by what.

    Titles are free text: they are for a terminal, not for what is kept for ever.
    """
    units = tuple(_told(each, touched, with_titles=with_titles) for each in ranking.units)
    return replace(ranking, units=units)


def _span(ranked: Ranked) -> Span | None:
    place = ranked.place
    return None if place is None else Span(ranked.path, place.line_start, place.line_end)


def _told(ranked: Ranked, touched: Mapping[Span, Sequence[Touch]], *, with_titles: bool) -> Ranked:
    span = _span(ranked)
    touches = touched.get(span, ())[:TOUCHES_MAX] if span else ()
    if not touches:
        return ranked
    said = "; ".join(_said(touch, with_titles=with_titles) for touch in touches)
    return replace(ranked, reasons=(*ranked.reasons, f"its lines last changed in {said}"))


def _said(touch: Touch, *, with_titles: bool) -> str:
    title = one_line(touch.title, chars_max=TITLE_CHARS_MAX) if with_titles else ""
    return f"{touch.commit[:10]} ({touch.day}) {title}".rstrip()
