from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.similarity.fingerprints import (
    SKETCH_SIZE,
    bands,
    jaccard,
    sketch,
    stack_fingerprints,
    text_key,
)
from schemas.reports import BugReport, Frame, StackTrace
from tests.factories import normalized

WORDS = st.lists(st.sampled_from([f"w{i}" for i in range(50)]), min_size=4, max_size=60)


def report(text: str, **fields: object) -> BugReport:
    return normalized(text).report.model_copy(update=fields)


@given(WORDS)
def test_a_text_is_fully_like_itself_and_meets_itself(words: list[str]) -> None:
    assert jaccard(sketch(words), sketch(words)) == 1.0
    assert bands(sketch(words)) == bands(sketch(list(words)))


@given(WORDS, WORDS)
def test_likeness_is_symmetric_and_between_zero_and_one(one: list[str], two: list[str]) -> None:
    there, back = jaccard(sketch(one), sketch(two)), jaccard(sketch(two), sketch(one))

    assert there == back
    assert 0.0 <= there <= 1.0


def test_long_texts_that_share_nine_tenths_meet_under_a_band() -> None:
    base = [f"word{i}" for i in range(400)]
    changed = [*base[:395], "other", "words", "stand", "here", "now"]

    assert jaccard(sketch(base), sketch(changed)) > 0.9
    assert set(bands(sketch(base))) & set(bands(sketch(changed)))


def overlapping(count: int, common: int) -> tuple[list[str], list[str]]:
    """Return two texts of `count` shingles each, of which the first `common` are the same."""
    shared = [f"word{at}" for at in range(common + 2)]
    rest = range(count - common)
    return [*shared, *(f"one{at}" for at in rest)], [*shared, *(f"other{at}" for at in rest)]


def test_of_short_texts_the_share_in_common_is_exact() -> None:
    one, other = overlapping(400, 100)

    assert jaccard(sketch(one), sketch(other)) == 100 / 700


def test_of_long_texts_the_share_in_common_is_estimated() -> None:
    one, other = overlapping(3_000, 2_000)

    assert len(sketch(one)) == SKETCH_SIZE
    assert jaccard(sketch(one), sketch(other)) == pytest.approx(2_000 / 4_000, abs=0.07)


def test_a_text_without_words_is_like_nothing_and_meets_nothing() -> None:
    assert jaccard(sketch([]), sketch([])) == 0.0
    assert bands(sketch([])) == ()


def test_the_same_words_in_another_order_are_another_text() -> None:
    assert text_key(["it", "fails"]) == text_key(["it", "fails"]) != text_key(["fails", "it"])


def trace(path: str, message: str, line: int) -> StackTrace:
    frame = Frame(path=path, line=line, function="total")
    return StackTrace(language="python", exception="KeyError", message=message, frames=(frame,))


def test_a_stack_fingerprint_ignores_line_numbers_and_values_but_not_places() -> None:
    def of(found: StackTrace) -> tuple[str, ...]:
        return stack_fingerprints(report("", stack_traces=(found,)))

    assert of(trace("/srv/shop/cart.py", "'id-17'", 8)) == of(trace("shop/cart.py", "'id-9'", 12))
    assert of(trace("shop/cart.py", "'a'", 8)) != of(trace("shop/pay.py", "'a'", 8))
    assert of(trace("/usr/lib/python3.11/json/decoder.py", "'a'", 8)) == ()
