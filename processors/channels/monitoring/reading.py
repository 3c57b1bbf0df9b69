"""How the words of machines are read: severities, times, links, and lists of names and values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.reports import Severity

TITLE_CHARS_MAX = 300
VALUE_CHARS_MAX = 2_000
PAIRS_MAX = 40
_URL = re.compile(r"https?://[!-~]{1,1900}")
_LEVELS = {
    Severity.CRITICAL: "critical crit fatal emergency alert page disaster blocker sev0 sev1 p0",
    Severity.HIGH: "error err high major sev2 p1",
    Severity.MEDIUM: "warning warn medium average moderate sev3 p2",
    Severity.LOW: "info information informational notice low minor debug none sev4 sev5 p3 p4 p5",
}
_SEVERITY_OF = {word: level for level, words in _LEVELS.items() for word in words.split()}


def severity_named(what: str, word: str) -> tuple[Severity, str]:
    """Return the severity that `word` stands for, and why: `what` said it."""
    found = _SEVERITY_OF.get(word.strip().casefold(), Severity.UNKNOWN)
    return found, "" if found is Severity.UNKNOWN else f"{what} says {word.strip()!r}"


def first_known(said: Iterable[tuple[str, str]]) -> tuple[Severity, str]:
    """Return the first severity that any of `said` (who says it, which word) stands for."""
    named = (severity_named(what, word) for what, word in said)
    unknown = (Severity.UNKNOWN, "")
    return next((one for one in named if one[0] is not Severity.UNKNOWN), unknown)


def moment(value: object) -> str | None:
    """Return the time `value` as ISO 8601 with a zone; None for none and for the year one."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        # Go writes the time that is not set as the first second of the year one.
        return found.isoformat() if found.astimezone(UTC).year > 1 else None
    except (ValueError, OverflowError):
        return None


def nanoseconds(value: object) -> str | None:
    """Return the time that many nanoseconds after 1970, which JSON carries as a text."""
    try:
        seconds = int(str(value)[:30]) // 1_000_000_000
        return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def link(value: object) -> str | None:
    """Return `value` if it is an http or https URL of sensible length."""
    return value if isinstance(value, str) and _URL.fullmatch(value) else None


def child(parent: object, *names: str) -> dict[str, Any]:
    """Return the object at the path `names` below `parent`; an empty one where there is none."""
    for name in names:
        parent = parent.get(name) if isinstance(parent, dict) else None
    return parent if isinstance(parent, dict) else {}


def objects(parent: object, name: str) -> list[dict[str, Any]]:
    """Return the objects in the list `name` of `parent`; of anything else nothing."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def word(value: object) -> str:
    """Return a text, a number or a truth value as a text; of anything else an empty one."""
    return str(value) if isinstance(value, str | int | float) else ""


def pairs(holder: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return the names and values in `holder` that say anything, at most `PAIRS_MAX`."""
    said = ((name, word(value)[:VALUE_CHARS_MAX]) for name, value in holder.items())
    return tuple((name[:200], value) for name, value in said if value)[:PAIRS_MAX]


def listed(said: Iterable[tuple[str, str]]) -> str:
    """Return names and values as a list in Markdown."""
    return "\n".join(f"- {name}: {' '.join(value.split())}" for name, value in said)


def title_of(*parts: str) -> str:
    """Return what of `parts` says anything as one line of sensible length."""
    line = ": ".join(" ".join(part.split()) for part in parts if part.strip())
    return line[:TITLE_CHARS_MAX]


def paragraphs(*parts: str) -> str:
    """Return what of `parts` says anything, with a blank line between."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def fenced(code: str) -> str:
    """Return `code` between fences that it cannot end itself."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{code.rstrip()}\n{fence}" if code.strip() else ""
