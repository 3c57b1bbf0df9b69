"""Which way a message goes: the channel's own account, else the `answer_url` of the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from uuid import UUID

from connectors.governor import GovernedMessenger, GovernedTracker, Governor
from connectors.webhook_messenger import WebhookMessenger
from processors.notify import Outlets
from processors.ports import Messenger, Tracker
from processors.projects import project_of
from schemas.accounts.account import Account
from schemas.raw import Origin
from streams.channels import WAYS, Way
from streams.config import Settings


@runtime_checkable
class Choosy(Protocol):
    """A messenger that may not answer everybody: a mail's sender may be a program."""

    def no_answer(self, origin: Origin) -> str | None:
        """Return why nothing may be posted there; None: it may. Raises `TransientError`."""


@dataclass(frozen=True, slots=True)
class Routed:
    """A `Messenger` made of those of the channels, and one for all channels without any."""

    by_channel: Mapping[str, Messenger]
    otherwise: Messenger
    answers: Callable[[Origin], bool]
    """Whether the channel's own messenger can answer this item."""

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an earlier message with this key."""
        return self._of(origin).find(origin, key)

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text` once and return the receipt."""
        return self._of(origin).post(origin, text, key)

    def _of(self, origin: Origin) -> Messenger:
        return self.by_channel[origin.channel] if self.answers(origin) else self.otherwise


def outlets(settings: Settings) -> Outlets:
    """Return all that notify writes to, each provider behind one governor of its own."""
    messengers: dict[str, Messenger] = {}
    trackers: dict[str, Tracker] = {}
    choosy: dict[str, Choosy] = {}
    for way in WAYS:
        messenger, tracker = way.messenger(settings), way.tracker(settings)
        if messenger is None and tracker is None:
            continue
        governor = Governor(way.channel, _per_minute_max(way, settings))
        if messenger is not None:
            if isinstance(messenger, Choosy):
                choosy[way.channel] = messenger
            messengers[way.channel] = GovernedMessenger(messenger, governor)
        if tracker is not None:
            trackers[way.channel] = GovernedTracker(tracker, governor)

    def address(origin: Origin) -> str | None:
        mapping = project_of(settings.project, origin)
        project = settings.project_of(mapping.project)
        return project.answer_url if project else None

    by_name = {way.channel: way for way in WAYS}

    def answers(origin: Origin) -> bool:
        if origin.channel not in messengers or not by_name[origin.channel].answers(origin):
            return False
        asked = choosy.get(origin.channel)
        return asked is None or asked.no_answer(origin) is None

    return Outlets(
        messenger=Routed(messengers, WebhookMessenger(address), answers),
        reaches=lambda origin: answers(origin) or address(origin) is not None,
        tracker=lambda origin: trackers.get(origin.channel),
        project_of=settings.project_of,
    )


def _per_minute_max(way: Way, settings: Settings) -> int:
    accounts = settings.accounts_at(way.account) if way.account else ()
    limits = [one.messages_per_minute_max for one in accounts]
    return min(limits, default=Account().messages_per_minute_max)
