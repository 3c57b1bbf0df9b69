"""What a person types after `/bug`, in any chat, and what is said back to that person alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connectors.channel import Outcome, Verb

NOTE_CHARS_MAX = 10_000
VERBS: Final[tuple[Verb, ...]] = ("approve", "reject", "retry", "abandon", "merge")
HELP = (
    "Say what is wrong: `/bug The total ignores the coupon`.\n"
    "Decide about a bug: `/bug approve BUG-2026-7F3K2`, and in the same way `reject`, `retry` and"
    " `abandon`. Two bugs are one: `/bug merge BUG-2026-9QZ4M into BUG-2026-7F3K2`. Words after"
    " that are kept as your note."
)
_BUG = re.compile(r"BUG-[A-Z0-9-]{1,30}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_INTO = re.compile(r"(?:into\s+)?(?P<bug>\S+)", re.IGNORECASE)
_QUOTES = "`*_'\"<>.,;:"
"""What people and chats put around a name that they copied."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something is asked of a bug."""

    verb: Verb
    bug: str
    note: str
    into: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A report was typed."""

    text: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing to keep; `text` says what can be typed."""

    text: str


def understood(text: str) -> Wish | Told | Unclear:
    """Return what `text` asks for. Never raises.

    "approve" opens a wish only before the name of a bug: "retry button is dead" is a report.
    """
    text = text.strip()
    words = text.split(maxsplit=2)
    if not words or (len(words) == 1 and words[0].casefold() in {"help", "?", "--help"}):
        return Unclear(HELP)
    verb = next((one for one in VERBS if one == words[0].casefold()), None)
    if verb is None:
        return Told(text)
    bug = bug_name(words[1]) if len(words) > 1 else None
    if bug is not None:
        return wish(verb, bug, words[2] if len(words) > 2 else "")
    if len(words) <= 2:
        return Unclear(which_bug(verb))
    return Told(text)


def wish(verb: Verb, bug: str, rest: str, into: str = "") -> Wish | Unclear:
    """Return what is asked of `bug`. A merge names the other as `into`, else first in `rest`."""
    if verb == "merge" and not into:
        found = _INTO.match(rest)
        into, rest = (found["bug"], rest[found.end() :]) if found else ("", rest)
    other = bug_name(into) if verb == "merge" else ""
    return Unclear(which_bug(verb)) if other is None else Wish(verb, bug, _note(rest), other)


def _note(rest: str) -> str:
    return rest.strip()[:NOTE_CHARS_MAX]


def which_bug(verb: Verb) -> str:
    """Return what is said to a person who left out the bug's name, or mistyped it."""
    if verb == "merge":
        return "Which bugs? For example `/bug merge BUG-2026-9QZ4M into BUG-2026-7F3K2`."
    return f"Which bug? For example `/bug {verb} BUG-2026-7F3K2`."


def bug_name(word: str) -> str | None:
    """Return the name of a bug in `word`, harmless to repeat anywhere; None where it is none."""
    found = word[:80].strip(_QUOTES)
    return found.upper() if _BUG.fullmatch(found) else None


def said(outcomes: Sequence[Outcome]) -> str:
    """Return what a person is told of the one thing that was typed."""
    if not outcomes:
        return HELP
    outcome = outcomes[0]
    if outcome.status == "unknown_bug":
        return f"{outcome.text} Nothing was changed; `/bug help` shows what can be typed."
    if outcome.status == "not_allowed":
        return f"{outcome.text} Nothing was changed."
    if "command_id" in outcome.ids or "report_id" not in outcome.ids:
        return outcome.text
    known = outcome.status == "duplicate"
    first = "This report was received before." if known else "Thank you, the report is kept."
    return f"{first} Its id is `{outcome.ids['report_id']}`."
