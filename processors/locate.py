"""Say where the fault may be: trace frames inside the repository first, else shared words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from processors import evidence
from processors.attached import Attach, Reading, nothing
from processors.base import Task
from processors.lexical import NAME_BONUS, Span, enclosing, rank, spans
from processors.ports import Blobs, Checkouts
from schemas import topics
from schemas.bugs import BugLocated, LocateDeclined, LocateRequested
from schemas.errors import PoisonError
from schemas.event import Event, caused_by
from schemas.places import Location
from schemas.projects import Project
from schemas.reports import BugReport, StackTrace
from schemas.target_tests import is_test
from schemas.values import ErasedError

NAME = "locate"
LOCATIONS_MAX = 10
FILES_MAX = 5
FUNCTIONS_PER_FILE_MAX = 3
SOURCE_SUFFIXES = (".py",)


def make(
    checkouts: Checkouts,
    blobs: Blobs,
    project_of: Callable[[str], Project | None],
    attach: Attach = nothing,
) -> Task:
    """Return the stage, bound to the repositories, the blob store and what reads attachments."""

    def handle(event: Event) -> Iterator[BugLocated | LocateDeclined]:
        if isinstance(event, LocateRequested):
            yield _answer(event, checkouts, blobs, project_of(event.project), attach)

    return Task(NAME, topics.SOURCES[NAME], (LocateRequested,), handle, concurrency=2)


def _answer(
    event: LocateRequested,
    checkouts: Checkouts,
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
        files = checkouts.files(project, commit)
    except ErasedError:
        return _declined(event, "the report was erased at its author's wish")
    except PoisonError as error:
        return _declined(event, str(error))
    sources = {
        path: content.decode("utf-8", "replace")
        for path, content in files.items()
        if path.endswith(SOURCE_SUFFIXES)
    }
    found = locate(report, sources)
    traced = any("trace" in reason for place in found[:1] for reason in place.reasons)
    return BugLocated(
        **caused_by(event, NAME),
        bug_id=event.bug_id,
        attempt=event.attempt,
        base_commit=commit,
        locations=tuple(found),
        method="stack trace" if traced else "words in common" if found else "nothing fits",
    )


def _declined(event: LocateRequested, reason: str) -> LocateDeclined:
    return LocateDeclined(
        **caused_by(event, NAME), bug_id=event.bug_id, attempt=event.attempt, reason=reason
    )


def locate(report: BugReport, sources: Mapping[str, str]) -> list[Location]:
    """Return places in `sources` (path -> text), best first, at most `LOCATIONS_MAX`."""
    places: dict[tuple[str, int | None], Location] = {}
    for place in (*_from_traces(report, sources), *_from_words(report, sources)):
        places.setdefault((place.path, place.line_start), place)
    return list(places.values())[:LOCATIONS_MAX]


def _from_traces(report: BugReport, sources: Mapping[str, str]) -> Iterator[Location]:
    for trace in reversed(report.stack_traces):
        yield from _frames(trace, sources)


def _frames(trace: StackTrace, sources: Mapping[str, str]) -> Iterator[Location]:
    # The innermost frame of our own code is where it broke; callers come after it.
    depth = 0
    for frame in reversed(trace.frames):
        path = match_path(frame.path, sources)
        if path is None or frame.line is None:
            continue
        span = enclosing(spans(sources[path]), frame.line)
        yield Location(
            path=path,
            line_start=frame.line,
            line_end=frame.line,
            symbol=span.symbol if span else frame.function,
            score=1.0 / (1 + depth),
            reasons=(f"frame {depth + 1} of the {trace.exception} stack trace, from the inside",),
        )
        depth += 1


def match_path(printed: str, sources: Mapping[str, str]) -> str | None:
    """Return the file of the repository that a path printed elsewhere means, if just one fits."""
    parts = PurePosixPath(printed.replace("\\", "/")).parts
    for start in range(len(parts)):
        suffix = "/".join(parts[start:])
        if suffix in sources:
            return suffix
        fitting = [path for path in sources if path.endswith("/" + suffix)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            return None  # A longer suffix fitted none, and this one cannot tell them apart.
    return None


def _from_words(report: BugReport, sources: Mapping[str, str]) -> Iterator[Location]:
    query = f"{report.title}\n{report.title}\n{report.description}"
    code = {path: text for path, text in sources.items() if not is_test(path)}
    named = set(re.findall(r"[\w./-]{3,120}", query))
    scored = [
        (path, score + (NAME_BONUS if _named(path, named) else 0.0))
        for path, score in rank(query, code)
    ]
    scored.sort(key=lambda pair: (-pair[1], pair[0]))
    best = scored[0][1] if scored else 1.0
    for path, score in scored[:FILES_MAX]:
        yield from _functions(path, code[path], query, score / best / 2)


def _functions(path: str, text: str, query: str, weight: float) -> Iterator[Location]:
    lines = text.splitlines()
    bodies: dict[str, Span] = {span.symbol: span for span in spans(text)}
    texts = {
        symbol: "\n".join(lines[span.line_start - 1 : span.line_end])
        for symbol, span in bodies.items()
    }
    ranked = rank(query, texts)[:FUNCTIONS_PER_FILE_MAX]
    top = ranked[0][1] if ranked else 1.0
    for symbol, score in ranked:
        yield Location(
            path=path,
            line_start=bodies[symbol].line_start,
            line_end=bodies[symbol].line_end,
            symbol=symbol,
            score=round(weight * score / top, 4),
            reasons=("shares words with the report",),
        )
    if not ranked:
        yield Location(path=path, score=round(weight, 4), reasons=("shares words with the report",))


def _named(path: str, named: set[str]) -> bool:
    stem = PurePosixPath(path).name
    return stem in named or any(name.endswith(stem) for name in named if "/" in name)
