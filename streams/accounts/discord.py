"""Discord: our bot, which can answer and cannot ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.discord_client import DiscordMessenger
    from streams.config import Settings


def messenger(settings: Settings) -> DiscordMessenger | None:
    """Return what replies in Discord."""
    account = settings.discord
    if account is None:
        return None
    from connectors.discord_client import CONTENT_CHARS_MAX, MARKER_CHARS_MAX, DiscordMessenger
    from processors.chat_text import to_discord

    def render(text: str) -> list[str]:
        return list(to_discord(text, chars_max=CONTENT_CHARS_MAX - MARKER_CHARS_MAX))

    return DiscordMessenger(account.token.get_secret_value(), render, base_url=account.url)
