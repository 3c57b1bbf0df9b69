"""Say where the fault may be: the stage around `locating`, which ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from processors import evidence
from processors.attached import Attach, Reading, nothing
from processors.base import Task
from processors.locating.ranking import Ranked, Ranking, rank
from processors.ports import Blobs, Checkouts, SymbolIndex
from schemas import topics
from schemas.bugs import BugLocated, LocateDeclined, LocateRequested
from schemas.errors import PoisonError
from schemas.event import Event, caused_by
from schemas.places import Location
from schemas.projects import Project
from schemas.values import ErasedError

NAME = "locate"
LOCATIONS_MAX = 10
FILES_MAX = 5


def make(
    checkouts: Checkouts,
    symbols: SymbolIndex,
    blobs: Blobs,
    project_of: Callable[[str], Project | None],
    attach: Attach = nothing,
) -> Task:
    """Return the stage, bound to the repositories, what is known of their code, and the rest."""

    def handle(event: Event) -> Iterator[BugLocated | LocateDeclined]:
        if isinstance(event, LocateRequested):
            yield _answer(event, checkouts, symbols, blobs, project_of(event.project), attach)

    return Task(NAME, topics.SOURCES[NAME], (LocateRequested,), handle, concurrency=2)


def _answer(
    event: LocateRequested,
    checkouts: Checkouts,
    symbols: SymbolIndex,
    blobs: Blobs,
    project: Project | None,
    attach: Attach,
) -> BugLocated | LocateDeclined:
    if project is None or not project.git_url:
        reason = f"project {event.project!r} has no git_url in the settings"
        return _declined(event, reason)
    try:
        report = evidence.read(blobs, event.report, event.others)
        report = attach(report, Reading(event.project, event.bug_id, event.attempt))
        commit = checkouts.base_commit(project)
        code, history = symbols.at(project, commit)
    except ErasedError:
        return _declined(event, "the report was erased at its author's wish")
    except PoisonError as error:
        return _declined(event, str(error))
    places = locations_of(ranking := rank(report, code, history))
    return BugLocated(
        **caused_by(event, NAME),
        bug_id=event.bug_id,
        attempt=event.attempt,
        base_commit=commit,
        locations=tuple(places),
        method=_method(ranking, places),
    )


def _method(ranking: Ranking, places: Sequence[Location]) -> str:
    if not places:
        return "nothing fits"
    return "stack trace" if ranking.has_trace else "words in common"


def _declined(event: LocateRequested, reason: str) -> LocateDeclined:
    return LocateDeclined(
        **caused_by(event, NAME), bug_id=event.bug_id, attempt=event.attempt, reason=reason
    )


def locations_of(ranking: Ranking) -> list[Location]:
    """Return the best units as places to look at, at most `LOCATIONS_MAX`, best first.

    Files among the first `FILES_MAX` of which no unit is among those come last, as a whole.
    """
    units = [_location(ranked) for ranked in ranking.units]
    held = {place.path for place in units[: LOCATIONS_MAX - FILES_MAX]}
    files = [_location(r) for r in ranking.files[:FILES_MAX] if r.path not in held]
    kept = units[: LOCATIONS_MAX - len(files)]
    known = {place.path for place in kept}
    return [*kept, *(place for place in files if place.path not in known)]


def _location(ranked: Ranked) -> Location:
    place, line = ranked.place, ranked.traced_line
    return Location(
        path=ranked.path,
        line_start=line or (place.line_start if place else None),
        line_end=line or (place.line_end if place else None),
        symbol=place.symbol if place else "",
        score=round(ranked.score, 4),
        reasons=ranked.reasons,
    )
