"""Our app in a workspace of Slack."""

from __future__ import annotations

from schemas.accounts.account import Secret, TokenAccount, WebAddress


class SlackAccount(TokenAccount):
    """`[slack]`: asked for are the channels that are sources (`slack:TEAM/CHANNEL`)."""

    url: WebAddress = "https://slack.com/api"
    token: Secret
    """The bot's, beginning with `xoxb-`. To ask for what was lost it needs `channels:history`, in
    private channels `groups:history`, and to be a member of the channel."""
