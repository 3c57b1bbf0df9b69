"""What is fed: the same each time, with the share of duplicates that is claimed."""

from __future__ import annotations

from collections import Counter
from random import Random

from schemas.codec import decode
from schemas.raw import RawReceived
from schemas.topics import RAW
from streams.prove_events_input import DUPLICATES_SHARE, raw_events


def _fed(count: int) -> list[RawReceived]:
    events = [decode(record.value) for record in raw_events(count, Random(1))]
    return [event for event in events if isinstance(event, RawReceived)]


def test_the_same_seed_feeds_the_same() -> None:
    assert list(raw_events(50, Random(1))) == list(raw_events(50, Random(1)))
    assert list(raw_events(50, Random(1))) != list(raw_events(50, Random(2)))


def test_every_delivery_is_an_event_of_its_own() -> None:
    fed = _fed(2_000)

    assert len({event.event_id for event in fed}) == 2_000
    assert {record.topic for record in raw_events(50, Random(1))} == {RAW["http"].name}


def test_the_share_of_duplicates_is_as_claimed() -> None:
    fed = _fed(4_000)

    again = sum(n - 1 for n in Counter(event.origin.key for event in fed).values())
    titles = Counter((event.body or "").split('"title":')[1].split('"')[1] for event in fed)
    repeated = sum(n - 1 for n in titles.values())
    assert abs(repeated / 4_000 - DUPLICATES_SHARE) < 0.015
    assert abs(again / repeated - 0.5) < 0.1
