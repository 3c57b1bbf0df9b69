"""What the changes of a file say of it: that they are recent, or go along with a good file's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from processors.locating.code_index import CodeIndex
from processors.locating.history import RECENT_MAX, History
from processors.locating.signals import Signal, unitary

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEADERS_MAX = 3
"""Files whose company is looked at."""


def recent(index: CodeIndex, history: History) -> Signal:
    """Return which files changed of late: what was just changed is broken more often."""
    found = history.recent()
    scores = np.array([found.get(path, (0.0, 0))[0] for path in index.paths], dtype=np.float64)

    def reason(file: int, unit: int | None) -> str:
        _, count = found.get(index.paths[file], (0.0, 0))
        told = count > 0 and unit is None
        return f"{count} of the last {RECENT_MAX} commits changed it" if told else ""

    return Signal(np.zeros(index.units), unitary(scores), reason)


def in_company(index: CodeIndex, history: History, by_file: NDArray[np.float64]) -> Signal:
    """Return the files that change in the same commits as those that `by_file` puts first."""
    found = np.zeros(len(index.paths))
    by: dict[int, tuple[float, str]] = {}
    top = float(by_file.max(initial=0.0))
    leaders = [int(n) for n in np.argsort(-by_file, kind="stable")[:LEADERS_MAX] if by_file[n] > 0]
    for leader in leaders:
        total, others = history.company(index.paths[leader])
        for path, count in others.items():
            file = index.numbers.get(path)
            if file is None:
                continue
            score = float(by_file[leader]) / top * count / total
            found[file] += score
            why = f"{count} of {total} commits to {index.paths[leader]} changed it, too"
            by[file] = max(by.get(file, (0.0, "")), (score, why))

    def reason(file: int, unit: int | None) -> str:
        return by.get(file, (0.0, ""))[1] if unit is None else ""

    return Signal(np.zeros(index.units), np.minimum(found, 1.0), reason)
