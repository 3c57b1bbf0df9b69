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
