from __future__ import annotations

from random import Random

import pytest

from processors.similarity.calibration import ANSWERS_MIN, calibrate


def answers(count: int) -> list[tuple[float, bool]]:
    """Return answers of people who confirm a pair as often as it is alike."""
    chance = Random(7)
    likenesses = [chance.random() for _ in range(count)]
    return [(likeness, chance.random() < likeness) for likeness in likenesses]


def test_too_few_answers_teach_nothing() -> None:
    assert calibrate(answers(ANSWERS_MIN - 1)) is None
    assert calibrate(answers(ANSWERS_MIN)) is not None


def test_answers_that_all_say_the_same_teach_nothing() -> None:
    assert calibrate([(0.5, True)] * 100) is None
    assert calibrate([(at / 100, at < 50) for at in range(100)]) is None


def test_the_curve_follows_the_answers() -> None:
    curve = calibrate(answers(3_000))

    assert curve is not None
    for likeness in (0.3, 0.5, 0.7):
        assert curve.probability(likeness) == pytest.approx(likeness, abs=0.08)


def test_no_likeness_is_ever_certain() -> None:
    curve = calibrate([(at / 100, at >= 50) for at in range(100)])

    assert curve is not None
    assert curve.probability(0.0) < 0.1
    assert 0.9 < curve.probability(1.0) <= 1.0


def test_the_order_of_the_answers_changes_nothing() -> None:
    given = answers(80)

    assert calibrate(given) == calibrate(given[::-1])
