"""Why a report was merged with another, or only suggested, in words: one wording for all views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_WHY: Mapping[str, str] = {
    "same-item": "it is the same item",
    "same-stack": "the program died in the same place in the same way",
    "same-text": "the words are the same",
    "same-title": "the titles are the same, and the texts speak of the same",
    "near-identical": "the texts are the same but for a few words",
    "similar": "it looks alike",
    "must-link": "a person said that they are the same",
    "moved-split": "a person took it out of another bug",
    "moved-merged": "it came in for a bug that is a part of this one",
    "moved-regression": "the fault is back",
}


def why(
    rule: str,
    *,
    merged: bool,
    evidence: Iterable[str],
    vetoes: Iterable[str] = (),
    scores: Mapping[str, float],
    similarity: float,
    probability: float | None = None,
) -> str:
    """Return in a sentence or two what a verdict rests on.

    `probability`: that a person confirms it; None: too few have been asked. A merge has none: it
    rests on its rule, not on a likeness.
    """
    because = _WHY.get(rule, rule.replace("-", " "))
    said = "; ".join(evidence)
    text = f"{'Merged' if merged else 'Suggested'}: {because}" + (f" ({said})." if said else ".")
    if against := "; ".join(vetoes):
        text += f" Not merged, because {against}."
    elif not merged:
        text += " Alike is not the same, so a person decides."
    if not scores:
        return text
    each = ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
    text += f" Scores: {each}; likeness {similarity:.2f}"
    if merged:
        return f"{text}."
    means = "uncalibrated" if probability is None else f"confirmed in {probability:.0%} of such"
    return f"{text}, {means}."
