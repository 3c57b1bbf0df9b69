from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.locating.entries import Part, entry_of, from_bytes, language_of, to_bytes
from processors.locating.words import number

TEXT = 'import os\n\ndef refund(invoice):\n    """Pay back."""\n    raise Bad("no such invoice")\n'


def test_words_are_kept_with_the_place_and_the_part_they_stand_in() -> None:
    entry = entry_of("pay.py", TEXT)
    rows = {(int(r["term"]), int(r["unit"]), int(r["part"])) for r in entry.rows}

    assert [place.symbol for place in entry.places] == ["", "refund"]
    assert (number("refund"), 1, Part.NAME) in rows
    assert (number("back"), 1, Part.DOC) in rows
    assert (number("invoic"), 1, Part.CODE) in rows
    assert (number("~no such invoice"), 1, Part.PHRASE) in rows


def test_an_entry_is_the_same_after_a_time_as_bytes() -> None:
    entry = entry_of("pay.py", TEXT + "class Cash(Money): pass\n")
    again = from_bytes(to_bytes(entry))

    assert (again.language, again.places, again.imports) == ("python", entry.places, entry.imports)
    assert (again.rows == entry.rows).all()
    assert again.calls == entry.calls == ((), ("Bad",), ())
    assert again.places[2].bases == ("Money",)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_in_one_way(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_bytes(content)


def test_the_language_is_told_by_the_ending() -> None:
    assert language_of("a/b.py") == "python"
    assert language_of("a/py") is None
