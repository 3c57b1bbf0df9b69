"""How it stands, in the words of what there is to tell."""

from __future__ import annotations

from typing import get_args

import pytest

from processors.moments import ended, state_of
from schemas.lifecycle import CLOSED, Status
from schemas.rollouts import RolloutCompleted, RolloutHalted, RolloutPromoted, RolloutStarted
from schemas.tell import Moment
from tests.factories import EXAMPLES


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_every_end_has_its_moment(status: Status) -> None:
    moment = ended(status)

    assert moment in get_args(Moment)
    assert (moment == status) == (status is not Status.MERGED)


def test_a_rollout_is_told_in_words() -> None:
    kinds = (RolloutStarted, RolloutPromoted, RolloutHalted, RolloutCompleted)
    said = [state_of(event) for event in EXAMPLES if isinstance(event, kinds)]

    assert len(said) == len(set(said)) >= 3
    assert all(words.startswith("the ") for words in said)
