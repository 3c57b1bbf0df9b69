"""What a text commits itself to: versions, numbers, ids, hosts, and words that turn its meaning.

Other facts, another bug. Kept as hashes, because hosts and ids may be personal and state is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from zlib import crc32

from processors.similarity.texts import TEXT_CHARS_MAX

CLAIMS_PER_KIND_MAX = 64
Claims = Mapping[str, frozenset[int]]
"""By kind: version, number, id, host."""

_ID = re.compile(r"\b[A-Z][A-Z0-9]+-\d[\d-]*\b|(?<![\w/])#\d+\b")
_HOST = re.compile(
    r"(?<![\w.-])(?:(?:[\w-]{1,63}\.){1,6}(?:com|org|net|edu|gov|io|dev|info|local|internal|[a-z]{2})"
    r"|\d{1,3}(?:\.\d{1,3}){3})\b(?![/\\(])",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?<![\w.])v?\d+(?:\.\d+)+(?:[.-]?[A-Za-z0-9]+)*\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])\d+\b|(?<=[A-Za-z])\d+\b")
_FILE = re.compile(
    r"\.(?:py|js|ts|rs|go|cc|cpp|md|sh|pl|rb|cs|so|gz|me|in|ac|am|mk|jar|java|html|xml)$", re.I
)
"""Names of files that look like hosts."""

_TURNING = (
    "not no never none without cannot can't doesn't don't won't isn't aren't fails unable"
    " add added adds remove removed removes delete deleted insert enable enabled enables disable"
    " disabled disables allow allowed deny denied forbid start starts stop stops open opens close"
    " closes closed on off before after first last min max minimum maximum true false increase"
    " decrease increment decrement upgrade downgrade install uninstall up down left right top"
    " bottom read write reads writes upload download import export encode decode encrypt decrypt"
    " compress decompress show hide shown hidden push pull get set lock unlock connect disconnect"
    " client server source target horizontal vertical internal external public private login"
    " logout undo redo backport backported revert reverted cherry-pick follow-up followup part"
    " debug release input output send receive old new high low"
)
_TURNS = frozenset(_TURNING.split())
_CHINESE_TURNS = (
    "不",
    "没",
    "无",
    "未",
    "非",
    "启用",
    "禁用",
    "打开",
    "关闭",
    "增加",
    "删除",
    "添加",
    "移除",
)
_WORD = re.compile(r"[A-Za-z][\w'-]*")


def claims(text: str) -> Claims:
    """Return what `text` commits itself to. A part that is of one kind is of no other."""
    text = text[:TEXT_CHARS_MAX]
    found: dict[str, frozenset[int]] = {}
    for kind, pattern in (("id", _ID), ("version", _VERSION), ("host", _HOST), ("number", _NUMBER)):
        values = _values(kind, pattern, text)
        if values:
            found[kind] = values
        text = pattern.sub(" ", text)
    return found


def _values(kind: str, pattern: re.Pattern[str], text: str) -> frozenset[int]:
    values: set[int] = set()
    for match in pattern.finditer(text):
        value = match.group().casefold()
        if kind == "host" and _FILE.search(value):
            continue
        if kind == "version":
            value = value.lstrip("v")
        if kind == "number":
            value = value.lstrip("0")
        values.add(crc32(value.encode()))
        if len(values) >= CLAIMS_PER_KIND_MAX:
            break
    return frozenset(values)


def turns(text: str) -> frozenset[str]:
    """Return the words in `text` that turn a meaning round."""
    found = frozenset(word.casefold() for word in _WORD.findall(text[:TEXT_CHARS_MAX])) & _TURNS
    return found | {sign for sign in _CHINESE_TURNS if sign in text}


def differences(one: Claims, other: Claims) -> Iterator[str]:
    """Yield the kinds in which one of two texts says what the other does not."""
    for kind in sorted({*one, *other}):
        if one.get(kind, frozenset()) != other.get(kind, frozenset()):
            yield kind


def conflicts(one: Claims, other: Claims) -> Iterator[str]:
    """Yield the kinds in which both texts say something, and nothing of it alike.

    A number alone is no conflict: every log and trace is full of them.
    """
    for kind in ("host", "id", "version"):
        mine, theirs = one.get(kind), other.get(kind)
        if mine and theirs and not mine & theirs:
            yield kind


def rivals(one: Claims, other: Claims) -> Iterator[str]:
    """Yield the kinds in which each of two texts says something that the other does not."""
    for kind in sorted({*one, *other}):
        mine, theirs = one.get(kind, frozenset()), other.get(kind, frozenset())
        if mine - theirs and theirs - mine:
            yield kind
