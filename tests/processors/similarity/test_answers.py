from __future__ import annotations

from uuid import UUID, uuid4

from processors.similarity.answers import Answers
from processors.similarity.calibration import ANSWERS_MIN


def pair(number: int) -> tuple[UUID, UUID]:
    return UUID(int=number), UUID(int=number + 1_000_000)


def told(count: int) -> tuple[Answers, dict[str, bytes]]:
    answers, topic = Answers(), dict[str, bytes]()
    for number in range(count):
        likeness = number / count
        record, _ = answers.take("shop", pair(number), likeness, same=likeness > 0.6)
        assert record.value is not None
        topic[record.key] = record.value
    return answers, topic


def test_a_likeness_means_nothing_before_enough_was_said() -> None:
    assert told(ANSWERS_MIN - 1)[0].curve("shop") is None
    assert told(ANSWERS_MIN)[0].curve("till") is None
    curve = told(ANSWERS_MIN)[0].curve("shop")

    assert curve is not None
    assert curve.probability(0.2) < 0.2 < 0.8 < curve.probability(0.95)


def test_answers_are_known_again_after_a_restart() -> None:
    answers, topic = told(ANSWERS_MIN)
    again = Answers()
    for key in sorted(topic, reverse=True):
        again.load(topic[key])

    assert again.curve("shop") == answers.curve("shop")


def test_of_two_answers_about_a_pair_the_newer_counts_and_can_be_undone() -> None:
    answers, _ = told(ANSWERS_MIN)
    before = answers.curve("shop")

    _, undo = answers.take("shop", pair(0), 0.0, same=True)
    assert answers.curve("shop") != before
    undo()
    _, undo_new = answers.take("shop", (uuid4(), uuid4()), 0.1, same=True)
    undo_new()

    assert answers.curve("shop") == before
