"""Our app in a workspace of Slack."""

from __future__ import annotations

from pydantic import Field, SecretStr

from schemas.accounts.account import Account


class SlackAccount(Account):
    """`[slack]`."""

    url: str = Field(default="https://slack.com/api", pattern=r"^https?://[!-~]{1,300}$")
    token: SecretStr
    """The bot's, beginning with `xoxb-`."""
