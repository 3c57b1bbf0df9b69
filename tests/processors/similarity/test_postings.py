from __future__ import annotations

from collections import Counter
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.similarity import postings
from processors.similarity.postings import Postings, length_of


def bag(text: str) -> Counter[int]:
    return Counter(crc32(word.encode()) for word in text.split())


def of(*texts: str) -> Postings:
    found = Postings()
    for key, text in enumerate(texts):
        found.add(key, bag(text))
    return found


TEXTS = ("cart total fails", "cart is empty", "the window is small", "the total of the window")


def top(known: Postings, text: str, count: int = 5) -> list[int]:
    return known.top(known.asked(bag(text)), count)


def share(known: Postings, text: str, other: str) -> float:
    return known.asked(bag(text)).share(bag(other), length_of(bag(other)))


def test_the_whole_text_is_its_own_best_match() -> None:
    known = of(*TEXTS)

    assert top(known, TEXTS[0])[0] == 0
    assert share(known, TEXTS[0], TEXTS[0]) == pytest.approx(1)
    assert share(known, TEXTS[0], TEXTS[2]) == 0


def test_rare_words_count_more() -> None:
    known = of("a b", "a c", "a d", "a e")

    assert share(known, "a b", "b x") > 3 * share(known, "a b", "a x") > 0


def test_the_same_word_counts_less_in_a_longer_report() -> None:
    known = of("a b", "c d")

    assert share(known, "a b", "a x") > share(known, "a b", "a x y z") > 0


def test_the_order_is_that_of_the_shares() -> None:
    known = of(*TEXTS)
    shares = {key: share(known, "the total of a cart", text) for key, text in enumerate(TEXTS)}

    assert top(known, "the total of a cart") == sorted(shares, key=lambda key: -shares[key])


def test_words_that_stand_everywhere_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "COMMON_FROM", 20)
    known = of(*(f"everywhere rare{at}" for at in range(20)))

    assert top(known, "everywhere rare3") == [3]


def test_of_equals_the_oldest_come_first() -> None:
    assert top(of(*["same words"] * 30), "same words", 3) == [0, 1, 2]


WORDS = st.text("abc", min_size=1, max_size=1)
STEPS = st.lists(st.tuples(st.integers(0, 5), st.none() | st.lists(WORDS, max_size=4)), max_size=30)


@pytest.mark.parametrize("dead_min", [0, 1_000])
@given(steps=STEPS, asked=st.lists(WORDS, min_size=1, max_size=3))
def test_a_score_does_not_show_by_which_way_a_state_was_reached(
    dead_min: int, steps: list[tuple[int, list[str] | None]], asked: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "DEAD_MIN", dead_min)
        way, left = Postings(), dict[int, Counter[int]]()
        for key, words in steps:
            if words is None:
                way.remove(key)
                left.pop(key, None)
            else:
                left[key] = bag(" ".join(words))
                way.add(key, left[key])
    anew = Postings()
    for key, counts in sorted(left.items()):
        anew.add(key, counts)
    query = " ".join(asked)

    assert len(way) == len(left)
    assert top(way, query, 4) == top(anew, query, 4)
    assert way.asked(bag(query)) == anew.asked(bag(query))


def test_nothing_known_is_nothing_found() -> None:
    assert top(Postings(), "x") == []
