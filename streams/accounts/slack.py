"""Slack: our app in one workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.accounts.sources import named

if TYPE_CHECKING:
    from connectors.poller import Poller
    from connectors.slack_api import SlackApi
    from processors.ports import Messenger
    from streams.config import Settings


def api_of(settings: Settings) -> SlackApi | None:
    """Return what asks Slack; it takes no connection yet."""
    account = settings.slack
    if account is None:
        return None
    from connectors.slack_api import SlackApi

    return SlackApi(account.token.get_secret_value(), base_url=account.url)


def messenger(settings: Settings) -> Messenger | None:
    """Return what answers in threads of Slack."""
    account = settings.slack
    if account is None:
        return None
    from connectors.slack_client import SlackMessenger
    from processors.chat_text import to_slack

    return SlackMessenger(account.token.get_secret_value(), to_slack, base_url=account.url)


def pollers(settings: Settings) -> list[Poller]:
    """Return what asks each channel of Slack that is a source, each by connections of its own."""
    account = settings.slack
    if account is None or not account.backfill:
        return []
    from connectors.slack_poller import SlackPoller

    names = [name for name in named(settings, "slack") if name.count("/") == 1]
    asked = [(api_of(settings), name) for name in names]
    return [SlackPoller(api, name, every_s=account.poll_every_s) for api, name in asked if api]
