"""Our bot at Discord."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from schemas.accounts.account import Account, Secret, require_private


class DiscordAccount(Account):
    """`[discord]`: to answer with. Discord keeps nothing that could be asked for afterwards."""

    url: str = Field(default="https://discord.com/api/v10", pattern=r"^https?://[!-~]{1,300}$")
    token: Secret
    """The bot's."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_private(self.url, "url")
        return self
