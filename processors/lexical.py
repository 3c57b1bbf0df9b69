"""Rank files and functions by the words they share with a report. Needs no model and no index.

Scoring: BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), over
identifiers split at underscores and capitals.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

K1 = 1.2
B = 0.75
QUERY_CHARS_MAX = 50_000
FILE_CHARS_MAX = 400_000
NAME_BONUS = 3.0
"""Added where the report names the file or a definition in it outright."""
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{1,80}")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_COMMON = frozenset(
    {"the", "and", "for", "that", "this", "with", "not", "are", "was", "but", "have", "has", "you"}
    | {"from", "import", "def", "class", "self", "return", "none", "true", "false", "when", "get"}
    | {"should", "would", "can", "does", "python", "file", "line", "code", "test", "error", "bug"}
)


@dataclass(frozen=True, slots=True)
class Span:
    """A function or class in a file; lines are 1-based and inclusive."""

    symbol: str
    line_start: int
    line_end: int


def tokens(text: str) -> list[str]:
    """Return identifiers and their parts, folded, without the commonest words."""
    found: list[str] = []
    for name in _IDENTIFIER.findall(text):
        whole = name.casefold()
        parts = [part.casefold() for part in _PART.findall(name)]
        words = dict.fromkeys((whole, *parts))  # Not a set: sums of floats depend on order.
        found.extend(word for word in words if len(word) > 2 and word not in _COMMON)
    return found


def rank(query: str, documents: Mapping[str, str]) -> list[tuple[str, float]]:
    """Return document ids with their BM25 scores, best first; ties go by id."""
    counted = {name: Counter(tokens(text[:FILE_CHARS_MAX])) for name, text in documents.items()}
    lengths = {name: sum(counts.values()) for name, counts in counted.items()}
    mean = (sum(lengths.values()) / len(lengths)) if lengths else 0.0
    if not mean:
        return []
    scores = dict.fromkeys(documents, 0.0)
    for word, weight in Counter(tokens(query[:QUERY_CHARS_MAX])).items():
        holders = [name for name, counts in counted.items() if word in counts]
        if not holders:
            continue
        idf = math.log(1 + (len(counted) - len(holders) + 0.5) / (len(holders) + 0.5))
        for name in holders:
            frequency = counted[name][word]
            norm = frequency + K1 * (1 - B + B * lengths[name] / mean)
            scores[name] += idf * min(weight, 3) * frequency * (K1 + 1) / norm
    return sorted(
        ((name, score) for name, score in scores.items() if score > 0),
        key=lambda pair: (-pair[1], pair[0]),
    )


def spans(source: str) -> list[Span]:
    """Return the functions and methods of a Python file; none where it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found: list[Span] = []
    _collect(tree.body, "", found)
    return found


def _collect(body: Sequence[ast.stmt], prefix: str, found: list[Span]) -> None:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(Span(f"{prefix}{node.name}", node.lineno, node.end_lineno or node.lineno))
        elif isinstance(node, ast.ClassDef):
            _collect(node.body, f"{prefix}{node.name}.", found)


def enclosing(found: Sequence[Span], line: int) -> Span | None:
    """Return the smallest span that holds `line`."""
    holding = [span for span in found if span.line_start <= line <= span.line_end]
    return min(holding, key=lambda span: span.line_end - span.line_start, default=None)
