"""Every channel there is, once: how it comes in, how it is read, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors import discord, github, jira, monitoring, slack
from connectors.channel import Door
from processors.channels import discord as discord_text
from processors.channels import email as email_text
from processors.channels import github as github_text
from processors.channels import http as http_text
from processors.channels import jira as jira_text
from processors.channels import monitoring as monitoring_text
from processors.channels import slack as slack_text
from processors.channels.parsed import Parser
from schemas.event import Channel
from schemas.raw import Origin
from streams import accounts

if TYPE_CHECKING:
    from connectors.poller import Poller
    from processors.ports import Messenger, Tracker
    from streams.config import Settings


def _no_messenger(settings: Settings) -> Messenger | None:
    del settings
    return None


def _everywhere(origin: Origin) -> bool:
    del origin
    return True


def _no_tracker(settings: Settings) -> Tracker | None:
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
    account: str = ""
    """The table that says who we are there, such as `slack`, or `account.NAME`: that needs no
    class of its own."""
    messenger: Callable[[Settings], Messenger | None] = _no_messenger
    """Answers there, or None where the settings name no account."""
    answers: Callable[[Origin], bool] = _everywhere
    """Whether that messenger can answer this item."""
    tracker: Callable[[Settings], Tracker | None] = _no_tracker
    """Shows on an item itself how its bug stands."""
    pollers: Callable[[Settings], Sequence[Poller]] = _no_pollers
    """Ask it what was lost, for each account that the settings name."""
    recovery: str = ""
    """Of a channel without doors: what becomes of what was sent while we were down."""

    @property
    def can_be_asked(self) -> bool:
        """Return whether there is any way to ask it what was lost."""
        return self.pollers is not _no_pollers


WAYS: tuple[Way, ...] = (
    Way(
        "github",
        github_text.parse,
        (github.DOOR,),
        account="github",
        messenger=accounts.github.messenger,
        answers=accounts.github.answers,
        tracker=accounts.github.labels,
        pollers=accounts.github.pollers,
    ),
    Way(
        "jira",
        jira_text.parse,
        jira.DOORS,
        account="jira",
        messenger=accounts.jira.messenger,
        tracker=accounts.jira.status,
        pollers=accounts.jira.pollers,
    ),
    Way(
        "email",
        email_text.parse,
        account="mailbox",
        messenger=accounts.mail.messenger,
        pollers=accounts.mail.pollers,
        recovery="Mails wait in the mailbox until they are read: none is lost.",
    ),
    Way(
        "slack",
        slack_text.parse,
        slack.DOORS,
        account="slack",
        messenger=accounts.slack.messenger,
        pollers=accounts.slack.pollers,
    ),
    Way(
        "discord",
        discord_text.parse,
        discord.DOORS,
        account="discord",
        messenger=accounts.discord.messenger,
    ),
    Way(
        "monitoring",
        monitoring_text.parse,
        monitoring.DOORS,
        account="alertmanager",
        messenger=accounts.monitoring.messenger,
        answers=accounts.monitoring.answers,
        pollers=accounts.monitoring.pollers,
    ),
    Way(
        "http",
        http_text.parse,
        recovery="Whoever calls has to call again until the answer is 202: nobody can be asked.",
    ),
)


def pollers(settings: Settings) -> list[Poller]:
    """Return whatever is to be asked, of all channels."""
    return [poller for way in WAYS for poller in way.pollers(settings)]


DOORS: tuple[Door, ...] = tuple(door for way in WAYS for door in way.doors)
PARSERS: Mapping[str, Parser] = {way.channel: way.parse for way in WAYS}
