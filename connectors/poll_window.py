"""From when on a provider is asked: from the last round, or a little before the first one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from connectors.poller import Cursor

FIRST_BACK_S = 3_600
"""At the first round ever. Nothing was lost before it, and a whole history is no news."""
BACK_S_MAX = 30 * 86_400
"""After a longer downtime the rest is for people to look at."""
Now = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def start_of(cursor: Cursor | None, now: datetime) -> datetime:
    """Return from when on to ask: where the round before ended, within the limits."""
    until = moment(cursor.get("until")) if cursor else None
    if until is None:
        return now - timedelta(seconds=FIRST_BACK_S)
    return max(min(until, now), now - timedelta(seconds=BACK_S_MAX))


def end_at(until: datetime) -> Cursor:
    """Return the cursor of a round that has asked for everything before `until`."""
    return {"until": until.isoformat()}


def moment(value: object) -> datetime | None:
    """Return the time that a text says, if it says one with its zone."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
