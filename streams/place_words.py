"""Whose a place is and how far a change of it reaches, in few words for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from projections.timeline import counted
from schemas.places import Impact, Owner

_HANDS = {"human": "human", "ai": "AI", "mixed": "AI in part", "unknown": "unknown hand"}
_CUT_OFF = {"shallow": "unknown: history cut off", "unavailable": "unknown: git cannot tell"}


def whose(owner: Owner | None) -> str:
    """Return such as `AI: acme/m1`. What nothing speaks of is of unknown hand."""
    if owner is None:
        return ""
    if owner.evidence in _CUT_OFF:
        return _CUT_OFF[owner.evidence]
    return ": ".join([_HANDS[owner.hand], *owner.models[:1]])


def how_far(impact: Impact | None) -> str:
    """Return such as `3 callers, 2 by name only, 1 test, public; reach 0.41`."""
    if impact is None:
        return ""
    return f"{', '.join(_counts(impact))}; reach {impact.blast_radius:.2f}"


def _counts(impact: Impact) -> Iterator[str]:
    yield counted(impact.callers, "caller") + (" and more" if impact.is_cut else "")
    if impact.callers_by_name:
        yield f"{impact.callers_by_name} by name only"
    if impact.tests:
        yield counted(impact.tests, "test")
    if impact.is_public:
        yield "public"
