"""Every family says its name, and its start cannot look at a character often."""

from __future__ import annotations

import time

import pytest

from processors.traces.base import Family, inside_out, joined, next_filled
from processors.traces.find import FAMILIES
from schemas.reports import Frame

_LINES = tuple(
    (piece * 2000)[:2000]
    for piece in ("a", "1", ":", " ", "@", "at ", "#0 ", "a.b:1", "(a:1", "/a.go:1", '"', "'", "a/")
)


def test_no_two_families_have_one_name() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_start_is_decided_quickly(family: Family) -> None:
    before = time.process_time()
    for line in _LINES:
        family.start.match(line)

    # 26 KB; a pattern that looks at each pair of characters once takes some hundred times longer.
    assert time.process_time() - before < 0.1


def test_broken_lines_blank_lines_and_turned_frames() -> None:
    frames = (Frame(path="a"), Frame(path="b"))

    assert joined(["at a(", "  B.java:1)"], 0) == ("at a(B.java:1)", "at a( B.java:1)")
    assert joined(["at a("], 0) is None
    assert next_filled(["", "x"], 0) == 1
    assert next_filled(["", "", "x"], 0) == 1
    assert inside_out(frames) == frames[::-1]
