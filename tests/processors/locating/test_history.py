from __future__ import annotations

import pytest

from processors.locating.history import (
    FILES_PER_COMMIT_MAX,
    Change,
    History,
    change_of,
    from_bytes,
    to_bytes,
)
from processors.locating.words import number, terms


def change(commit: str, message: str, *paths: str) -> Change:
    return change_of(commit, message, paths)


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


def test_a_change_is_the_same_after_a_time_as_bytes() -> None:
    before = change("aa", "Rounded totals", "cart.py", "a\nb.py")
    after = from_bytes("aa", to_bytes(before))

    assert (after.commit, after.paths) == (before.commit, before.paths)
    assert (after.words == before.words).all()


@pytest.mark.parametrize("content", [b"", b"{}", b"7\n", b"[]\nabc"])
def test_other_bytes_are_refused_in_one_way(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_bytes("aa", content)
