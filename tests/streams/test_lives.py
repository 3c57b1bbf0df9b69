from __future__ import annotations

from collections import defaultdict

from schemas.codec import decode, encode
from schemas.lifecycle import STATUS_AFTER
from streams.lives import lives


def test_lives_hold_every_type_of_event_and_survive_the_wire() -> None:
    events = list(lives(seed=1, count=100))

    assert {event.type for event in events} == set(STATUS_AFTER)
    assert [decode(encode(event)) for event in events] == events


def test_same_seed_tells_the_same_lives() -> None:
    assert list(lives(seed=1, count=5)) == list(lives(seed=1, count=5))


def test_every_life_begins_with_its_bug_being_opened() -> None:
    of_bug = defaultdict(list)
    for event in lives(seed=1, count=30):
        of_bug[event.bug_id].append(event.type)

    assert len(of_bug) == 30
    assert {types[0] for types in of_bug.values()} == {"bug.opened"}
    assert max(types.count("bug.opened") for types in of_bug.values()) == 1
