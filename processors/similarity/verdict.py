"""Whether two reports are the same, by rules that a person can check, and in words.

Only near-identity merges. How alike two texts are never does: on whole trackers nine in ten of
the pairs that a model found as good as equal were two bugs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from processors.similarity.claims import conflicts, differences, rivals
from processors.similarity.features import Features
from processors.similarity.fingerprints import jaccard
from schemas.likeness import why as likeness_in_words

Rule = Literal[
    "same-item", "same-stack", "same-text", "same-title", "near-identical", "similar", "must-link"
]
SAME_MEANING_MIN = 0.5
"""Of reports with one title: below, the bodies speak of two things."""
NEAR_IDENTICAL_MIN = 0.9
"""Share of word triples in common from which two texts are as good as equal."""
WORDS_MIN = 8
"""Below, a text is too short ("it crashes") to be known by its words."""
APART_DAYS_MAX = 365
"""The same words a year later: likely another release, so a person is asked."""
RECURS_DAYS_MAX = 30
"""An outage that comes back after a month is another one."""
MEANING_ALONE = 2 / 3
"""So that a report in another language ranks among those in the same one, not above them all."""
SUGGESTED_MIN = 0.3
"""Below, what two reports share is chance."""
_SAID = {"host": "hosts", "id": "ids", "number": "numbers", "version": "versions or addresses"}


@dataclass(frozen=True, slots=True)
class Several:
    """What the two have in common that names several bugs already, so it names none."""

    title: bool = False
    address: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about a report and a known one, and why."""

    key: int
    rule: Rule
    similarity: float
    """0 to 1: the mean of `scores`."""
    scores: Mapping[str, float]
    """By signal: meaning (vectors), words (BM25F), letters (of the titles)."""
    evidence: tuple[str, ...]
    vetoes: tuple[str, ...]
    model_id: str

    @property
    def merges(self) -> bool:
        """Return whether they are the same without asking anybody."""
        return self.rule != "similar" and not self.vetoes

    @property
    def is_worth_asking(self) -> bool:
        """Return whether a person should look at it."""
        return self.rule != "similar" or self.similarity >= SUGGESTED_MIN


def judge(
    fresh: Features,
    known: Features,
    *,
    key: int,
    scores: Mapping[str, float],
    several: Several,
    model_id: str,
) -> Verdict:
    """Return the verdict on a new report and a known one."""
    rule, evidence, vetoes = _rule(fresh, known, scores, several)
    return Verdict(key, rule, likeness(scores), scores, evidence, vetoes, model_id)


def likeness(scores: Mapping[str, float]) -> float:
    """Return the mean of the signals. Where only meaning can be compared it counts two thirds."""
    weight = MEANING_ALONE if set(scores) == {"meaning"} else 1.0
    return round(weight * sum(scores.values()) / max(len(scores), 1), 4)


def _rule(
    fresh: Features, known: Features, scores: Mapping[str, float], several: Several
) -> tuple[Rule, tuple[str, ...], tuple[str, ...]]:
    if _is_same_item(fresh, known):
        many = ("several bugs have that address",) if several.address else ()
        return "same-item", ("both are, or only point to, one address",), many
    if shared := set(fresh.stacks) & set(known.stacks):
        said = f"same exception, message template and frames of the program ({min(shared)[:12]})"
        return "same-stack", (said,), tuple(_time(fresh, known))
    common = jaccard(fresh.sketch, known.sketch)
    evidence: tuple[str, ...] = (f"{common:.0%} of the word triples in common",)
    guards = tuple(_guards(fresh, known, several))
    is_long = min(fresh.words, known.words) >= WORDS_MIN
    if fresh.text_key == known.text_key:
        short = () if is_long or fresh.is_specific else ("the text is too short to tell",)
        return "same-text", ("the same words in the same order",), (*guards, *short)
    same_title = fresh.title_key == known.title_key and _meaning(scores) >= SAME_MEANING_MIN
    if common >= NEAR_IDENTICAL_MIN and is_long and not (same_title and fresh.is_specific):
        return "near-identical", evidence, (*guards, *_clashes(fresh, known))
    if same_title:
        evidence = (f"same title of {fresh.title_words} telling words", *evidence)
        unspecific = () if fresh.is_specific else ("the title is too general to tell",)
        clash = _named(conflicts(fresh.claims, known.claims))
        return "same-title", evidence, (*guards, *unspecific, *clash)
    return "similar", _in_words(scores), (*guards, *_clashes(fresh, known))


def _meaning(scores: Mapping[str, float]) -> float:
    """Return how near the meanings are; without a model, how many words are shared."""
    return scores["meaning"] if "meaning" in scores else scores["words"]


def _is_same_item(fresh: Features, known: Features) -> bool:
    # The page of an alert is its rule's, where all alerts of that rule are.
    are_alerts = fresh.is_alert and known.is_alert
    return not are_alerts and bool(fresh.addresses() & known.addresses())


def _in_words(scores: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(f"{name} {score:.0%} alike" for name, score in scores.items())


def _guards(fresh: Features, known: Features, several: Several) -> Iterator[str]:
    if several.title:
        yield "so many bugs have that title that it names none"
    if fresh.stacks and known.stacks and not set(fresh.stacks) & set(known.stacks):
        yield "the stack traces differ"
    if fresh.is_alert and known.is_alert and fresh.text_key != known.text_key:
        yield "alerts of one rule with other labels or at another time"
    yield from _time(fresh, known)


def _time(fresh: Features, known: Features) -> Iterator[str]:
    if fresh.recurs and known.recurs and known.closed and not fresh.closed:
        yield "an outage that was over has come back"
    if fresh.at is None or known.at is None:
        return
    days = abs((fresh.at - known.at).days)
    if fresh.recurs and known.recurs and days > RECURS_DAYS_MAX:
        yield f"an outage can come back, and these are {days} days apart"
    elif days > APART_DAYS_MAX:
        yield f"reported {days} days apart"


def _clashes(fresh: Features, known: Features) -> tuple[str, ...]:
    kinds = chain(
        differences(fresh.title_claims, known.title_claims), rivals(fresh.claims, known.claims)
    )
    # Of a title every word counts; in a body only what turns up on one side of a short text.
    turned = (fresh.title_turns ^ known.title_turns) | (fresh.turns ^ known.turns)
    words = (f"words that turn the meaning round differ: {', '.join(sorted(turned)[:5])}",)
    return (*_named(kinds), *(words if turned else ()))


def _named(kinds: Iterator[str]) -> tuple[str, ...]:
    found = sorted({_SAID[kind] for kind in kinds})
    return (f"{', '.join(found)} differ",) if found else ()


def why(verdict: Verdict) -> str:
    """Return in a sentence or two why two reports were merged, or only suggested."""
    return likeness_in_words(
        verdict.rule,
        merged=verdict.merges,
        evidence=verdict.evidence,
        vetoes=verdict.vetoes,
        scores=verdict.scores,
        similarity=verdict.similarity,
    )
