"""Words of code and of people, in one form, so that they can meet: `FilePathField` and "file path".

A word becomes a number that is the same in every process and on every machine, so that an index
can be kept in a file, and looked through as arrays.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{1,80}")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_PLAIN = re.compile(r"[A-Za-z]{2,40}")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sdrfi]|%[\d.]*[sdrfi]|\{[^{}\n]{0,80}\}")
_COMMON = frozenset(
    {"the", "and", "for", "that", "this", "with", "not", "are", "was", "but", "have", "has", "you"}
    | {"from", "import", "def", "class", "self", "return", "none", "true", "false", "when", "its"}
    | {"should", "would", "can", "does", "python", "file", "line", "code", "error", "bug", "issue"}
    | {"will", "which", "there", "what", "than", "then", "them", "they", "been", "being", "into"}
    | {"just", "like", "also", "only", "some", "here", "how", "all", "any", "our", "use", "using"}
)
_DOUBLED = re.compile(r"([bdfgmnprt])\1$")
LINE_CHARS_MIN = 10
"""Shorter lines of code, such as `return x`, stand everywhere."""
_NO_CODE = ("#", "//", "/*", "*", "import", "from", "package")
PHRASE_WORDS = 3
TERMS_KEPT_MAX = 300_000
"""Of the words whose numbers are remembered."""


@lru_cache(maxsize=TERMS_KEPT_MAX)
def number(term: str) -> int:
    """Return the number of a term: 64 bits, the same everywhere."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")


def stem(word: str) -> str:
    """Return `word` without the commonest English endings."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _DOUBLED.sub(r"\1", word[: -len(ending)])
    if word.endswith("e") and len(word) > 4:
        return word[:-1]
    if word.endswith("es") and len(word) > 4:
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word


@lru_cache(maxsize=TERMS_KEPT_MAX)
def terms_of(identifier: str) -> tuple[str, ...]:
    """Return an identifier whole (where it has parts) and its parts, folded and stemmed."""
    parts = [part.casefold() for part in _PART.findall(identifier)]
    found = [stem(part) for part in parts if len(part) > 2 and part not in _COMMON]
    if len(parts) > 1:
        found.append("=" + identifier.strip("_").casefold())
    return tuple(dict.fromkeys(found))


def terms(text: str) -> Iterator[str]:
    """Yield the terms of a text in order."""
    for identifier in _IDENTIFIER.findall(text):
        yield from terms_of(identifier)


def spoken(text: str) -> dict[str, str]:
    """Return of each term the word that was written, for people."""
    found: dict[str, str] = {}
    for identifier in _IDENTIFIER.findall(text):
        found.setdefault("=" + identifier.strip("_").casefold(), identifier)
        for part in _PART.findall(identifier):
            found.setdefault(stem(part.casefold()), part)
    return found


def phrases(text: str) -> Iterator[str]:
    """Yield every run of `PHRASE_WORDS` words; none reaches across what is filled in later."""
    for piece in _PLACEHOLDER.split(text):
        words = [word.casefold() for word in _PLAIN.findall(piece)]
        for at in range(len(words) - PHRASE_WORDS + 1):
            yield "~" + " ".join(words[at : at + PHRASE_WORDS])


def code_lines(text: str) -> Iterator[str]:
    """Yield the lines of code that say enough to be known again, without their spaces."""
    for line in text.splitlines():
        packed = "".join(line.split())
        if len(packed) >= LINE_CHARS_MIN and not packed.startswith(_NO_CODE):
            yield "|" + packed
