"""Our bot at Discord."""

from __future__ import annotations

from schemas.accounts.account import Secret, TokenAccount, WebAddress


class DiscordAccount(TokenAccount):
    """`[discord]`: to answer with. Discord keeps nothing that could be asked for afterwards."""

    url: WebAddress = "https://discord.com/api/v10"
    token: Secret
    """The bot's."""
