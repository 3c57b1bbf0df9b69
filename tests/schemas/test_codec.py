from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas import registry
from schemas.codec import decode, encode, headers
from schemas.errors import PoisonError, UnknownEventError
from schemas.event import EVENT_BYTES_MAX, Event
from tests.factories import EXAMPLES, opened

GOLDEN = Path(__file__).parents[2] / "schemas" / "examples"


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda e: e.type)
def test_event_survives_the_wire(event: Event) -> None:
    assert decode(encode(event)) == event


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.json")), ids=lambda p: p.stem)
def test_every_version_ever_written_still_decodes(path: Path) -> None:
    event = decode(path.read_bytes())

    assert path.parent.name == registry.BY_TYPE[event.type].topic(event).name


def test_every_type_has_a_golden_file_of_its_newest_version() -> None:
    stems = {path.stem for path in GOLDEN.rglob("*.json")}

    assert stems >= {f"{entry.name}.v{entry.version}" for entry in registry.ALL}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda e: e.type)
def test_golden_file_of_the_newest_version_is_what_we_write_today(event: Event) -> None:
    [path] = GOLDEN.rglob(f"{event.type}.v{event.version}.json")

    assert json.loads(path.read_bytes()) == json.loads(encode(event))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "no value"),
        (b"\xff\x00garbage", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "no 'type'"),
        (b'{"type": "bug.opened", "version": 0}', "'version'"),
        (b'{"type": "bug.opened"}', "bad fields"),
    ],
)
def test_bytes_that_can_never_be_read_are_poison(value: bytes | None, says: str) -> None:
    with pytest.raises(PoisonError, match=says):
        decode(value)


@pytest.mark.parametrize("change", [{"type": "bug.teleported"}, {"version": 99}])
def test_what_a_newer_release_wrote_is_unknown_and_not_poison(change: dict[str, object]) -> None:
    fields = json.loads(encode(opened())) | change

    with pytest.raises(UnknownEventError):
        decode(json.dumps(fields).encode())


def test_a_field_that_a_newer_release_added_is_ignored() -> None:
    fields = json.loads(encode(opened())) | {"mood": "blue"}

    assert decode(json.dumps(fields).encode()) == opened()


def test_an_event_too_large_for_kafka_is_refused_with_the_way_out() -> None:
    big = opened().model_copy(update={"fingerprints": ("x" * EVENT_BYTES_MAX,)})

    with pytest.raises(PoisonError, match="belongs in a blob"):
        encode(big)


def test_headers_follow_the_cloudevents_binding() -> None:
    named = dict(headers(opened()))

    assert named["ce_specversion"] == b"1.0"
    assert named["ce_type"] == b"bug.opened"
    assert named["ce_id"] == str(opened().event_id).encode()
    assert named["ce_subject"] == str(opened().bug_id).encode()
