from __future__ import annotations

from collections import Counter
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.similarity import postings
from processors.similarity.postings import Postings


def bag(text: str) -> Counter[int]:
    return Counter(crc32(word.encode()) for word in text.split())


def of(*texts: str) -> Postings:
    found = Postings()
    for key, text in enumerate(texts):
        found.add(key, bag(text))
    return found


TEXTS = ("cart total fails", "cart is empty", "the window is small", "the total of the window")


def test_the_whole_text_is_its_own_best_match() -> None:
    shares = of(*TEXTS).scores(bag(TEXTS[0]))

    assert shares.top(2)[0] == 0
    assert shares.of(0) == pytest.approx(1, abs=0.05)
    assert shares.of(2) == 0
    assert shares.of(99) == 0


def test_rare_words_count_more() -> None:
    shares = of("a b", "a c", "a d", "a e").scores(bag("a b"))

    assert shares.of(0) > 3 * shares.of(1) > 0


def test_the_share_of_one_report_needs_no_index_of_it() -> None:
    known = of(*TEXTS)

    alone = known.score(bag(TEXTS[0]), bag(TEXTS[3]))

    assert alone == pytest.approx(known.scores(bag(TEXTS[0])).of(3))


def test_words_that_stand_everywhere_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "COMMON_FROM", 20)
    known = of(*(f"everywhere rare{at}" for at in range(20)))

    assert known.scores(bag("everywhere rare3")).top(5) == [3]


def test_of_equals_the_oldest_come_first() -> None:
    assert of(*["same words"] * 30).scores(bag("same words")).top(3) == [0, 1, 2]


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
    query = bag(" ".join(asked))

    assert len(way) == len(left)
    assert _said(way, query, left) == _said(anew, query, left)


def _said(known: Postings, query: Counter[int], keys: object) -> object:
    shares = known.scores(query)
    assert isinstance(keys, dict)
    return shares.top(4), {key: shares.of(key) for key in keys}


def test_nothing_known_is_nothing_found() -> None:
    assert Postings().scores(bag("x")).top(3) == []
