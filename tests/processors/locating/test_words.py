from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from processors.locating.words import code_lines, number, phrases, stem, terms, terms_of


def test_an_identifier_meets_the_words_it_is_made_of() -> None:
    assert set(terms("file paths of a field")) <= {*terms_of("FilePathField"), *terms("of a file")}
    assert "=filepathfield" in terms_of("FilePathField")


def test_a_word_alone_is_not_told_twice() -> None:
    assert terms_of("refund") == ("refund",)


def test_endings_do_not_part_what_belongs_together() -> None:
    assert len({stem(word) for word in ("escape", "escaped", "escapes", "escaping")}) == 1
    assert len({stem(word) for word in ("query", "queries")}) == 1
    assert stem("class") == "class"


def test_a_phrase_does_not_reach_across_what_is_filled_in() -> None:
    found = list(phrases("Cannot resolve keyword '%s' into field. Choices are: {names}"))

    assert found == ["~cannot resolve keyword", "~into field choices", "~field choices are"]


def test_a_line_of_code_is_known_whatever_its_spaces() -> None:
    assert list(code_lines("    total = price * count")) == list(code_lines("total=price*count  "))
    assert not list(code_lines("return x\nimport something.long\n# a comment that is long"))


def test_a_number_is_the_same_in_another_process() -> None:
    code = "from processors.locating.words import number; print(number('refund'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert int(said) == number("refund")


@given(st.text(max_size=400))
def test_any_text_has_words_of_bounded_length(text: str) -> None:
    assert all(len(term) <= 84 for term in terms(text))
