"""What stands inside a line of wiki markup."""

from __future__ import annotations

from processors.markup.document import Span
from processors.markup.wiki_inline import inline


def test_a_mark_ends_with_its_line() -> None:
    assert inline("*a\nb*") == (Span("*a\nb*"),)
    assert inline("*a*\n*b*") == (
        Span("a", frozenset({"strong"})),
        Span("\n"),
        Span("b", frozenset({"strong"})),
    )


def test_marks_within_marks_add_up() -> None:
    assert inline("*_a_*") == (Span("a", frozenset({"strong", "em"})),)
