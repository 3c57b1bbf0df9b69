"""An account in the settings is enough for a channel to be answered."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.discord_client import DiscordMessenger
from connectors.jira_messenger import JiraMessenger
from connectors.slack_client import SlackMessenger
from streams.channels import WAYS
from streams.config import Settings

ACCOUNTS: list[tuple[str, dict[str, Any], type]] = [
    ("jira", {"url": "https://acme.atlassian.net", "token": "t"}, JiraMessenger),
    ("slack", {"token": "xoxb-1"}, SlackMessenger),
    ("discord", {"token": "t"}, DiscordMessenger),
]


@pytest.mark.parametrize(("channel", "account", "kind"), ACCOUNTS, ids=lambda v: str(v)[:12])
def test_with_an_account_a_channel_is_answered_and_without_one_not(
    channel: str, account: dict[str, Any], kind: type
) -> None:
    [way] = [way for way in WAYS if way.channel == channel]

    assert way.messenger(Settings()) is None
    assert isinstance(way.messenger(Settings.model_validate({channel: account})), kind)
