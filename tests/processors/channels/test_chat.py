"""A message is a title and a text in one."""

from __future__ import annotations

from processors.channels.chat import TITLE_CHARS_MAX, titled


def test_the_first_line_that_says_something_is_the_title() -> None:
    assert titled("\n```\n**Wrong**\nmore")[0] == "Wrong"
    assert titled("2**3 is **not** 9")[0] == "2**3 is **not** 9".replace("**not**", "not")
    assert titled(" \n```\n") == ("", " \n```\n")


def test_a_long_line_is_cut_in_the_title_and_whole_in_the_text() -> None:
    title, text = titled("x" * 500)

    assert len(title) == TITLE_CHARS_MAX
    assert text == "x" * 500
