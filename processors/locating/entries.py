"""A file as the index keeps it: its functions and classes, and the words in them as numbers."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from enum import IntEnum
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from processors.locating import grammars, python_outline, tree_outline
from processors.locating.outline import Import, Kind, Outline, Unit
from processors.locating.paths import holds_tests, is_made
from processors.locating.words import code_lines, number, phrases, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 7
"""Of parsers and words together: what was made by another is made anew."""
FILE_CHARS_MAX = 400_000
ROWS_MAX = 400_000
"""Of one file."""
_COUNT_MAX = 65_535

_javascript = partial(tree_outline.outline, grammar=grammars.JAVASCRIPT)
_typescript = partial(tree_outline.outline, grammar=grammars.TYPESCRIPT)
PARSERS: Mapping[str, tuple[str, Callable[[str], Outline]]] = {
    ".py": ("python", python_outline.outline),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), ("javascript", _javascript)),
    **dict.fromkeys((".ts", ".mts", ".cts"), ("typescript", _typescript)),
    ".tsx": ("tsx", partial(tree_outline.outline, grammar=grammars.TSX)),
    ".java": ("java", partial(tree_outline.outline, grammar=grammars.JAVA)),
    ".go": ("go", partial(tree_outline.outline, grammar=grammars.GO)),
}
"""Ending of a file -> its language, and what reads it."""


class Part(IntEnum):
    """Where in a unit a word stands."""

    NAME = 0
    DOC = 1
    CODE = 2
    PHRASE = 3
    """Three words in a row of a text in quotes."""
    LINE = 4
    """A whole line of code."""


ROW = np.dtype([("term", "<u8"), ("unit", "<u4"), ("count", "<u2"), ("part", "u1")])


@dataclass(frozen=True, slots=True)
class Place:
    """A unit without its text."""

    symbol: str
    kind: Kind
    line_start: int
    line_end: int
    is_public: bool = False
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What the index keeps of one file. Its first place is the module."""

    language: str
    places: tuple[Place, ...]
    imports: tuple[Import, ...]
    rows: NDArray[np.void]
    """Of `ROW`; `unit` counts in `places`."""
    calls: tuple[tuple[str, ...], ...] = ()
    """Of each place what it calls."""


def language_of(path: str) -> str | None:
    """Return the language of a file by its ending; None where none of ours reads it."""
    found = PARSERS.get(PurePosixPath(path).suffix)
    return found[0] if found else None


def is_indexed(path: str) -> bool:
    """Tell whether a file is looked at: code that people write in our languages, and no tests."""
    return language_of(path) is not None and not holds_tests(path) and not is_made(path)


def is_test(path: str) -> bool:
    """Tell whether a file is one of tests, in one of our languages."""
    return language_of(path) is not None and holds_tests(path) and not is_made(path)


def entry_of(path: str, text: str, *, with_words: bool = True) -> Entry:
    """Return the entry of a file in one of our languages; of tests only the calls are looked at."""
    language, parser = PARSERS[PurePosixPath(path).suffix]
    read = parser(text[:FILE_CHARS_MAX])
    rows: list[tuple[int, int, int, int]] = []
    for at, unit in enumerate(read.units if with_words else ()):
        for part, counted in _words(unit).items():
            rows += [(number(t), at, min(n, _COUNT_MAX), part) for t, n in counted.items()]
        if len(rows) > ROWS_MAX:
            break
    places = tuple(
        Place(u.symbol, u.kind, u.line_start, u.line_end, u.is_public, u.bases) for u in read.units
    )
    calls = tuple(unit.calls for unit in read.units)
    return Entry(language, places, read.imports, np.array(rows[:ROWS_MAX], dtype=ROW), calls)


def _words(unit: Unit) -> dict[Part, Counter[str]]:
    return {
        Part.NAME: Counter(terms(unit.symbol.replace(".", " "))),
        Part.DOC: Counter(terms(unit.doc)),
        Part.CODE: Counter(terms(unit.code)),
        Part.PHRASE: Counter(p for one in unit.strings.splitlines() for p in phrases(one)),
        Part.LINE: Counter(code_lines(unit.code)),
    }


# --- as bytes ---


def to_bytes(entry: Entry) -> bytes:
    """Return the entry as bytes for `from_bytes`."""
    head = {
        "language": entry.language,
        "places": [list(astuple(place)) for place in entry.places],
        "imports": [[i.module, i.name, i.alias] for i in entry.imports],
        "calls": entry.calls,
    }
    packed = json.dumps(head, separators=(",", ":")).encode()
    return struct.pack("<I", len(packed)) + packed + entry.rows.tobytes()


def from_bytes(content: bytes) -> Entry:
    """Return what `to_bytes` was given. Raises `ValueError` for anything else."""
    try:
        (size,) = struct.unpack_from("<I", content)
        head = json.loads(content[4 : 4 + size])
        return Entry(
            head["language"],
            tuple(map(_place, head["places"])),
            tuple(Import(*each) for each in head["imports"]),
            np.frombuffer(content, dtype=ROW, offset=4 + size),
            tuple(tuple(each) for each in head["calls"]),
        )
    except (struct.error, LookupError, TypeError, UnicodeDecodeError) as error:
        raise ValueError("not an entry of the index") from error


def _place(kept: Sequence[Any]) -> Place:
    *about, bases = kept
    return replace(Place(*about), bases=tuple(bases))
