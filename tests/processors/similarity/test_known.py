from __future__ import annotations

import json
from array import array
from base64 import b64encode
from datetime import timedelta

import pytest

from processors.similarity.known import Known, known_of, name_key, read, written
from schemas.event import human_id
from tests.factories import BUG_ID, EPOCH, normalized
from tests.processors.similarity.reports import SPACES


def known() -> Known:
    return known_of(normalized("It fails at noon", updated_at=EPOCH), BUG_ID, SPACES, order=3)


def test_what_is_kept_can_be_read_again() -> None:
    assert read(written(known(), SPACES.model_id), SPACES.model_id) == known()


def test_vectors_of_another_model_are_left_out() -> None:
    found = read(written(known(), "another"), SPACES.model_id)

    assert (found.features.main, found.features.many) == (b"", b"")
    assert found.features.counts == known().features.counts


def test_a_record_of_the_first_releases_is_read() -> None:
    first = {
        "v": 1,
        "order": 3,
        "report": str(known().report_id),
        "bug": str(BUG_ID),
        "project": "shop",
        "content": "cd" * 32,
        "text": "a",
        "words": 4,
        "stacks": ["b"],
        "sketch": b64encode(array("I", [1, 2]).tobytes()).decode(),
    }

    found = read(json.dumps(first).encode(), SPACES.model_id)

    assert (found.bug_id, found.features.stacks, found.updated_at) == (BUG_ID, ("b",), None)


@pytest.mark.parametrize("value", [b"", b"{}", b'{"v": 2}', b"[]"])
def test_what_is_no_record_is_an_error(value: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        read(value, SPACES.model_id)


def test_what_came_later_is_newer() -> None:
    assert known().is_newer_than(EPOCH - timedelta(seconds=1))
    assert not known().is_newer_than(EPOCH)
    assert not known().is_newer_than(None)


def test_a_name_finds_a_bug_in_whatever_year_it_was_opened() -> None:
    assert known().name_key() == name_key("shop", human_id(BUG_ID, 2031))
