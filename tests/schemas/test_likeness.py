from __future__ import annotations

import pytest

from schemas.likeness import why

SCORES = {"meaning": 0.91, "words": 0.5}


def test_a_merge_says_its_rule_and_evidence_and_claims_no_probability() -> None:
    said = why(
        "same-text", merged=True, evidence=("the same words",), scores=SCORES, similarity=0.7
    )

    assert said == (
        "Merged: the words are the same (the same words)."
        " Scores: meaning 0.91, words 0.50; likeness 0.70."
    )


def test_a_suggestion_says_what_spoke_against_a_merge() -> None:
    said = why(
        "near-identical",
        merged=False,
        evidence=("95% of the word triples in common",),
        vetoes=("versions or addresses differ",),
        scores=SCORES,
        similarity=0.7,
        probability=0.42,
    )

    assert "Not merged, because versions or addresses differ." in said
    assert said.endswith("likeness 0.70, confirmed in 42% of such.")


def test_before_enough_was_said_a_likeness_is_uncalibrated() -> None:
    said = why("similar", merged=False, evidence=(), scores=SCORES, similarity=0.7)

    assert said.startswith("Suggested: it looks alike. Alike is not the same")
    assert said.endswith("likeness 0.70, uncalibrated.")


@pytest.mark.parametrize("rule", ["must-link", "moved-split", "a-rule-of-tomorrow"])
def test_what_was_not_compared_has_no_scores(rule: str) -> None:
    said = why(rule, merged=True, evidence=(), scores={}, similarity=1.0)

    assert said.startswith("Merged: ")
    assert "Scores" not in said
    assert "-" not in said
