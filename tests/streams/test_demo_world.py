"""The little world answers our own adapters as the great one does."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from schemas.raw import Origin
from streams.config import Settings
from streams.demo_world import CHANNEL, TEAM, World
from streams.telling import outlets

KEY = UUID(int=7)
SLACK = Origin(channel="slack", container=f"{TEAM}/{CHANNEL}", item="command/1")
ALERT = Origin(channel="monitoring", container="alertmanager/shop", item="f1")


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.mark.parametrize(("origin", "where"), [(SLACK, "Slack"), (ALERT, "Alertmanager")])
def test_an_answer_is_found_again_and_told_once(world: World, origin: Origin, where: str) -> None:
    messenger = outlets(Settings.model_validate(world.settings)).messenger

    assert messenger.find(origin, KEY) is None
    messenger.post(origin, "**BUG-2026-7F3K2: received.**", KEY)
    assert messenger.find(origin, KEY) is not None
    messenger.post(origin, "**BUG-2026-7F3K2: received.**", KEY)

    [told] = world.told
    assert told.where.startswith(where)
    assert "BUG-2026-7F3K2: received." in told.text


def test_an_alert_of_another_answer_is_not_taken_for_this_one(world: World) -> None:
    settings = Settings.model_validate(world.settings)
    messenger = outlets(settings).messenger
    messenger.post(ALERT, "an answer", KEY)

    assert messenger.find(ALERT, UUID(int=8)) is None
