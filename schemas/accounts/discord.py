"""Our bot at Discord."""

from __future__ import annotations

from pydantic import Field, SecretStr

from schemas.accounts.account import Account


class DiscordAccount(Account):
    """`[discord]`."""

    url: str = Field(default="https://discord.com/api/v10", pattern=r"^https?://[!-~]{1,300}$")
    token: SecretStr
    """The bot's."""
