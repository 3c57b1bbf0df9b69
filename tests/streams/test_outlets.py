"""An account in the settings is enough for a channel to be answered."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.discord_client import DiscordMessenger
from connectors.jira_messenger import JiraMessenger
from connectors.slack_client import SlackMessenger
from streams.channels import WAYS
from streams.config import Settings
from streams.outlets import github_pollers

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


def github_settings(**account: Any) -> Settings:
    shop = {"id": "shop", "sources": ["github:acme/Shop", "github:acme/*", "jira:SHOP"]}
    till = {"id": "till", "sources": ["GitHub:acme/till"]}
    known = {"token": "t", "repositories": ["ACME/shop", "acme/docs"]}
    return Settings.model_validate({"project": [shop, till], "github": known | account})


def test_each_repository_that_the_settings_name_is_asked_once() -> None:
    [way] = [way for way in WAYS if way.channel == "github"]
    names = [poller.name for poller in way.pollers(github_settings())]

    assert sorted(names) == ["github/acme/docs", "github/acme/shop", "github/acme/till"]
    assert way.pollers(Settings()) == way.pollers(github_settings(backfill=False)) == []


def test_deliveries_are_asked_for_again_where_the_settings_say_what_is_ours() -> None:
    url = "https://bugs.example/webhooks/github"
    names = [poller.name for poller in github_pollers(github_settings(webhook_url=url))]

    assert len(names) == 6
    assert "github/acme/till/redeliveries" in names


def test_a_repository_is_written_with_its_owner() -> None:
    with pytest.raises(ValidationError, match="repositories"):
        github_settings(repositories=["shop"])
