"""The doors fit together."""

from __future__ import annotations

from processors.channels import PARSERS
from schemas.event import CHANNELS
from streams.channels import DOORS


def test_names_and_paths_are_unique() -> None:
    assert len({door.name for door in DOORS}) == len({door.path for door in DOORS}) == len(DOORS)
    assert all(door.path.startswith("/webhooks/") for door in DOORS)


def test_whatever_a_door_lets_in_has_a_parser() -> None:
    assert {door.channel for door in DOORS} <= set(PARSERS) <= set(CHANNELS)
