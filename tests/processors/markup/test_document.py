"""Parts that all formats share, and the time that all of them may take."""

from __future__ import annotations

import time
from typing import Any

import pytest

from processors.markup import adf_to_markdown, markdown_to_adf, markdown_to_wiki, wiki_to_markdown
from processors.markup.document import (
    MARKUP_CHARS_MAX,
    Delimiter,
    Span,
    clean,
    link,
    mention,
    merged,
    resolve,
    split_at_limit,
)

MEGABYTE = 1_000_000
HOSTILE = (
    *("_a_ ", "[a](", "``a`", "{{a{", "{code}", "{quote}", "|-|\n", "a|b\n-|-\n", "* a\n", "> "),
    *("  - a\n    - b\n", "\\", "~~~\n", "https://a.b/c ", " "),
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_megabyte_of_anything_takes_no_time_worth_attacking(unit: str) -> None:
    text = unit * (MEGABYTE // len(unit))
    for convert in (wiki_to_markdown, markdown_to_adf, markdown_to_wiki):
        start = time.process_time()
        convert(text)

        assert time.process_time() - start < 2.0  # Measured 0.7; other tests run beside this one.


def test_a_deep_document_takes_no_time_worth_attacking() -> None:
    node: Any = {"type": "codeBlock", "content": [{"type": "text", "text": "a\n" * 500_000}]}
    for _ in range(900):
        node = {"type": "blockquote", "content": [node]}
    start = time.process_time()
    adf_to_markdown(node)

    assert time.process_time() - start < 2.0


def test_a_sign_without_its_partner_is_text() -> None:
    star = Delimiter("*", "em", opens=True, closes=True)

    assert resolve([star, Span("a"), star, Span("b"), star]) == (
        Span("a", frozenset({"em"})),
        Span("b*"),
    )


def test_neighbours_that_look_the_same_are_one() -> None:
    assert merged([Span("a"), Span(""), Span("b"), Span("c", href="x")]) == (
        Span("ab"),
        Span("c", href="x"),
    )


def test_only_the_web_and_mail_are_linked() -> None:
    assert link("https://x.example/a?b=c")
    assert link("mailto:ann@x.example")
    for bad in ("javascript:x", "ftp://x", "https://a b", "//x", "", 'https://x"y'):
        assert link(bad) is None


def test_a_mention_calls_nobody() -> None:
    assert mention("@ann") == mention("ann") == "@\u200bann"


def test_what_no_format_can_carry_is_left_out() -> None:
    assert clean("a\x00\x1b\r\nb\rc\ud800\t") == "a\nb\nc\t"


def test_a_long_text_is_cut_at_a_line() -> None:
    text = "abc\n" * MARKUP_CHARS_MAX
    head, rest = split_at_limit(text)

    assert head + rest == text
    assert head.endswith("\n")
    assert len(head) <= MARKUP_CHARS_MAX
