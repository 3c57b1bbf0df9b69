"""From an account in the settings to what answers there and what asks there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from processors.ports import Messenger
    from streams.config import Settings


def jira(settings: Settings) -> Messenger | None:
    """Return what comments on Jira's issues."""
    account = settings.jira
    if account is None:
        return None
    from connectors.jira_client import JiraClient
    from connectors.jira_messenger import JiraMessenger
    from processors.markup import markdown_to_adf

    client = JiraClient(account.url, token=account.token.get_secret_value(), email=account.email)
    return JiraMessenger(client, markdown_to_adf)


def slack(settings: Settings) -> Messenger | None:
    """Return what answers in threads of Slack."""
    account = settings.slack
    if account is None:
        return None
    from connectors.slack_client import SlackMessenger
    from processors.chat_text import to_slack

    return SlackMessenger(account.token.get_secret_value(), to_slack, base_url=account.url)


def discord(settings: Settings) -> Messenger | None:
    """Return what replies in Discord."""
    account = settings.discord
    if account is None:
        return None
    from connectors.discord_client import CONTENT_CHARS_MAX, MARKER_CHARS_MAX, DiscordMessenger
    from processors.chat_text import to_discord

    def render(text: str) -> list[str]:
        return list(to_discord(text, chars_max=CONTENT_CHARS_MAX - MARKER_CHARS_MAX))

    return DiscordMessenger(account.token.get_secret_value(), render, base_url=account.url)
