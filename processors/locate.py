"""Say where the fault may be: the stage around `locating`, which ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from processors import evidence
from processors.attached import Attach, Reading, nothing
from processors.base import Task
from processors.locating.call_graph import CallGraph
from processors.locating.failing import Spectrum
from processors.locating.impact import impact_of
from processors.locating.line_history import remembered, spans_of
from processors.locating.names import Node
from processors.locating.ranking import Ranked, Ranking, rank
from processors.ports import Blobs, Checkouts, LineHistory, Ownership, Spectra, SymbolIndex
from schemas import topics
from schemas.bugs import BugLocated, LocateDeclined, LocateRequested
from schemas.errors import PoisonError
from schemas.event import EVENT_BYTES_MAX, BlobRef, Event, caused_by, subject_id
from schemas.places import Location, OwnedPlace, Person
from schemas.projects import Project
from schemas.reports import BugReport, Trust
from schemas.values import ErasedError

NAME = "locate"
LOCATIONS_MAX = 10
FILES_MAX = 5
LOCATED_BYTES_MAX = EVENT_BYTES_MAX * 3 // 4
"""Names of code have no limit: what would not fit goes without owners and impact."""


@dataclass(frozen=True, slots=True)
class _Parts:
    checkouts: Checkouts
    symbols: SymbolIndex
    ownership: Ownership
    blobs: Blobs
    attach: Attach
    lines: LineHistory | None
    spectra: Spectra | None


def make(
    checkouts: Checkouts,
    symbols: SymbolIndex,
    ownership: Ownership,
    blobs: Blobs,
    project_of: Callable[[str], Project | None],
    attach: Attach = nothing,
    *,
    lines: LineHistory | None = None,
    spectra: Spectra | None = None,
) -> Task:
    """Return the stage, bound to the repositories, what is known of their code, and the rest.

    Without `lines` no place says what last changed it, without `spectra` no test is run.
    """
    parts = _Parts(checkouts, symbols, ownership, blobs, attach, lines, spectra)

    def handle(event: Event) -> Iterator[BugLocated | LocateDeclined]:
        if isinstance(event, LocateRequested):
            yield _answer(event, parts, project_of(event.project))

    return Task(NAME, topics.SOURCES[NAME], (LocateRequested,), handle, concurrency=2)


def _answer(
    event: LocateRequested, parts: _Parts, project: Project | None
) -> BugLocated | LocateDeclined:
    if project is None or not project.git_url:
        reason = f"project {event.project!r} has no git_url in the settings"
        return _declined(event, reason)
    try:
        report = evidence.read(parts.blobs, event.report, event.others)
        report = parts.attach(report, Reading(event.project, event.bug_id, event.attempt))
        commit = parts.checkouts.base_commit(project)
        ranking = _ranked(event, parts, project, commit, report)
        calls = parts.symbols.calls(project, commit)
    except ErasedError:
        return _declined(event, "the report was erased at its author's wish")
    except PoisonError as error:
        return _declined(event, str(error))
    places = with_impact(locations_of(ranking), calls)
    owned = parts.ownership.of(project, commit, places)
    located = BugLocated(
        **caused_by(event, NAME),
        bug_id=event.bug_id,
        attempt=event.attempt,
        base_commit=commit,
        locations=tuple(_with_owners(places, owned, parts.blobs)),
        method=_method(ranking, places),
    )
    if len(located.model_dump_json().encode()) <= LOCATED_BYTES_MAX:
        return located
    return located.model_copy(update={"locations": tuple(place.bare() for place in places)})


def _ranked(
    event: LocateRequested, parts: _Parts, project: Project, commit: str, report: BugReport
) -> Ranking:
    code, history = parts.symbols.at(project, commit)
    ranking = rank(report, code, history)
    if parts.spectra is not None and project.locate_runs_tests and _may_run(event):
        found = parts.spectra.of(project, commit, report, locations_of(ranking))
        if isinstance(found, Spectrum):
            ranking = rank(report, code, history, found)
    if parts.lines is not None:
        ranking = remembered(ranking, parts.lines.touched(project, commit, spans_of(ranking)))
    return ranking


def _may_run(event: LocateRequested) -> bool:
    """Tell whether a member reported it: what others write runs only once a person approved."""
    return event.report.trust is Trust.MEMBER or bool(event.others)


def _method(ranking: Ranking, places: Sequence[Location]) -> str:
    if not places:
        return "nothing fits"
    if ranking.has_failing:
        return "failing tests"
    return "stack trace" if ranking.has_trace else "words in common"


def _declined(event: LocateRequested, reason: str) -> LocateDeclined:
    return LocateDeclined(
        **caused_by(event, NAME), bug_id=event.bug_id, attempt=event.attempt, reason=reason
    )


def locations_of(ranking: Ranking) -> list[Location]:
    """Return the best units as places to look at, at most `LOCATIONS_MAX`, best first.

    Files among the first `FILES_MAX` of which no unit is among those come last, as a whole.
    """
    units = [location(ranked) for ranked in ranking.units]
    held = {place.path for place in units[: LOCATIONS_MAX - FILES_MAX]}
    files = [location(r) for r in ranking.files[:FILES_MAX] if r.path not in held]
    kept = units[: LOCATIONS_MAX - len(files)]
    known = {place.path for place in kept}
    return [*kept, *(place for place in files if place.path not in known)]


def with_impact(places: Sequence[Location], calls: CallGraph) -> list[Location]:
    """Return the places, each function and class among them with how far a change reaches."""
    return [
        place.model_copy(update={"impact": impact_of(calls, Node(place.path, place.symbol))})
        if place.symbol
        else place
        for place in places
    ]


def _with_owners(
    places: Sequence[Location], owned: Sequence[OwnedPlace], blobs: Blobs
) -> Iterator[Location]:
    """Yield the places with their owners. People become blobs, each of its own subject."""

    def kept(person: Person) -> BlobRef:
        content = person.model_dump_json().encode()
        by_git = f"email:{person.mail}" if person.mail else f"git:{person.name}"
        subject = subject_id(person.account or by_git)
        return blobs.put(content, media_type="application/json", subject=subject)

    for number, place in enumerate(places):
        if number >= len(owned):
            yield place
            continue
        found = owned[number]
        people = {
            "people": tuple(kept(person) for person in found.people),
            "reviewer": kept(found.reviewer) if found.reviewer else None,
        }
        yield place.model_copy(update={"owner": found.owner.model_copy(update=people)})


def location(ranked: Ranked) -> Location:
    """Return the place: the line that a trace names, else the whole unit or file."""
    place, line = ranked.place, ranked.traced_line
    return Location(
        path=ranked.path,
        line_start=line or (place.line_start if place else None),
        line_end=line or (place.line_end if place else None),
        symbol=place.symbol if place else "",
        score=round(ranked.score, 4),
        reasons=ranked.reasons,
    )
