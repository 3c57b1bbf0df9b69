"""Fingerprints by which equal and nearly equal reports meet: of words, and of stack traces."""

from __future__ import annotations

import hashlib
import re
from array import array
from zlib import crc32

from schemas.reports import BugReport, StackTrace

SHINGLE_WORDS = 3
SKETCH_SIZE = 512
"""Texts with fewer shingles are compared exactly, longer ones by their 512 smallest hashes."""
BANDS = 8
ROWS = 4
_VARIABLE = re.compile(r"0x[0-9a-f]+|\d+|'[^']*'|\"[^\"]*\"", re.IGNORECASE)
_NOT_IN_APP = re.compile(r"site-packages|dist-packages|/lib/python\d|<frozen|node_modules")


def text_key(words: list[str]) -> str:
    """Return a hash of the words in their order."""
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:32]


def sketch(words: list[str]) -> array[int]:
    """Return the sorted smallest hashes of the text's word shingles."""
    size = min(SHINGLE_WORDS, len(words)) or 1
    spans = range(max(len(words) - size + 1, 0))
    hashes = {crc32(" ".join(words[start : start + size]).encode()) for start in spans}
    return array("I", sorted(hashes)[:SKETCH_SIZE])


def jaccard(one: array[int], other: array[int]) -> float:
    """Return the share of shingles in common: exact for short texts, else the bottom-k estimate.

    Estimator: Broder, "On the resemblance and containment of documents" (1997).
    """
    if not one or not other:
        return 0.0
    mine, theirs = set(one), set(other)
    if len(one) < SKETCH_SIZE and len(other) < SKETCH_SIZE:
        return len(mine & theirs) / len(mine | theirs)
    smallest = sorted(mine | theirs)[:SKETCH_SIZE]
    return sum(value in mine and value in theirs for value in smallest) / len(smallest)


def bands(hashes: array[int]) -> tuple[str, ...]:
    """Return the keys under which near-identical texts meet.

    MinHash by one permutation with rotation (Shrivastava and Li, 2014), in 8 bands of 4 rows:
    texts with 0.9 of their shingles in common share a key with probability 0.9998.
    """
    count = BANDS * ROWS
    bins: list[int | None] = [None] * count
    for value in hashes:
        mixed = (value * 2654435761) & 0xFFFFFFFF
        place = mixed % count
        here = bins[place]
        bins[place] = mixed if here is None else min(here, mixed)
    if all(value is None for value in bins):
        return ()
    full = [_rotated(bins, place) for place in range(count)]
    return tuple(
        f"{band}:{crc32(repr(full[band * ROWS : (band + 1) * ROWS]).encode()):08x}"
        for band in range(BANDS)
    )


def _rotated(bins: list[int | None], place: int) -> int:
    for distance in range(len(bins)):
        value = bins[(place + distance) % len(bins)]
        if value is not None:
            return value + distance
    return 0


def stack_fingerprints(report: BugReport) -> tuple[str, ...]:
    """Return a fingerprint of each trace with frames of the application's own code."""
    return tuple(found for trace in report.stack_traces if (found := _fingerprint(trace)))


def _fingerprint(trace: StackTrace) -> str | None:
    own = [frame for frame in trace.frames if not _NOT_IN_APP.search(frame.path)]
    if not own:
        return None
    places = [f"{_tail(frame.path)}:{frame.function}" for frame in own[-8:]]
    template = _VARIABLE.sub("*", trace.message)[:200]
    text = "\n".join([trace.exception, template, *places])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _tail(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])
