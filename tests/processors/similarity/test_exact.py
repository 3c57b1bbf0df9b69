from __future__ import annotations

import numpy as np

from processors.similarity.exact import ExactIndex


def test_the_nearest_come_first_and_what_is_gone_never() -> None:
    index = ExactIndex(2)
    for key in range(40):
        angle = key / 40
        index.add(key, np.array([np.cos(angle), np.sin(angle)], np.float32))
    index.remove(0)
    index.remove(0)
    index.add(39, np.array([1, 0], np.float32))

    assert len(index) == 39
    assert index.nearest(np.array([1, 0], np.float32), 3) == [39, 1, 2]
