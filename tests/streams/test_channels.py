"""The channels fit together."""

from __future__ import annotations

from schemas.event import CHANNELS
from streams.channels import DOORS, PARSERS, WAYS


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
