"""Every channel there is, once: how it comes in, how it is read, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors import discord, github, jira, monitoring, slack
from connectors.channel import Door
from processors.channels import discord as discord_text
from processors.channels import github as github_text
from processors.channels import http as http_text
from processors.channels import jira as jira_text
from processors.channels import monitoring as monitoring_text
from processors.channels import slack as slack_text
from processors.channels.parsed import Parser
from schemas.event import Channel
from streams import outlets

if TYPE_CHECKING:
    from connectors.poller import Poller
    from processors.ports import Messenger
    from streams.config import Settings


def _no_messenger(settings: Settings) -> Messenger | None:
    del settings
    return None


def _no_pollers(settings: Settings) -> Sequence[Poller]:
    del settings
    return ()


@dataclass(frozen=True, slots=True)
class Way:
    """One channel, all of it."""

    channel: Channel
    parse: Parser
    doors: tuple[Door, ...] = ()
    messenger: Callable[[Settings], Messenger | None] = _no_messenger
    """Answers there, or None where the settings name no account."""
    pollers: Callable[[Settings], Sequence[Poller]] = _no_pollers
    """Ask it what was lost, for each account that the settings name."""


WAYS: tuple[Way, ...] = (
    Way("github", github_text.parse, (github.DOOR,)),
    Way("jira", jira_text.parse, jira.DOORS, messenger=outlets.jira),
    Way("slack", slack_text.parse, slack.DOORS, messenger=outlets.slack),
    Way("discord", discord_text.parse, discord.DOORS, messenger=outlets.discord),
    Way("monitoring", monitoring_text.parse, monitoring.DOORS),
    Way("http", http_text.parse),
)


def pollers(settings: Settings) -> list[Poller]:
    """Return whatever is to be asked, of all channels."""
    return [poller for way in WAYS for poller in way.pollers(settings)]


DOORS: tuple[Door, ...] = tuple(door for way in WAYS for door in way.doors)
PARSERS: Mapping[str, Parser] = {way.channel: way.parse for way in WAYS}
