"""Read the line that names an exception, in any language: `a.b.SomeError: what happened`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Role = Literal["raised", "cause", "context", "suppressed", "member"]

HEAD_LINES_MAX = 12
"""How far above the first call its exception may be named: messages have several lines."""
_SEGMENTS_MAX = 8
_WEAK_WORDS_MAX = 1
_ENDINGS = (
    "Error",
    "Exception",
    "Failure",
    "Fault",
    "Throwable",
    "Interrupt",
    "Death",
    "Timeout",
    "Overflow",
    "Warning",
)
_TYPE = re.compile(
    r"\\?(?:[A-Za-z_$][\w$-]{0,100}(?:\.|::|\\|/)){0,20}[A-Z][\w$]{0,100}(?:`\d{1,2})?$"
)
_LEAD = re.compile(
    r"(?:(?P<cause>(?:Caused by|Wrapped by|\[cause\]):? ?)|(?P<suppressed>Suppressed: ?)"
    r"|---> (?P<member>\(Inner Exception #\d{1,4}\) )?|Uncaught (?:\(in promise\):? )?"
    r"|Unhandled [Ee]xception[.:] |Exception in thread \"[^\"]{0,200}\" )"
)
_BRACKETS = re.compile(r"\[[\w.-]{1,80}\]$")


@dataclass(frozen=True, slots=True)
class Head:
    """An exception as its line names it."""

    exception: str
    message: str = ""
    role: Role = "raised"
    sure: bool = True
    """Whether the name says that it is one (`...Error`); the others only look like a type."""


def head_of(line: str) -> Head | None:
    """Return what `line` names; None when no word in it looks like the type of an exception."""
    text = line.strip()
    role: Role = "raised"
    lead = _LEAD.match(text)
    if lead is not None:
        text = text[lead.end() :]
        role = "cause" if lead["cause"] else "suppressed" if lead["suppressed"] else role
        role = "member" if lead["member"] else role
    segments = text.split(": ", _SEGMENTS_MAX)
    for index, segment in enumerate(segments):
        for name in _last_words(segment):
            if _TYPE.match(name) and name.rstrip("0123456789`").endswith(_ENDINGS):
                return Head(name, ": ".join(segments[index + 1 :]).strip(), role)
    name = _last_words(segments[0])[0]
    alone = len(segments[0].split()) == _WEAK_WORDS_MAX
    named = lead is not None or "." in name or "::" in name or len(segments) > 1
    if name == "java.lang.Thread.State":
        return None  # Of a thread dump: nothing was thrown.
    if alone and named and _TYPE.match(name):
        return Head(name, ": ".join(segments[1:]).strip(), role, sure=lead is not None)
    return None


def _last_words(segment: str) -> tuple[str, ...]:
    """Return the words that may be the type at the end of `segment`, past codes in brackets.

    Of `Rejection (TypeError)` that is the last one, of `RangeError (index)` the one before.
    """
    for _ in range(3):
        segment = segment.rstrip(" :")
        cut = _BRACKETS.search(segment, max(0, len(segment) - 90))
        if cut is None:
            break
        segment = segment[: cut.start()]
    words = segment.rsplit(None, 2)[-2:]
    if not words:
        return ("",)
    last = words[-1]
    if last.startswith("(") and last.endswith(")"):
        return (last[1:-1], *words[:-1])
    return (last if "::" in last else last.rpartition(":")[2],)
