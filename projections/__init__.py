"""What is known: read models folded from events, which can be dropped and rebuilt at any time."""

from __future__ import annotations

from projections.budget import BUDGET
from projections.bugs import BUGS
from projections.effects import EFFECTS
from projections.timeline import TIMELINE

ALL = (BUGS, TIMELINE, EFFECTS, BUDGET)
