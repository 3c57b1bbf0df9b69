"""What is done beyond the lowest open offset, in few characters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import FatalError
from streams.done_set import WINDOW_OFFSETS, decode, encode
from streams.log import METADATA_CHARS_MAX


@given(
    base=st.integers(0, 2**60),
    above=st.sets(st.integers(1, WINDOW_OFFSETS), max_size=300),
)
def test_what_was_packed_comes_out(base: int, above: set[int]) -> None:
    done = {base + offset for offset in above}

    assert decode(base, encode(base, done)) == done


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 1.0])
def test_a_full_window_always_fits(share: float) -> None:
    chance = random.Random(1)
    done = {n for n in range(1, WINDOW_OFFSETS + 1) if chance.random() < share} | {WINDOW_OFFSETS}

    text = encode(0, done)

    assert len(text) <= METADATA_CHARS_MAX
    assert decode(0, text) == done


def test_runs_are_short() -> None:
    assert encode(10, set()) == ""
    assert len(encode(10, set(range(12, 20_000)))) <= 12


@pytest.mark.parametrize("offset", [10, 9, 11 + WINDOW_OFFSETS])
def test_an_offset_outside_of_the_window_is_refused(offset: int) -> None:
    with pytest.raises(ValueError, match="must lie within"):
        encode(10, {offset})


@pytest.mark.parametrize("text", ["keys=3", "AgA=", "AQD/////", "AQE=", "!", "AQH/"])
def test_foreign_metadata_ends_the_process(text: str) -> None:
    with pytest.raises(FatalError, match="not a set of done offsets"):
        decode(0, text)
