"""Our app in a workspace of Slack."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from schemas.accounts.account import Account, Secret, require_private


class SlackAccount(Account):
    """`[slack]`: asked for are the channels that are sources (`slack:TEAM/CHANNEL`)."""

    url: str = Field(default="https://slack.com/api", pattern=r"^https?://[!-~]{1,300}$")
    token: Secret
    """The bot's, beginning with `xoxb-`. To ask for what was lost it needs `channels:history`, in
    private channels `groups:history`, and to be a member of the channel."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_private(self.url, "url")
        return self
