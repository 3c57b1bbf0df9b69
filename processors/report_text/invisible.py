"""Characters that nobody sees: zero width, bidirectional controls, tags, control codes."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import Literal

InvisibleKind = Literal["zero_width", "bidi", "tag_characters", "control"]
_KINDS: dict[str, InvisibleKind] = {
    "zero_width": "zero_width",
    "bidi": "bidi",
    "tag_characters": "tag_characters",
    "control": "control",
}

# Joiners between letters of scripts that need them, and in emoji, are seen: by what they join.
_JOINED = r"(?<=[^\x00-\u02ff\u2000-\u206f])[\u200c\u200d](?=[^\x00-\u02ff\u2000-\u206f])"
# One selector behind a sign picks its look; a row of them spells bytes.
_SELECTED = r"(?<=[\u00a9\u00ae\u203c-\u33ff\U0001f000-\U0001faff#*0-9])\ufe0f(?![\ufe00-\ufe0f])"
_ZERO_WIDTH = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f"
    r"\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0100-\U000e0fff"
)
_BIDI = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TAGS = r"\U000e0000-\U000e00ff"
_CONTROL = r"\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u2028\u2029"
_RUNS = (
    rf"(?P<control>\x1b\[[0-9;?]{{0,20}}[A-Za-z]|[{_CONTROL}]+)|(?P<tag_characters>[{_TAGS}]+)"
    rf"|(?P<bidi>[{_BIDI}]+)|(?P<zero_width>[{_ZERO_WIDTH}]+)"
)
_ANY = re.compile(_RUNS)
_UNSEEN = re.compile(rf"(?P<seen>{_JOINED}|{_SELECTED})|{_RUNS}")
_ENTITY = re.compile(
    r"&#(?:x(?P<hex>[0-9a-f]{1,6})|(?P<decimal>\d{1,7}));?"
    r"|&(?P<name>ZeroWidthSpace|zwj|zwnj|lrm|rlm|shy|NoBreak);",
    re.IGNORECASE,
)
_SELECTOR_BYTES = {
    **{0xFE00 + number: number for number in range(16)},
    **{0xE0100 + number: number + 16 for number in range(240)},
}
_LINE_ENDS = ("\u2028", "\u2029", "\x0b")
PASSES_MAX = 4
MARKS_MAX = 20_000
"""Looked at one by one in each pass; of more than that, all of a kind go."""
RUNS_MAX = 200
RUN_CHARS_MAX = 2_000
CODES_MAX = 40


@dataclass(slots=True)
class Unseen:
    """What was taken out: the first runs spelled out, and how many there were in all."""

    runs: list[tuple[InvisibleKind, str]] = field(default_factory=list)
    count: int = 0

    def take(self, kind: str, run: str) -> str:
        """Note a run; return what is seen in its place."""
        self.count += 1
        if len(self.runs) < RUNS_MAX and kind in _KINDS:
            self.runs.append((_KINDS[kind], _spelled(run)))
        return "\n" if kind == "control" and run.startswith(_LINE_ENDS) else ""


def strip_invisible(text: str) -> tuple[str, Unseen]:
    """Return `text` without what nobody sees, also where it is written as an entity.

    What makes an emoji or joins letters stays. Doing it twice changes nothing more.
    """
    unseen = Unseen()
    if text.isascii() and "&" not in text and not _ANY.search(text):
        return text, unseen

    def run(found: re.Match[str]) -> str:
        kind = found.lastgroup or "seen"
        return found.group(0) if kind == "seen" else unseen.take(kind, found.group(0))

    def entity(found: re.Match[str]) -> str:
        if found["name"]:
            return unseen.take("zero_width", found.group(0))
        code = int(found["hex"], 16) if found["hex"] else int(found["decimal"])
        kind = _ANY.fullmatch(chr(code)) if code <= sys.maxunicode else None
        return unseen.take(kind.lastgroup or "", chr(code)) if kind else found.group(0)

    for _ in range(PASSES_MAX):
        # Taking one run out may bring another together: "&#82<zero width>03;".
        before = text
        text, marks = _UNSEEN.subn(run, text, count=MARKS_MAX)
        text, entities = _ENTITY.subn(entity, text, count=MARKS_MAX)
        if max(marks, entities) == MARKS_MAX:
            break
        if text == before:
            return text, unseen
    # Made to need much work: nothing that could still hide something is left standing.
    text, marks = _ANY.subn("", text)
    unseen.count += marks
    return text.replace("&", "+"), unseen


def _spelled(run: str) -> str:
    """Return what a run says to a machine: its letters where it spells some, else its codes."""
    codes = [ord(char) for char in run[:RUN_CHARS_MAX]]
    letters = "".join(chr(code - 0xE0000) for code in codes if 0xE0020 <= code <= 0xE007E)
    if letters:
        return letters
    spelt = bytes(_SELECTOR_BYTES[code] for code in codes if code in _SELECTOR_BYTES)
    if len(spelt) > 3:
        return spelt.decode("utf-8", errors="replace")
    return " ".join(f"U+{code:04X}" for code in codes[:CODES_MAX])
