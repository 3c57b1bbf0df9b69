"""Text from elsewhere reads as it was written, and does nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.quoting import as_lines, code, inert, one_line, prose, quiet


@pytest.mark.parametrize(
    "text",
    ["A plain sentence: 3 of 5, really.", "names_like_this stay", "größer als 1/2 %", "x = y"],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert prose(text) == text


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("ping @octocat", "@o"),
        ("closes #12", "#1"),
        ("see GH-12", "GH-12"),
        ("https://example.org/x", "://"),
        ("www.example.org", "www."),
        ("[a](b)", "[a]"),
        ("![x](y)", "![x]"),
        ("<img src=x>", "<img"),
        ("a | b", " | "),
        ("&commat;ann", "&commat;"),
        ("fixes &num;7", "&num;"),
        ("mailto:ann@x.example", "mailto:"),
        ("**bold**", "**"),
        ("`code`", "`c`"),
        ("# title", "\n# "),
    ],
)
def test_what_would_act_is_broken(text: str, acts: str) -> None:
    assert acts not in f"\n{prose(text)}".replace("\\|", "").replace("\\[", "").replace("\\<", "")


def test_lines_and_hidden_characters_become_spaces() -> None:
    assert one_line("a\r\n\tb\x00c\u202edx\u200by", chars_max=100) == "a b c dx y"


def test_lines_are_kept_and_what_a_terminal_obeys_is_not() -> None:
    assert as_lines("a\x1b[31m b\n+c\x9b2J\r\u202ed") == "a [31m b\n+c 2J  d"


def test_long_text_is_cut_with_a_sign() -> None:
    assert one_line("word " * 100, chars_max=11) == "word word…"


def test_code_cannot_be_left_from_inside() -> None:
    assert code("a`b|c\nd") == "`a'b¦c d`"
    assert code("") == "-"


def test_plain_text_keeps_its_words_and_loses_its_links() -> None:
    text = inert("thanks @ann, fixes #12 and https://example.org")

    assert text.replace("\u200b", "") == "thanks @ann, fixes #12 and https://example.org"
    assert text.count("\u200b") == 3


@given(st.text())
def test_nothing_makes_a_second_line_or_an_open_code_span(text: str) -> None:
    assert len(prose(text).splitlines()) <= 1
    assert code(text).count("`") in {0, 2}


def test_what_we_say_ourselves_mentions_nobody_and_keeps_its_links() -> None:
    text = "**Done.** @ann, fixes #12, gh-3: https://example.org/pull/3#issuecomment-4 `a`"
    shown = quiet(text)

    assert shown.replace("\u200b", "") == text
    assert shown.count("\u200b") == 3
    assert quiet(shown) == shown
    assert "https://example.org/pull/3#issuecomment-4" in shown
