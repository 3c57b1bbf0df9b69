"""Fuse what speaks for each place: a weighted sum of few signals, every place with its reasons.

The weights are round numbers, by sense: where it broke counts most; what the report says in words
counts as much, once by its title and once by its text, or a long text would drown the title; what
it names or quotes counts less, for people name what they called, and seldom what is at fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from processors.locating import past_signals, signals
from processors.locating.clues import clues_of
from processors.locating.code_index import CodeIndex, family_of
from processors.locating.entries import Part, Place
from processors.locating.history import History
from processors.locating.paths import is_beside
from processors.locating.signals import Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from processors.locating.failing import Spectrum
    from schemas.reports import BugReport

RANKED_MAX = 30
REASONS_MAX = 4
REASON_SHARE_MIN = 0.05
"""Of its score that a signal must have given to be told as a reason."""
BESIDE = 0.6
"""What a file beside what is shipped keeps of its score."""
MINOR = 0.8
"""What a file in a minor language keeps, unless the report shows code of that language."""
FILE_COUNTS = 0.8
"""How much of a unit's score is that of its file."""


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a signal counts."""

    file: float
    unit: float


TRACED = Weight(1.5, 1.5)
FAILING = Weight(2.0, 2.0)
TITLE = Weight(1.4, 0.6)
TEXT = Weight(1.4, 0.8)
PATH_WORDS = Weight(0.5, 0.0)
NAMED = Weight(0.7, 0.3)
PATHED = Weight(0.7, 0.3)
MESSAGES = Weight(0.4, 0.2)
LINES = Weight(0.4, 0.2)
PAST = Weight(0.5, 0.0)
RECENT = Weight(0.05, 0.0)
COMPANY = Weight(0.05, 0.0)


_Weighted = tuple[tuple[Weight, Signal], ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A file or a unit with its score and what speaks for it, the strongest first."""

    path: str
    place: Place | None
    """None: the file."""
    score: float
    reasons: tuple[str, ...]
    traced_line: int | None = None
    """The line that a stack trace names in it."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Files and units, best first, at most `RANKED_MAX` each."""

    files: tuple[Ranked, ...]
    units: tuple[Ranked, ...]
    has_trace: bool
    """Whether a frame of a stack trace lies in the repository."""
    has_failing: bool = False
    """Whether a failing test runs code of the repository."""


def rank(
    report: BugReport, index: CodeIndex, history: History, spectrum: Spectrum | None = None
) -> Ranking:
    """Return where the fault of `report` may be. Same in, same out.

    `spectrum` is what failing tests ran, where they were run.
    """
    weighted, lines = _evidence(report, index, history)
    failing = signals.failing(index, spectrum)
    weighted += ((FAILING, failing),)
    beside = _beside(report, index)
    by_file = sum((weight.file * signal.by_file for weight, signal in weighted), 0.0) * beside
    if by_file.any():
        # The past alone is no reason: it only sways between files that the report leads to.
        company = past_signals.in_company(index, history, by_file)
        weighted += ((RECENT, past_signals.recent(index, history)), (COMPANY, company))
        swayed = sum((weight.file * signal.by_file for weight, signal in weighted[-2:]), 0.0)
        by_file = by_file + swayed * beside * (by_file > 0)
    own = sum((weight.unit * signal.by_unit for weight, signal in weighted), 0.0)
    by_unit = own * beside[index.file_of] + FILE_COUNTS * signals.unitary(by_file)[index.file_of]
    # What is outside functions is a place only where a trace leads to a line of it.
    traced = weighted[0][1]
    by_unit[index.is_module & (traced.by_unit == 0)] = 0.0
    return Ranking(
        files=tuple(_files(index, by_file, weighted)),
        units=tuple(_units(index, by_unit, weighted, lines)),
        has_trace=bool(traced.by_file.any()),
        has_failing=bool(failing.by_file.any()),
    )


def _beside(report: BugReport, index: CodeIndex) -> NDArray[np.float64]:
    """Return what each file keeps of its score for where it stands and what it is written in."""
    spoken = {family_of(trace.language) for trace in report.stack_traces}
    spoken |= {family_of(snippet.language) for snippet in report.snippets}
    unspoken = index.minor - spoken
    return np.array(
        [
            (BESIDE if is_beside(path) else 1.0) * (MINOR if family in unspoken else 1.0)
            for path, family in zip(index.paths, index.families, strict=True)
        ]
    )


def _evidence(
    report: BugReport, index: CodeIndex, history: History
) -> tuple[_Weighted, dict[int, int | None]]:
    """Return what speaks for the places, the traces first, and the line they name in each unit."""
    clues = clues_of(report)
    words = signals.title_and_text(clues)
    trace, frames = signals.traced(index, report.stack_traces)
    weighted = (
        (TRACED, trace),
        (TITLE, signals.shared_words(index, clues.title, clues, "title")),
        (TEXT, signals.shared_words(index, clues.words, clues, "text")),
        (PATH_WORDS, signals.path_words(index, words, clues)),
        (NAMED, signals.named(index, clues)),
        (PATHED, signals.pathed(index, clues)),
        (
            MESSAGES,
            signals.quoted(index, clues.phrases, Part.PHRASE, "holds a message the report quotes"),
        ),
        (LINES, signals.quoted(index, clues.lines, Part.LINE, "holds code the report quotes")),
        (PAST, signals.past(index, history, words)),
    )
    return weighted, {unit: frame.line for unit, frame in frames.items()}


def _files(index: CodeIndex, scores: NDArray[np.float64], weighted: _Weighted) -> Iterator[Ranked]:
    for file in _best(scores):
        shares = [
            (weight.file * float(signal.by_file[file]), signal.reason(file, None))
            for weight, signal in weighted
        ]
        score = float(scores[file])
        yield Ranked(index.paths[file], None, score, _reasons(shares, score))


def _units(
    index: CodeIndex,
    scores: NDArray[np.float64],
    weighted: _Weighted,
    lines: dict[int, int | None],
) -> Iterator[Ranked]:
    for unit in _best(scores):
        path, place = index.place(unit)
        file = int(index.file_of[unit])
        shares = [
            (weight.unit * float(signal.by_unit[unit]), signal.reason(file, unit))
            for weight, signal in weighted
        ]
        score = float(scores[unit])
        reasons = _reasons(shares, score) or ("in a file that fits the report",)
        line = lines.get(unit)
        inside = line is not None and place.line_start <= line <= place.line_end
        yield Ranked(path, place, score, reasons, line if inside else None)


def _best(scores: NDArray[np.float64]) -> Iterator[int]:
    for number in np.argsort(-scores, kind="stable")[:RANKED_MAX]:
        if scores[number] > 0:
            yield int(number)


def _reasons(shares: list[tuple[float, str]], score: float) -> tuple[str, ...]:
    told = [(share, why) for share, why in shares if why and share >= REASON_SHARE_MIN * score]
    told.sort(key=lambda pair: -pair[0])
    return tuple(why for _, why in told[:REASONS_MAX])
