"""What a person types after `/bug`, in any chat, and what is said back to that person alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args
from uuid import UUID

from connectors.channel import ABOUT, Outcome, Verb
from schemas.raw import report_id_of

NOTE_CHARS_MAX = 10_000
NAME_CHARS_MAX = 450
"""Of a report: its channel, its container and its item."""
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)
HELP = (
    "Say what is wrong: `/bug The total ignores the coupon`.\n"
    "Decide about a bug: `/bug approve BUG-2026-7F3K2`, and in the same way `reject`, `retry` and"
    " `abandon`. Two bugs are one: `/bug merge BUG-2026-9QZ4M into BUG-2026-7F3K2`. They are two,"
    " however alike: `/bug keep apart BUG-2026-9QZ4M from BUG-2026-7F3K2`. A report is of another"
    " fault: `/bug split BUG-2026-7F3K2 report github:acme/shop#12`. Words after that are kept as"
    " your note."
)
_BUG = re.compile(r"BUG-[A-Z0-9-]{1,30}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_KEEP_APART = re.compile(r"\Akeep\s{1,9}apart(?=\s|$)", re.IGNORECASE)
_REPORT = re.compile(
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<place>[a-z][a-z0-9-]{0,19}:[!-~]{1,200}#[!-~]{1,200})"
)
_QUOTES = "`*_'\"<>.,;:"
"""What people and chats put around a name that they copied."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something is asked of a bug."""

    verb: Verb
    bug: str
    note: str
    about: str = ""
    """The other bug, or the report as people see it: its id or its place."""


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
    words = _KEEP_APART.sub("keep-apart", text, count=1).split(maxsplit=2)
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


def wish(verb: Verb, bug: str, rest: str, about: str = "") -> Wish | Unclear:
    """Return what is asked of `bug`. What a merge, say, is about is `about`, else first in `rest`.

    The word that `ABOUT` has for it may stand before it.
    """
    if verb not in ABOUT:
        return Wish(verb, bug, _note(rest))
    if not about:
        found = re.match(rf"(?:{ABOUT[verb]}\s+)?(?P<about>\S+)", rest, re.IGNORECASE)
        about, rest = (found["about"], rest[found.end() :]) if found else ("", rest)
    named = _report_named(about) if verb == "split" else bug_name(about)
    return Unclear(which_bug(verb)) if named is None else Wish(verb, bug, _note(rest), named)


def report_id(named: str) -> UUID | None:
    """Return the id of a report that is named by it or by its place; None where it is neither."""
    found = _REPORT.fullmatch(named)
    if found is None:
        return None
    return UUID(found["id"]) if found["id"] else report_id_of(found["place"])


def _report_named(word: str) -> str | None:
    named = word[:NAME_CHARS_MAX].strip(_QUOTES)
    return named if report_id(named) else None


def _note(rest: str) -> str:
    return rest.strip()[:NOTE_CHARS_MAX]


def which_bug(verb: Verb) -> str:
    """Return what is said to a person who left out the bug's name, or mistyped it."""
    if verb == "merge":
        return "Which bugs? For example `/bug merge BUG-2026-9QZ4M into BUG-2026-7F3K2`."
    if verb == "keep-apart":
        return "Which bugs? For example `/bug keep apart BUG-2026-9QZ4M from BUG-2026-7F3K2`."
    if verb == "split":
        return (
            "Which report? Its id or its place as the bug lists it, for example"
            " `/bug split BUG-2026-7F3K2 report github:acme/shop#12`."
        )
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
