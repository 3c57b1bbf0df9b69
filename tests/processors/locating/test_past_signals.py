from __future__ import annotations

import numpy as np

from processors.locating.code_index import index_of
from processors.locating.history import RECENT_HALVES, RECENT_MAX, History
from processors.locating.past_signals import LEADERS_MAX, in_company, recent
from tests.processors.locating.test_history import change

INDEX = index_of({f"{name}.py": "def f(): pass\n" for name in "abcde"})
A, B, C, D, E = range(5)


def test_what_changed_last_and_often_comes_first_and_the_old_past_is_past() -> None:
    old = [change(f"d{n}", "x", "d.py") for n in range(RECENT_HALVES)]
    older = [change(f"e{n}", "x", "e.py") for n in range(RECENT_MAX)]
    past = [change("1", "x", "a.py"), change("2", "x", "a.py", "b.py"), *old]
    signal = recent(INDEX, History([*past, *older]))

    assert signal.by_file[D] == 1.0
    assert signal.by_file[A] > signal.by_file[B] > signal.by_file[C] == 0.0
    assert signal.reason(A, None) == f"2 of the last {RECENT_MAX} commits changed it"
    assert (signal.reason(C, None), signal.reason(A, A)) == ("", "")
    assert recent(INDEX, History(older[:1] * RECENT_MAX + past)).by_file[A] == 0.0


def test_a_file_that_changes_with_a_good_one_is_told_with_how_often() -> None:
    together = [change(str(n), "x", "a.py", "b.py") for n in range(3)]
    once = [change("9", "x", "a.py", "c.py"), change("8", "x", "d.py", "e.py")]
    scores = np.array([2.0, 0.0, 0.0, 0.0, 0.0])
    signal = in_company(INDEX, History([*together, *once]), scores)

    assert list(signal.by_file) == [0.0, 0.75, 0.0, 0.0, 0.0], "once may be chance"
    assert signal.reason(B, None) == "3 of 4 commits to a.py changed it, too"
    assert signal.reason(A, None) == ""
    assert signal.reason(B, B) == ""


def test_only_the_first_files_lead() -> None:
    together = [change(str(n), "x", "d.py", "e.py") for n in range(3)]
    scores = np.array([5.0, 4.0, 3.0, 1.0, 0.0])

    assert len(scores) > LEADERS_MAX
    assert not in_company(INDEX, History(together), scores).by_file.any()
    assert not in_company(INDEX, History(together), np.zeros(5)).by_file.any()


def test_a_file_that_is_gone_says_nothing_of_those_that_are_left() -> None:
    together = [change(str(n), "x", "a.py", "gone.py") for n in range(3)]

    assert not in_company(INDEX, History(together), np.array([2.0, 0, 0, 0, 0])).by_file.any()
