from __future__ import annotations

import pytest

from schemas.places import Hand, HandEvidence, Owner
from streams.place_words import how_far, whose
from tests.factories import OWNED_PLACE


@pytest.mark.parametrize(
    ("hand", "evidence", "words"),
    [
        ("human", "trace", "human"),
        ("ai", "author", "AI"),
        ("mixed", "trailer", "AI in part"),
        ("unknown", "none", "unknown hand"),
        ("unknown", "shallow", "unknown: history cut off"),
        ("unknown", "unavailable", "unknown: git cannot tell"),
    ],
)
def test_a_hand_is_said_in_words(hand: Hand, evidence: HandEvidence, words: str) -> None:
    assert whose(Owner(hand=hand, evidence=evidence)) == words


def test_the_model_is_named() -> None:
    assert whose(OWNED_PLACE.owner) == "AI in part: acme/m1"


def test_what_is_not_seen_is_told_apart_from_what_is() -> None:
    impact = OWNED_PLACE.impact
    assert impact is not None

    assert how_far(impact) == "3 callers, 2 by name only, 1 test, public; reach 0.41"
    nobody = {"callers": 0, "callers_by_name": 0, "tests": 0, "is_public": False}
    quiet = impact.model_copy(update=nobody | {"blast_radius": 0.0})
    assert how_far(quiet) == "0 callers; reach 0.00"
    assert how_far(quiet.model_copy(update={"is_cut": True})).startswith("0 callers and more")


def test_what_was_not_asked_is_not_said() -> None:
    assert (whose(None), how_far(None)) == ("", "")
