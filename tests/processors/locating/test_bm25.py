from __future__ import annotations

import numpy as np
import pytest

from processors.locating.bm25 import K1, Found, hits, scored, summed


def found(
    owners: list[int], words: list[int], lengths: list[float], usual: list[bool] | None = None
) -> Found:
    return Found(
        np.array(owners),
        np.array(words),
        np.ones(len(owners)),
        np.array(lengths),
        np.array(usual or [True] * len(lengths)),
    )


def test_hits_are_where_a_wanted_term_stands_and_which() -> None:
    terms, wanted = np.array([5, 9, 7, 1, 5], np.uint64), np.array([5, 7], np.uint64)
    where, which = hits(terms, wanted)

    assert (where.tolist(), which.tolist()) == ([0, 2, 4], [0, 1, 0])


def test_the_score_is_that_of_the_formula() -> None:
    scores, idf = scored(found([0, 0, 1], [0, 0, 1], [2.0, 1.0]), np.array([1.0, 2.0]), 0.75)
    rare = np.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    first = rare * 2 * (K1 + 1) / (2 + K1 * (0.25 + 0.75 * 2 / 1.5))
    second = 2 * rare * (K1 + 1) / (1 + K1 * (0.25 + 0.75 * 1 / 1.5))

    assert idf.tolist() == pytest.approx([rare, 2 * rare])
    assert scores.tolist() == pytest.approx([first, second])


def test_without_b_length_does_not_count() -> None:
    short, long = scored(found([0, 1], [0, 0], [1.0, 90.0]), np.ones(1), 0.0)[0]

    assert short == long > 0


def test_what_is_not_usual_is_scored_and_makes_nothing_common() -> None:
    alone = found([0], [0], [1.0, 1.0])
    beside = found([0, 2], [0, 0], [1.0, 1.0, 50.0], [True, True, False])
    scores, idf = scored(beside, np.ones(1), 0.75)

    assert idf.tolist() == scored(alone, np.ones(1), 0.75)[1].tolist()
    assert scores[0] == scored(alone, np.ones(1), 0.75)[0][0]
    assert scores[2] > 0


def test_amounts_are_summed_by_owner_and_who_has_none_has_zero() -> None:
    assert summed(np.array([2, 0, 2]), np.array([1.0, 5.0, 2.0]), 4).tolist() == [5, 0, 3, 0]
