"""The channels fit together."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.discord_client import DiscordMessenger
from connectors.github_messenger import GitHubMessenger
from connectors.jira_messenger import JiraMessenger
from connectors.slack_client import SlackMessenger
from schemas.event import CHANNELS
from streams.channels import DOORS, PARSERS, WAYS
from streams.config import Settings
from tests.connectors.fakes.github_app import pem

ACCOUNTS: list[tuple[str, dict[str, Any], type]] = [
    ("github", {"token": "t"}, GitHubMessenger),
    ("github", {"app_id": "7", "private_key": pem()}, GitHubMessenger),
    ("jira", {"url": "https://acme.atlassian.net", "token": "t"}, JiraMessenger),
    ("slack", {"token": "xoxb-1"}, SlackMessenger),
    ("discord", {"token": "t"}, DiscordMessenger),
]


def test_names_and_paths_are_unique() -> None:
    assert len({door.name for door in DOORS}) == len({door.path for door in DOORS}) == len(DOORS)
    assert all(door.path.startswith("/webhooks/") for door in DOORS)


def test_each_channel_stands_there_once_and_its_doors_lead_to_it() -> None:
    assert len(PARSERS) == len(WAYS)
    assert set(PARSERS) <= set(CHANNELS)
    assert all(door.channel == way.channel for way in WAYS for door in way.doors)


def test_every_door_says_what_becomes_of_what_was_sent_while_we_were_down() -> None:
    said = [door.recovery for door in DOORS] + [way.recovery for way in WAYS if not way.doors]

    assert all(sentence.endswith(".") and len(sentence) > 20 for sentence in said)
    lost = {door.name for door in DOORS if "cannot be" in door.recovery}
    assert lost >= {"slack-command", "discord", "discord-events", "otlp", "pagerduty", "grafana"}
    assert {way.channel for way in WAYS if way.can_be_asked} == {
        *("github", "jira", "email", "slack", "monitoring"),
    }


@pytest.mark.parametrize(("channel", "account", "kind"), ACCOUNTS, ids=lambda v: str(v)[:12])
def test_with_an_account_a_channel_is_answered_and_without_one_not(
    channel: str, account: dict[str, Any], kind: type
) -> None:
    [way] = [way for way in WAYS if way.channel == channel]

    assert way.messenger(Settings()) is None
    assert isinstance(way.messenger(Settings.model_validate({channel: account})), kind)
