"""Jira: our account at one site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.accounts.sources import named

if TYPE_CHECKING:
    from connectors.jira_client import JiraClient
    from connectors.poller import Poller
    from processors.ports import Messenger, Tracker
    from streams.config import Settings


def client_of(settings: Settings) -> JiraClient | None:
    """Return what asks Jira, for messages and for pollers; it takes no connection yet."""
    account = settings.jira
    if account is None:
        return None
    from connectors.jira_client import JiraClient

    return JiraClient(account.url, token=account.token.get_secret_value(), email=account.email)


def messenger(settings: Settings) -> Messenger | None:
    """Return what comments on Jira's issues."""
    client = client_of(settings)
    if client is None:
        return None
    from connectors.jira_messenger import JiraMessenger
    from processors.markup import markdown_to_adf

    return JiraMessenger(client, markdown_to_adf)


def status(settings: Settings) -> Tracker | None:
    """Return what moves Jira's issues to another status, where the settings want that."""
    account, client = settings.jira, client_of(settings)
    if account is None or client is None or not account.transitions:
        return None
    from connectors.jira_messenger import JiraTracker

    return JiraTracker(client, {str(name): to for name, to in account.transitions.items()})


def pollers(settings: Settings) -> list[Poller]:
    """Return what asks Jira for the issues of the projects that are sources."""
    account, projects = settings.jira, named(settings, "jira")
    client = client_of(settings)
    if account is None or client is None or not account.backfill or not projects:
        return []
    from connectors.jira_poller import JiraPoller

    return [JiraPoller(client, projects, every_s=account.poll_every_s)]
