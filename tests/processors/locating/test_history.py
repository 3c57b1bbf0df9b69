from __future__ import annotations

import numpy as np

from processors.locating.history import FILES_PER_COMMIT_MAX, Change, History
from processors.locating.words import number, terms


def change(commit: str, message: str, *paths: str) -> Change:
    return Change(commit, np.array(sorted({number(t) for t in terms(message)}), "<u8"), paths)


def asked(text: str) -> dict[int, float]:
    return {number(term): 1.0 for term in terms(text)}


def test_the_commit_that_sounds_like_it_comes_first() -> None:
    history = History(
        [change("aa", "Rounded totals of carts", "cart.py"), change("bb", "Escaped names", "x.py")]
    )
    found = [c.commit for _, c in history.similar(asked("cart total is rounded twice"))]

    assert found == ["aa"]


def test_a_commit_that_touched_very_much_is_not_listened_to() -> None:
    many = [f"{n}.py" for n in range(FILES_PER_COMMIT_MAX + 1)]

    assert not list(History([change("aa", "Round totals", *many)]).similar(asked("totals")))


def test_without_a_past_or_words_nothing_is_said() -> None:
    assert not list(History().similar(asked("totals")))
    assert not list(History([change("aa", "Round", "a.py")]).similar({}))
