"""What `bugstream doctor` says of each channel: who can come in, and what a downtime costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from schemas.errors import BugstreamError
from streams.channels import WAYS, Way
from streams.config import Settings
from streams.doctor_kafka import Check
from streams.webhooks import setting_of

if TYPE_CHECKING:
    from connectors.poll_cursors import Polled

ERROR_CHARS_SHOWN_MAX = 300


def check_channels(settings: Settings) -> Iterator[Check]:
    """Yield a line for each channel. Asks nobody: what pollers found is what they noted."""
    polled = standings(settings)
    for way in WAYS:
        yield _check(way, settings, polled)


def standings(settings: Settings) -> Mapping[str, Polled]:
    """Return how each poller stands, by its name; empty where there is no inbox yet."""
    if settings.database_url is None and not (settings.data_dir / "inbox.sqlite").exists():
        return {}
    from connectors.database import open_engine
    from connectors.poll_cursors import PollCursors

    try:
        engine = open_engine(settings.store_url("inbox"))
        try:
            return {one.name: one for one in PollCursors(engine).all()}
        finally:
            engine.dispose()
    except BugstreamError:
        return {}


def said_of(polled: Polled | None) -> str:
    """Return in words how a poller stands."""
    if polled is None:
        return "has not asked yet"
    last = f"last round {polled.polled_at[:19]}" if polled.polled_at else "no round has ended well"
    return f"{last}, {polled.found} found"


def _check(way: Way, settings: Settings, polled: Mapping[str, Polled]) -> Check:
    name = f"channel {way.channel}"
    secrets = settings.secrets_by_door()
    closed = [door for door in way.doors if not secrets.get(door.name)]
    has_account = bool(way.account and settings.accounts_at(way.account))
    asked = _asked(way, settings)
    parts = [*_doors(way, secrets), *_account(way, has_account=has_account)]
    if way.can_be_asked and not asked:
        parts.append("asks nothing: that needs the account, and sources by their whole names")
    parts += [f"asks {one}: {said_of(polled.get(one))}" for one in asked]
    found = f"{'; '.join(parts) or 'open'}. After a downtime: {_recovery(way)}"
    errors = [f"{one}: {polled[one].error}" for one in asked if one in polled and polled[one].error]
    if errors:
        return Check(name, "note", found, "; ".join(errors)[:ERROR_CHARS_SHOWN_MAX])
    if way.channel == "http" and not settings.api_tokens:
        return Check(name, "note", found.replace("open", "closed", 1), "To use it, set api_tokens.")
    is_used = has_account or bool(asked) or len(closed) < len(way.doors)
    if is_used or not (way.doors or way.account):
        return Check(name, "ok", found)
    wanted = [setting_of(door) for door in closed] + ([f"[{way.account}]"] if way.account else [])
    return Check(name, "note", found, f"To use it, set what you need of {', '.join(wanted)}.")


def _asked(way: Way, settings: Settings) -> list[str]:
    pollers = way.pollers(settings)
    for poller in pollers:
        poller.close()
    return [poller.name for poller in pollers]


def _doors(way: Way, secrets: Mapping[str, object]) -> Iterator[str]:
    said = [f"{door.name} {'open' if secrets.get(door.name) else 'closed'}" for door in way.doors]
    if said:
        yield f"doors: {', '.join(said)}"


def _account(way: Way, *, has_account: bool) -> Iterator[str]:
    if way.account:
        yield f"account {way.account} {'set' if has_account else 'not set'}"


def _recovery(way: Way) -> str:
    said: dict[str, list[str]] = {}
    for door in way.doors:
        said.setdefault(door.recovery, []).append(door.name)
    if len(said) == 1:
        return next(iter(said))
    parts = [f"({', '.join(names)}) {sentence}" for sentence, names in said.items()]
    return " ".join([*parts, way.recovery]).strip()
