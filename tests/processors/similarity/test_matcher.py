from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.similarity.exact import ExactIndexes
from processors.similarity.features import Features, Spaces, features_of
from processors.similarity.matcher import CANDIDATES_PER_KEY_MAX, GENERIC_BUGS_MIN, Matcher
from tests.processors.similarity.reports import features, matcher, report

BODY = "When I put nothing into the cart and ask for its total the program stops with an error"
KNOWN = (
    features("Total of an empty cart fails", BODY),
    features("Window is too small", "on the second screen of mine nothing of it can be read"),
    features("终端打开时闪退", "升级之后每次打开终端都会闪退"),
    features("Printing is slow", "a page takes a minute since the last release of the driver"),
)


def test_the_likest_come_first() -> None:
    found = matcher(*KNOWN).verdicts(features("Sum of an empty cart fails", BODY, item="9"))

    assert found[0].key == 0
    assert found[0].similarity > 0.5


def test_a_chinese_report_is_found_by_a_chinese_one() -> None:
    found = matcher(*KNOWN).verdicts(features("打开终端时闪退", "升级之后闪退", item="9"))

    assert found[0].key == 2


class Meaning:
    """Knows of some words that they mean the same."""

    model_id, dim = "meaning", 2

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        known = [bool(re.search("total|sums|terminal|终端", text.casefold())) for text in texts]
        return np.array([[one, not one] for one in known], np.float32)


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        ("Total gone", "Sums miss"),
        ("终端闪退", "terminal crash"),
        ("terminal crash", "终端闪退"),
    ],
)
def test_what_means_the_same_is_found_without_a_word_in_common(known: str, asked: str) -> None:
    spaces = Spaces(Meaning(), Meaning())
    found = Matcher("shop", spaces.model_id, ExactIndexes())
    for key, title in enumerate(("Quagga zebra", known)):
        found.add(key, features_of(report(title), spaces), bug=key)

    best = found.verdicts(features_of(report(asked), spaces))[0]

    assert (best.key, best.scores["meaning"]) == (1, 1.0)


def test_what_comes_after_the_first_question_is_found_and_what_is_gone_is_not() -> None:
    spaces = Spaces(Meaning(), Meaning())
    found, asked = Matcher("shop", spaces.model_id, ExactIndexes()), report("Sums miss")
    found.add(0, features_of(report("Quagga zebra"), spaces), bug=0)
    found.verdicts(features_of(asked, spaces))

    found.add(1, features_of(report("Total gone"), spaces), bug=1)
    assert found.verdicts(features_of(asked, spaces))[0].key == 1
    found.remove(1)
    assert [one.key for one in found.verdicts(features_of(asked, spaces))] == [0]


def test_of_equals_the_oldest_counts() -> None:
    found = matcher(*[KNOWN[0]] * 50).verdicts(KNOWN[0])

    assert [one.key for one in found] == [*range(CANDIDATES_PER_KEY_MAX)]


def test_a_title_that_many_bugs_have_names_none_of_them() -> None:
    title = "Crash in the small allocator of the program"
    bodies = [f"{BODY} number {at}" for at in range(GENERIC_BUGS_MIN)]
    before = matcher(*(features(title, body) for body in bodies[1:]))
    after = matcher(*(features(title, body) for body in bodies))

    assert before.verdicts(features(title, BODY))[0].merges
    assert not after.verdicts(features(title, BODY))[0].merges


TITLES = (
    "Cart total fails now",
    "Cart total fails",
    "Window small",
    "窗口太小",
    "Window is small 7",
)
ONES = {title: features(title, BODY if "fails" in title else "") for title in TITLES}
STEPS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([None, *TITLES])), max_size=20)


@given(STEPS, st.sampled_from(TITLES))
def test_a_verdict_does_not_show_by_which_way_a_state_was_reached(
    steps: list[tuple[int, str | None]], asked: str
) -> None:
    way, left = matcher(), dict[int, Features]()
    for key, title in steps:
        if title is None:
            way.remove(key)
            left.pop(key, None)
        else:
            left[key] = ONES[title]
            way.add(key, ONES[title], bug=key)
    anew = matcher()
    for key, one in left.items():
        anew.add(key, one, bug=key)

    assert len(way) == len(left)
    assert way.verdicts(ONES[asked]) == anew.verdicts(ONES[asked])


def test_a_title_of_bugs_that_are_gone_names_the_one_that_is_left() -> None:
    title = "Crash in the small allocator of the program"
    known = matcher(*(features(title, f"{BODY} number {at}") for at in range(GENERIC_BUGS_MIN)))
    asked = features(title, BODY)
    assert not known.verdicts(asked)[0].merges

    known.remove(GENERIC_BUGS_MIN - 1)

    assert known.verdicts(asked)[0].merges


def test_a_storm_of_one_alert_asks_for_no_more_the_longer_it_lasts() -> None:
    """Counted, not timed: all reports of one bug are one entry under their title."""
    storm = matcher()
    for key in range(2_000):
        storm.add(key, KNOWN[0], bug=0)

    [counted] = [bugs for name, bugs in storm._bugs_by_key.items() if name.startswith("t/")]
    assert counted == {0: 2_000}
    assert len(storm.verdicts(KNOWN[0])) == CANDIDATES_PER_KEY_MAX
