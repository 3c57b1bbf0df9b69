"""What a likeness means as a probability, learnt from what people confirmed. Never before 50."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ANSWERS_MIN = 50
STEPS_MAX = 100
"""Newton's; it takes about six."""
_STEEP_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """A likeness as a probability: a logistic curve through people's answers.

    Method: Platt, "Probabilistic outputs for support vector machines" (1999), with his priors, so
    that no likeness ever becomes certain.
    """

    slope: float
    offset: float
    answers: int

    def probability(self, similarity: float) -> float:
        """Return how likely a person confirms a pair as alike as that."""
        return round(_curve(self.slope * similarity + self.offset), 3)


def calibrate(answers: Sequence[tuple[float, bool]]) -> Calibration | None:
    """Return the curve through the answers; None while there are too few, or all say the same."""
    yes = sum(said for _, said in answers)
    no = len(answers) - yes
    if len(answers) < ANSWERS_MIN or not yes or not no:
        return None
    high, low = (yes + 1) / (yes + 2), 1 / (no + 2)
    pairs = [(likeness, high if said else low) for likeness, said in sorted(answers)]
    slope, offset = 0.0, math.log((yes + 1) / (no + 1))
    for _ in range(STEPS_MAX):
        step = _step(pairs, slope, offset)
        slope, offset = slope + step[0], offset + step[1]
        if abs(slope) > _STEEP_MAX:
            return Calibration(math.copysign(_STEEP_MAX, slope), offset, len(answers))
        if max(map(abs, step)) < 1e-9:
            break
    # Falling, it would say that the less alike the likelier: then the answers teach nothing.
    return Calibration(slope, offset, len(answers)) if slope > 0 else None


def _step(pairs: list[tuple[float, float]], slope: float, offset: float) -> tuple[float, float]:
    """Return Newton's step. A little is added to the curvature, so that it never divides by 0."""
    by_slope = by_offset = ss = so = oo = 0.0
    for likeness, wanted in pairs:
        said = _curve(slope * likeness + offset)
        error, weight = wanted - said, said * (1 - said)
        by_slope, by_offset = by_slope + error * likeness, by_offset + error
        ss, so, oo = (
            ss + weight * likeness * likeness,
            so + weight * likeness,
            oo + weight,
        )
    ss, oo = ss + 1e-6, oo + 1e-6
    determinant = ss * oo - so * so
    return (
        (oo * by_slope - so * by_offset) / determinant,
        (ss * by_offset - so * by_slope) / determinant,
    )


def _curve(at: float) -> float:
    return 1 / (1 + math.exp(-max(min(at, 500.0), -500.0)))
