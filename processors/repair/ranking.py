"""Which statements to edit first: Ochiai over the tests, joined with the traceback and locate."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from processors.repair.harness import Crash, Lines
from processors.repair.source import FunctionNode, Source, own_expressions
from schemas.places import Location
from schemas.target_tests import is_test

CRASH_WEIGHT = 0.5
"""What the deepest project frame of the failing test adds; half as much for each frame above it."""
LOCATION_WEIGHT = 0.3
HEADER_SHARE = 0.45
"""Of the most suspicious line of a function, for its own `def` line, run before any test."""
DEFINITION_SHARE = 0.6
"""Of the most suspicious line that uses it, for a definition at the level of the module."""
STATEMENTS_MAX = 150
LOCATION_LINES_MAX = 80


@dataclass(frozen=True, slots=True)
class Suspect:
    """A statement and how suspicious it is; `crash` when the failing test's exception left here."""

    source: Source
    statement: ast.stmt
    score: float
    crash: Crash | None = None


def ochiai(lines: Lines, failed_total: int) -> dict[str, dict[int, float]]:
    """Return path -> line -> suspicion in 0..1, for the lines that failing tests executed.

    Ochiai's coefficient, found best for this by Abreu, Zoeteman and van Gemund (2006).
    """
    scores: dict[str, dict[int, float]] = {}
    for path, counts in lines.failed.items():
        passed = lines.passed.get(path, {})
        scores[path] = {
            line: failed / math.sqrt(failed_total * (failed + passed.get(line, 0)))
            for line, failed in counts.items()
        }
    return scores


def rank(
    sources: Mapping[str, Source],
    *,
    scores: Mapping[str, Mapping[int, float]],
    crashes: Sequence[Crash],
    locations: Sequence[Location] = (),
) -> list[Suspect]:
    """Return the suspicious statements of `sources`, most suspicious first."""
    ranked: list[Suspect] = []
    for path, source in sources.items():
        weights = dict(scores.get(path, {}))
        at_crash = _add_crashes(weights, path, crashes)
        _add_locations(weights, path, locations, scored=bool(scores))
        ranked += _statements(source, weights, at_crash)
    ranked.sort(key=lambda suspect: -suspect.score)
    return ranked[:STATEMENTS_MAX]


def _add_crashes(
    weights: dict[int, float], path: str, crashes: Sequence[Crash]
) -> dict[int, Crash]:
    at_crash: dict[int, Crash] = {}
    for crash in crashes:
        ours = [frame for frame in crash.frames if not is_test(frame.path)]
        for depth, frame in enumerate(reversed(ours[-4:])):
            if frame.path != path:
                continue
            weight = CRASH_WEIGHT / 2**depth / len(crashes)
            weights[frame.line] = weights.get(frame.line, 0.0) + weight
            if depth <= 1:
                at_crash.setdefault(frame.line, crash)
    return at_crash


def _add_locations(
    weights: dict[int, float], path: str, locations: Sequence[Location], *, scored: bool
) -> None:
    for position, location in enumerate(locations):
        if location.path != path:
            continue
        bonus = LOCATION_WEIGHT / (1 + position)
        start, end = location.line_start, location.line_end or location.line_start
        inside = [line for line in weights if start is None or start <= line <= (end or start)]
        if start is not None and not scored:  # Nothing was traced: what locate says must do.
            inside = list(range(start, min(end or start, start + LOCATION_LINES_MAX) + 1))
        for line in inside:
            weights[line] = weights.get(line, 0.0) + bonus


def _statements(
    source: Source, weights: Mapping[int, float], at_crash: Mapping[int, Crash]
) -> list[Suspect]:
    best: dict[ast.stmt, float] = {}
    crash_of: dict[ast.stmt, Crash] = {}
    owner = _owners(source)
    for line, weight in weights.items():
        statement = owner.get(line)
        if statement is None:
            continue
        best[statement] = max(best.get(statement, 0.0), weight)
        if line in at_crash:
            crash_of.setdefault(statement, at_crash[line])
    _add_headers(source, best)
    _add_definitions(source, best)
    return [Suspect(source, node, score, crash_of.get(node)) for node, score in best.items()]


def _owners(source: Source) -> dict[int, ast.stmt]:
    """Map each line to the innermost statement whose own text, not its body, is on it."""
    owner: dict[int, ast.stmt] = {}
    for statement in source.statements:
        end = statement.end_lineno or statement.lineno
        for line in range(statement.lineno, end + 1):
            owner[line] = statement  # Inner ones come later and win.
    return owner


def _add_headers(source: Source, best: dict[ast.stmt, float]) -> None:
    for statement, score in list(best.items()):
        function = source.function_of(statement)
        if function is not None and function is not statement:
            best[function] = max(best.get(function, 0.0), score * HEADER_SHARE)


def _add_definitions(source: Source, best: dict[ast.stmt, float]) -> None:
    used: dict[str, float] = {}
    for statement, score in list(best.items()):
        if isinstance(statement, FunctionNode):
            continue
        for name in _names(own_expressions(statement)):
            used[name] = max(used.get(name, 0.0), score)
    for statement in source.statements:
        if not isinstance(source.parents[statement], ast.Module | ast.ClassDef):
            continue
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        for target in ast.walk(statement):
            if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                score = used.get(target.id, 0.0) * DEFINITION_SHARE
                best[statement] = max(best.get(statement, 0.0), score)
    for statement in [node for node, score in best.items() if score <= 0.0]:
        del best[statement]


def _names(expressions: Iterable[ast.expr]) -> set[str]:
    found = set()
    for node in expressions:
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found
