"""What is written as Markdown reads as what it was."""

from __future__ import annotations

from hypothesis import given

from processors.markup.document import Code, Listing, Paragraph, Span
from processors.markup.from_markdown import read
from processors.markup.to_adf import write as to_adf
from processors.markup.to_markdown import inline, write
from tests.processors.markup.texts import MARKUP, letters, problems


def test_signs_cling_to_words() -> None:
    assert inline((Span(" a ", frozenset({"strong"})), Span("b"))) == " **a** b"
    assert inline((Span("  ", frozenset({"em"})),)) == "  "


def test_code_is_fenced_by_more_than_it_holds() -> None:
    assert inline((Span("a``b`", frozenset({"code"})),)) == "``` a``b` ```"
    assert write((Code("````", "py thon"),)) == "`````python\n````\n`````"


def test_code_in_a_list_stays_in_it() -> None:
    written = write((Listing(((Paragraph((Span("a"),)), Code("b\n\nc")),)),))

    assert written == "- a\n\n  ```\n  b\n\n  c\n  ```"
    assert write(read(written)) == written


@given(text=MARKUP)
def test_what_was_written_is_read_again_with_the_same_words(text: str) -> None:
    once = write(read(text))

    assert letters(write(read(once))) == letters(once)
    assert problems(to_adf(read(once))) == []
