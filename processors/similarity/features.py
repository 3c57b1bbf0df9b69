"""What is kept of a report to compare it by: vectors and hashes, no text."""

from __future__ import annotations

import base64
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from processors.ports import Embedder
from processors.similarity.claims import Claims, claims, turns
from processors.similarity.fingerprints import bands, sketch, stack_fingerprints, text_key
from processors.similarity.postings import length_of
from processors.similarity.texts import (
    cleaned,
    grams,
    is_cjk,
    links,
    telling,
    title_words,
    weighed,
    words,
)
from schemas.reports import BugReport

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTER_WORDS_MAX = 8
"""A text of so few words beside a link only points there."""
_STATES = (
    "down outage offline unreachable unavailable unresponsive timeout timeouts timed stuck full"
    " overloaded degraded flaky intermittent intermittently"
    " 宕机 离线 不可用 超时 中断"
)
_OUTAGES = frozenset(_STATES.split())


@dataclass(frozen=True, slots=True)
class Spaces:
    """The two spaces that texts are compared in: a sharp one, and one for many languages."""

    main: Embedder | None
    """None: without a model, words and letters alone are compared."""
    many: Embedder | None

    @property
    def model_id(self) -> str:
        """Return what the vectors were made by."""
        return "+".join(one.model_id if one else "none" for one in (self.main, self.many))


NO_MODEL = Spaces(None, None)


@dataclass(frozen=True, slots=True)
class Features:
    """A report as the matcher sees it. Vectors are rounded to halves before anything is decided."""

    at: datetime | None
    """When it was reported; None: its channel does not say."""
    is_cjk: bool
    recurs: bool
    """Whether it tells of a state that comes back, such as an outage."""
    is_alert: bool
    """Whether a monitoring tool says it: the title is its rule's, the labels say what it is of."""
    closed: bool
    """Whether its channel says that it is over."""
    text_key: str
    title_key: str
    title_words: int
    """Of the title, those that say something."""
    words: int
    stacks: tuple[str, ...]
    own: int | None
    """The address of the item itself."""
    points: tuple[int, ...]
    """Addresses that the text points to without saying anything else."""
    sketch: array[int]
    title_claims: Claims
    claims: Claims
    title_turns: frozenset[str]
    turns: frozenset[str]
    counts: Mapping[int, int]
    grams: Mapping[int, int]
    lengths: tuple[int, int]
    """Of `counts` and `grams`, counted once."""
    main: bytes
    many: bytes

    def addresses(self) -> set[int]:
        """Return what it is, or only points to."""
        return {*self.points} if self.own is None else {self.own, *self.points}

    def bands(self) -> tuple[str, ...]:
        """Return the keys under which near-identical texts meet."""
        return bands(self.sketch)

    @property
    def is_specific(self) -> bool:
        """Return whether the title alone can name a fault: four words, or three and a fact."""
        return self.title_words >= 4 or (self.title_words == 3 and bool(self.title_claims))

    def vector(self, *, many: bool) -> NDArray[np.float32]:
        """Return the vector in one of the spaces; an empty one where there is none."""
        return floats(self.many if many else self.main)


def floats(halves: bytes) -> NDArray[np.float32]:
    """Return a vector that is kept as halves, as the numbers it is compared by."""
    return np.frombuffer(halves, np.float16).astype(np.float32)


def features_of(report: BugReport, spaces: Spaces, *, at: datetime | None = None) -> Features:
    """Return what `report` is compared by; `at` is when it came, where it does not say itself.

    The same report always gives the same.
    """
    title, body = cleaned(report.title) or report.title, cleaned(report.description)
    whole = f"{title}\n{body}"
    spoken = [word.strip("'./:+-") for word in title_words(whole)]
    said = title_words(title)
    hashes = sketch(spoken)
    cjk = is_cjk(whole)
    counts, rows = weighed(title, body), grams(title)
    return Features(
        at=report.created_at or at,
        is_cjk=cjk,
        recurs=report.origin.channel == "monitoring" or bool(_OUTAGES & {*said, *words(title)}),
        is_alert=report.origin.channel == "monitoring",
        closed=report.status == "closed",
        text_key=text_key(spoken),
        title_key=text_key(list(said)),
        title_words=len({*telling(said)} if not cjk else {*words(title)}),
        words=len(spoken),
        stacks=stack_fingerprints(report),
        own=_hash(report.origin.url),
        points=_points(report),
        sketch=hashes,
        title_claims=claims(report.title),
        claims=claims(f"{report.title}\n{body}"),
        title_turns=turns(report.title),
        turns=turns(whole),
        counts=counts,
        grams=rows,
        lengths=(length_of(counts), length_of(rows)),
        main=b"" if cjk else _halves(spaces.main, whole),
        many=_halves(spaces.many, whole),
    )


def _halves(embedder: Embedder | None, text: str) -> bytes:
    if embedder is None:
        return b""
    halves: NDArray[np.float16] = embedder.embed([text])[0].astype(np.float16)
    return halves.tobytes()


def _hash(address: str | None) -> int | None:
    found = links(address or "")
    return crc32(found[0].encode()) if found else None


def _points(report: BugReport) -> tuple[int, ...]:
    found = links(f"{report.title}\n{report.description}")
    rest = cleaned(f"{report.title}\n{report.description}")
    if len(title_words(rest)) > POINTER_WORDS_MAX:
        return ()
    return tuple(crc32(one.encode()) for one in found)


def encode(features: Features) -> dict[str, Any]:
    """Return `features` as JSON can hold them."""
    return {
        "at": features.at.isoformat() if features.at else None,
        "cjk": features.is_cjk,
        "recurs": features.recurs,
        "alert": features.is_alert,
        "closed": features.closed,
        "text": features.text_key,
        "title": features.title_key,
        "title_words": features.title_words,
        "words": features.words,
        "stacks": features.stacks,
        "own": features.own,
        "points": features.points,
        "sketch": _text(features.sketch.tobytes()),
        "title_claims": {kind: sorted(held) for kind, held in features.title_claims.items()},
        "claims": {kind: sorted(held) for kind, held in features.claims.items()},
        "title_turns": sorted(features.title_turns),
        "turns": sorted(features.turns),
        "counts": _packed(features.counts),
        "grams": _packed(features.grams),
        "main": _text(features.main),
        "many": _text(features.many),
    }


def decode(fields: Mapping[str, Any]) -> Features:
    """Return what `encode` was given. Raises `ValueError`, `KeyError` or `TypeError`."""
    hashes = array("I")
    hashes.frombytes(base64.b64decode(fields["sketch"]))
    counts, rows = _unpacked(fields["counts"]), _unpacked(fields["grams"])
    return Features(
        at=datetime.fromisoformat(fields["at"]) if fields["at"] else None,
        is_cjk=fields["cjk"],
        recurs=fields["recurs"],
        is_alert=fields.get("alert", False),  # Not in the records of the first days.
        closed=fields["closed"],
        text_key=fields["text"],
        title_key=fields["title"],
        title_words=fields["title_words"],
        words=fields["words"],
        stacks=tuple(fields["stacks"]),
        own=fields["own"],
        points=tuple(fields["points"]),
        sketch=hashes,
        title_claims={kind: frozenset(held) for kind, held in fields["title_claims"].items()},
        claims={kind: frozenset(held) for kind, held in fields["claims"].items()},
        title_turns=frozenset(fields["title_turns"]),
        turns=frozenset(fields["turns"]),
        counts=counts,
        grams=rows,
        lengths=(length_of(counts), length_of(rows)),
        main=base64.b64decode(fields["main"]),
        many=base64.b64decode(fields["many"]),
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _packed(counts: Mapping[int, int]) -> list[str]:
    tokens = array("I", sorted(counts))
    times = bytes(min(counts[token], 255) for token in tokens)
    return [_text(tokens.tobytes()), _text(times)]


def _unpacked(packed: list[str]) -> dict[int, int]:
    tokens = array("I")
    tokens.frombytes(base64.b64decode(packed[0]))
    return dict(zip(tokens, base64.b64decode(packed[1]), strict=True))
