"""What speaks for a place, one kind of evidence each: how much, and why in words.

Every score is between 0 and 1, so that the weights in `ranking` alone say what counts for more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from processors.locating.clues import Clues
from processors.locating.code_index import CodeIndex, Query, Scores
from processors.locating.entries import Part
from processors.locating.history import History
from processors.locating.paths import words_of
from processors.locating.words import number
from processors.repair.ranking import ochiai

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from processors.locating.failing import Spectrum
    from schemas.reports import Frame, StackTrace

WORDS = {Part.NAME: 3.0, Part.DOC: 1.0, Part.CODE: 1.0}
"""A word in a name is chosen to say what the whole is about."""
TITLE_COUNTS = 1.5
"""Of a word in the title, where title and text are looked for together."""
FRAME_FADES = 0.5
"""A frame further out is less likely where it broke: the second counts 1 / 1.5."""
NAMED_SHOWN_MAX = 3
WORDS_SHOWN_MAX = 4
CRASH_SHARE = 0.25
"""Of how suspicious a line is: that the exception of a failing test left it, half as much for each
frame above it."""
CRASH_FRAMES_MAX = 4
MODULE_SHARE = 0.7
"""What a file counts whose module the report names, beside 1 for one whose path it names."""
DEFINERS_MAX = 50
"""A name that more places define says nothing about any of them."""

_BY_PACKAGE = frozenset({".java", ".kt", ".scala", ".groovy"})

Reason = Callable[[int, int | None], str]
"""File, and unit where one is meant -> the reason in words; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of evidence for every unit and every file."""

    by_unit: NDArray[np.float64]
    by_file: NDArray[np.float64]
    reason: Reason


@dataclass(slots=True)
class _Notes:
    """Reasons as they are found, and scores that only grow."""

    index: CodeIndex
    by_unit: NDArray[np.float64] = field(init=False)
    by_file: NDArray[np.float64] = field(init=False)
    said: dict[tuple[int, int | None], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_unit = np.zeros(self.index.units)
        self.by_file = np.zeros(len(self.index.paths))

    def add(self, file: int, unit: int | None, score: float, why: str) -> None:
        """Let it count beside what was found before."""
        self.by_file[file] += score
        if unit is not None:
            self.by_unit[unit] += score
        self._say(file, unit, why)

    def raise_to(self, file: int, unit: int | None, score: float, why: str) -> None:
        """Let the most that was found count, and no more."""
        self.by_file[file] = max(self.by_file[file], score)
        if unit is not None:
            self.by_unit[unit] = max(self.by_unit[unit], score)
        self._say(file, unit, why)

    def _say(self, file: int, unit: int | None, why: str) -> None:
        for key in {(file, None), (file, unit)}:
            listed = self.said.setdefault(key, [])
            if why not in listed:
                listed.append(why)

    def signal(self, told: Callable[[Sequence[str]], str]) -> Signal:
        def reason(file: int, unit: int | None) -> str:
            found = self.said.get((file, unit), ())
            return told(found) if found else ""

        return Signal(np.minimum(self.by_unit, 1.0), np.minimum(self.by_file, 1.0), reason)


def unitary(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores divided by the highest."""
    top = float(scores.max(initial=0.0))
    return scores / top if top > 0 else scores


# --- words ---


def shared_words(index: CodeIndex, words: Mapping[str, float], clues: Clues, where: str) -> Signal:
    """Return how well code fits `words`: of a file, as a whole and its best unit by halves."""
    scores = index.scores(Query({number(word): n for word, n in words.items()}, WORDS))
    by_unit = unitary(scores.by_unit)
    by_file = (unitary(scores.by_file) + index.best_of_file(by_unit)) / 2

    def reason(file: int, unit: int | None) -> str:
        start, end = int(index.starts[file]), int(index.starts[file + 1])
        best = start + int(np.argmax(by_unit[start:end])) if unit is None else unit
        rare = _rarest(index.words_of(best), words, scores)
        shown = ", ".join(clues.spoken.get(word, word) for word in rare)
        return f"shares words with the report's {where}: {shown}" if rare else ""

    return Signal(by_unit, by_file, reason)


def _rarest(held: set[int], words: Mapping[str, float], scores: Scores) -> list[str]:
    worth = {word: scores.idf.get(number(word), 0.0) for word in words if number(word) in held}
    best = sorted(worth, key=lambda word: (-worth[word], word))
    return best[:WORDS_SHOWN_MAX]


def path_words(index: CodeIndex, words: Mapping[str, float], clues: Clues) -> Signal:
    """Return how many of the words are in a file's path, the rarer the more."""
    held = [tuple(dict.fromkeys(words_of(path))) for path in index.paths]
    holders: dict[str, int] = {}
    for each in held:
        for word in each:
            holders[word] = holders.get(word, 0) + 1
    found = [
        sum(np.log(1 + len(held) / holders[w]) * words.get(w, 0.0) for w in each) / (2 + len(each))
        for each in held
    ]

    def reason(file: int, unit: int | None) -> str:
        mine = [clues.spoken.get(word, word) for word in held[file] if word in words]
        told = bool(mine) and unit is None
        return f"its path holds words of the report: {', '.join(mine)}" if told else ""

    return Signal(np.zeros(index.units), unitary(np.array(found, dtype=np.float64)), reason)


def title_and_text(clues: Clues) -> dict[str, float]:
    """Return the words of title and text, those of the title counting for more."""
    found = dict(clues.words)
    for word in clues.title:
        found[word] = found.get(word, 0.0) + TITLE_COUNTS
    return found


def quoted(index: CodeIndex, numbers: frozenset[int], part: Part, why: str) -> Signal:
    """Return which units hold what the report quotes, the rarer the more."""
    query = Query(dict.fromkeys(numbers, 1.0), {part: 1.0}, b_unit=0.0, b_file=0.0)
    by_unit = unitary(index.scores(query).by_unit)
    by_file = index.best_of_file(by_unit)

    def reason(file: int, unit: int | None) -> str:
        return why if (by_file[file] if unit is None else by_unit[unit]) > 0 else ""

    return Signal(by_unit, by_file, reason)


# --- names and paths ---


def named(index: CodeIndex, clues: Clues) -> Signal:
    """Return what the report calls by name: each name shared among those that define it."""
    notes = _Notes(index)
    for name, weight in clues.names.items():
        units = index.by_name.get(name, ())
        if len(units) <= DEFINERS_MAX:
            for unit in units:
                notes.add(int(index.file_of[unit]), unit, weight / len(units), name)
    for name, weight in clues.dotted.items():
        for unit in _meant(index, name):
            notes.add(int(index.file_of[unit]), unit, weight, name)

    def told(names: Sequence[str]) -> str:
        shown = ", ".join(sorted(names, key=lambda n: (-len(n), n))[:NAMED_SHOWN_MAX])
        return f"the report names {shown}"

    return notes.signal(told)


def _meant(index: CodeIndex, name: str) -> Iterator[int]:
    """Yield the units that a dotted name means: `Cart.total`, or `cart.total` of a module."""
    parts = name.split(".")
    owner, last = parts[-2], parts[-1]
    for unit in index.by_name.get(last, ())[:DEFINERS_MAX]:
        path, place = index.place(unit)
        above = path.replace(".", "/").split("/")
        if f".{place.symbol}".endswith(f".{owner}.{last}") or owner in above[-3:]:
            yield unit


def pathed(index: CodeIndex, clues: Clues) -> Signal:
    """Return the files that the report names, or links to, or whose modules it names."""
    notes = _Notes(index)
    for printed, weight in clues.paths.items():
        fitting = index.by_path.fitting(printed)
        for path in fitting if len(fitting) <= DEFINERS_MAX else ():
            notes.add(index.numbers[path], None, weight / len(fitting), printed)
    for name, weight in clues.dotted.items():
        fitting = index.by_path.modules(name)
        for path in fitting if len(fitting) <= DEFINERS_MAX else ():
            notes.add(index.numbers[path], None, MODULE_SHARE * weight / len(fitting), name)
    for printed, line in clues.linked:
        linked = index.by_path.match(printed)
        if linked is not None:
            file = index.numbers[linked]
            notes.add(file, unit_at(index, file, line), 1.0, f"{linked} line {line}")
    return notes.signal(lambda names: f"the report names the file: {names[0]}")


def unit_at(index: CodeIndex, file: int, line: int | None, function: str = "") -> int | None:
    """Return the smallest unit at a line; another of that name where the line is elsewhere.

    The module where the line is in no other; None where it is beyond the file.
    """
    name = function.rpartition(".")[2]
    places = list(enumerate(index.entries[file].places))
    holding = [
        (place.line_end - place.line_start, number)
        for number, place in places
        if line is not None and place.line_start <= line <= place.line_end
    ]
    called = [
        (abs(place.line_start - (line or place.line_start)), number)
        for number, place in places
        if place.symbol and place.symbol.rpartition(".")[2] == name
    ]
    # Of two with the same lines the later one is the inner one: a module may be one function.
    here = min(holding, key=lambda sized: (sized[0], -sized[1]), default=None)
    # The line may be of another release: the function's name lasts longer.
    if called and (here is None or here[1] not in {each for _, each in called}):
        here = min(called)
    return None if here is None else int(index.starts[file]) + here[1]


# --- traces and history ---


@dataclass(frozen=True, slots=True)
class Traced:
    """A frame of a stack trace that lies in the repository."""

    file: int
    unit: int | None
    line: int | None


def traced(index: CodeIndex, traces: Sequence[StackTrace]) -> tuple[Signal, dict[int, Traced]]:
    """Return the frames that lie in the repository, the innermost first, and by unit which."""
    notes = _Notes(index)
    frames: dict[int, Traced] = {}
    for trace in reversed(traces):
        depth = 0
        for frame in reversed(trace.frames):
            found = _frame(index, frame)
            if found is None:
                continue
            depth += 1
            why = f"frame {depth} of the {trace.exception} stack trace, from the inside"
            score = 1.0 / (1 + FRAME_FADES * (depth - 1))
            notes.raise_to(found.file, found.unit, score, why)
            if found.unit is not None:
                frames.setdefault(found.unit, found)
    return notes.signal(lambda said: said[0]), frames


def _frame(index: CodeIndex, frame: Frame) -> Traced | None:
    path = index.by_path.match(_whole_path(frame)) if frame.path else None
    if path is None:
        return None
    file = index.numbers[path]
    return Traced(file, unit_at(index, file, frame.line, frame.function), frame.line)


def _whole_path(frame: Frame) -> str:
    """Return the path; of a virtual machine's frame, which prints no folders, by its package."""
    path = frame.path
    package = frame.function.split(".")[:-2]
    is_named_only = PurePosixPath(path).suffix in _BY_PACKAGE and "/" not in path
    return "/".join([*package, path]) if is_named_only else path


def failing(index: CodeIndex, spectrum: Spectrum | None) -> Signal:
    """Return what failing tests run and others do not, and where their exceptions left it."""
    by_unit = np.zeros(index.units)
    lines: dict[int, tuple[str, int]] = {}
    for path, line, score in _suspicions(spectrum) if spectrum else ():
        file = index.numbers.get(path)
        unit = None if file is None else unit_at(index, file, line)
        if unit is None or _is_run_by_imports(index, unit, line):
            continue
        if score > by_unit[unit]:
            by_unit[unit], lines[unit] = score, (path, line)

    def reason(file: int, unit: int | None) -> str:
        start, end = int(index.starts[file]), int(index.starts[file + 1])
        best = start + int(np.argmax(by_unit[start:end])) if unit is None else unit
        return _ran(spectrum, *lines[best]) if spectrum and best in lines else ""

    by_unit = unitary(by_unit)
    return Signal(by_unit, index.best_of_file(by_unit), reason)


def _ran(spectrum: Spectrum, path: str, line: int) -> str:
    failed = spectrum.lines.failed.get(path, {}).get(line, 0)
    passed = spectrum.lines.passed.get(path, {}).get(line, 0)
    tests = "failing test" if spectrum.failed == 1 else "failing tests"
    counted = f"{failed} of {spectrum.failed} {tests} and {passed} of {spectrum.passed} that pass"
    return f"runs in {counted}"


def _suspicions(spectrum: Spectrum) -> Iterator[tuple[str, int, float]]:
    """Yield path, line and suspicion: by Ochiai, and more where an exception left the code."""
    left: dict[tuple[str, int], float] = {}
    for crash in spectrum.crashes:
        for depth, frame in enumerate(reversed(crash.frames[-CRASH_FRAMES_MAX:])):
            at = (frame.path, frame.line)
            left[at] = max(left.get(at, 0.0), CRASH_SHARE / 2**depth)
    for path, lines in ochiai(spectrum.lines, max(1, spectrum.failed)).items():
        for line, score in lines.items():
            yield path, line, score * (1 - CRASH_SHARE) + left.get((path, line), 0.0)


def _is_run_by_imports(index: CodeIndex, unit: int, line: int) -> bool:
    """Tell whether the line is outside functions, or the head of one."""
    place = index.place(unit)[1]
    is_head = line == place.line_start and place.line_end > line
    return bool(index.is_module[unit]) or is_head


def past(index: CodeIndex, history: History, words: Mapping[str, float]) -> Signal:
    """Return the files that were changed by commits whose messages sound like the report."""
    found = np.zeros(len(index.paths))
    by: dict[int, str] = {}
    for score, change in history.similar({number(word): n for word, n in words.items()}):
        for path in change.paths:
            file = index.numbers.get(path)
            if file is not None:
                found[file] += score / len(change.paths)
                by.setdefault(file, change.commit)

    def reason(file: int, unit: int | None) -> str:
        if unit is not None or file not in by:
            return ""
        return f"commit {by[file][:10]}, which sounds like the report, changed it"

    return Signal(np.zeros(index.units), unitary(found), reason)
