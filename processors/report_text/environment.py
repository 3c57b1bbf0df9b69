"""Read the environment of a report: pairs, lists, tables, and what is mentioned in passing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from processors.report_text.lines import Line
from processors.report_text.mentions import mentions
from processors.report_text.values import is_empty
from processors.report_text.vocabulary import entry_kind

ENTRIES_MAX = 50
PACKAGES_MAX = 30
"""Of a list that a tool printed, so that it leaves room for the rest."""
KEY_CHARS_MAX = 80
ENTRY_CHARS_MAX = 300
TABLE_ROWS_MAX = 200
COLUMNS_MAX = 8
KEY_WORDS_MAX = 8

_PAIR = re.compile(
    r"[ \t]{0,8}(?:(?:[-*+•]|\d{1,2}[.)])[ \t]{1,4})?(?:\[[ xX]\][ \t]{1,4})?[*_`]{0,3}"
    r"(?P<key>[^\W_][^:：=|`\"<>{}]{0,79}?)[*_`]{0,3}"
    r"[ \t]{0,40}(?:[:：](?![:/]{1,2})[*_`]{0,3}[ \t]*(?P<value>\S.{0,1999})"
    r"|={1,2}>?[ \t]{0,40}(?P<plain>[\w.+][\w.+ -]{0,60}))$"
)
# "numpy    1.26.4", as `pip list` prints it.
_PACKAGE = re.compile(
    r"[ \t]{0,4}(?P<key>[A-Za-z@][\w.@/-]{0,79})[ \t]{1,80}(?P<value>v?\d[\w.+-]{0,40})"
)
_ITEM = re.compile(r"[ \t]{0,8}(?:[-*+•]|\d{1,2}[.)])[ \t]{1,4}(?P<text>\S.{0,300})")
_RULE_CELL = re.compile(r":?-{1,200}:?")
_TABLE_HEADS = frozenset(
    {"item", "key", "name", "property", "component", "software", "extension", "system"}
    | {"项目", "名称"}
)


@dataclass(slots=True)
class Environment:
    """Entries in the order found. The first answer to a key stays."""

    entries: dict[str, str] = field(default_factory=dict)
    bare: list[str] = field(default_factory=list)
    """Lines of a section that are no pairs: they may still name a product and its version."""
    packages: int = 0

    def add(self, key: str, value: str) -> None:
        """Keep an entry that says something."""
        key = " ".join(key.strip(" \t*_`#-:：").split())[:KEY_CHARS_MAX]
        value = value.strip().strip("*_`|").strip()
        if key and len(self.entries) < ENTRIES_MAX and not is_empty(value):
            self.entries.setdefault(key, value[:ENTRY_CHARS_MAX])


def read_environment(lines: Sequence[Line], into: Environment, *, first: str = "") -> None:
    """Add the entries in the lines of a section. Code counts: tools print versions as code."""
    rows: list[list[str]] = []
    for line in [Line(first), *lines]:
        text = line.text
        if line.kind == "fence" or not text.strip():
            _table(rows, into)
            rows = []
        elif text.count("|") >= 2 and text.lstrip().startswith("|"):
            cells = text.strip().strip("|").split("|", COLUMNS_MAX)[:COLUMNS_MAX]
            if len(rows) < TABLE_ROWS_MAX:
                rows.append([cell.strip(" *_`") for cell in cells])
        else:
            _take(line, into)
    _table(rows, into)


def _take(line: Line, into: Environment) -> None:
    text = line.text
    pair = _PAIR.match(text)
    if pair is not None and _is_key(pair["key"]):
        into.add(pair["key"], pair["value"] or pair["plain"])
        return
    if line.kind == "code" and (package := _PACKAGE.match(text)):
        into.packages += 1
        if into.packages <= PACKAGES_MAX:
            into.add(package["key"], package["value"])
        return
    item = _ITEM.match(text)
    bare = item["text"] if item else text.strip()
    if len(into.bare) < ENTRIES_MAX and not is_empty(bare):
        into.bare.append(bare[:ENTRY_CHARS_MAX])


def _is_key(key: str) -> bool:
    """Return whether it may name something: "test_shop.py:7: AssertionError" has no key."""
    return (
        key.count(" ") < KEY_WORDS_MAX
        and key.count("(") == key.count(")")
        and not key.endswith((".py", ".js", ".ts", ".java", ".go", "http", "https"))
    )


def _table(rows: list[list[str]], into: Environment) -> None:
    """Add the rows of a table: two columns are pairs, a head with one row below it too."""
    ruled = any(_is_rule(row) for row in rows)
    body = [row for row in rows if not _is_rule(row)]
    if not body:
        return
    named = body[0][0].casefold() in _TABLE_HEADS
    if ruled and len(body) == 2 and not named and body[0][0]:
        for key, value in zip(body[0], body[1], strict=False):
            into.add(key, value)
        return
    for row in body[1:] if ruled and (named or len(body) > 2) else body:
        into.add(row[0], " ".join(filter(None, row[1:])))


def _is_rule(row: list[str]) -> bool:
    return any(row) and all(_RULE_CELL.fullmatch(cell) for cell in row if cell)


def add_mentions(texts: Iterable[str], into: Environment) -> None:
    """Add products named with a version in running text, for kinds that no entry speaks of."""
    for prose, lines in ((False, into.bare), (True, texts)):
        known = frozenset(entry_kind(key) for key in into.entries) - {""}
        for key, version in mentions(lines, known=known, prose=prose):
            into.add(key, version)
