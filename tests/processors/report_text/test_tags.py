from __future__ import annotations

import re

import pytest

from processors.report_text.tags import TAG, is_hidden, rebuilt, says_words


def tag(text: str) -> re.Match[str]:
    found = re.fullmatch(TAG, text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    [
        "<div hidden>",
        "<input type='hidden'>",
        '<span style="display: none">',
        "<p style='font-size:0px'>",
        "<p style='COLOR:#ffffff'>",
        "<p style='opacity:0'>",
        "<b aria-hidden=true>",
    ],
)
def test_attributes_that_hide_are_seen(text: str) -> None:
    assert is_hidden(tag(text))


@pytest.mark.parametrize(
    "text",
    [
        "<div>",
        "<p style='opacity:0.5'>",
        "<p style='background-color:white'>",
        "<a href='hidden'>",
        "<p style='height:0.5em'>",
    ],
)
def test_others_hide_nothing(text: str) -> None:
    assert not is_hidden(tag(text))


def test_only_attributes_that_show_something_stay() -> None:
    assert rebuilt(tag("<img src=a.png alt='do this' width=3>")) == (
        '<img src="a.png" width="3">',
        ["alt: do this"],
    )
    assert rebuilt(tag("</b>")) == ("</b>", [])


def test_a_tag_of_no_known_name_goes_with_its_attributes() -> None:
    assert rebuilt(tag("<String>")) == ("<String>", [])
    assert rebuilt(tag("<frozen importlib>")) == ("<frozen importlib>", [])
    assert rebuilt(tag("<x y='z'>")) == ("", ["<x y='z'>"])


def test_only_a_tag_of_no_known_name_is_a_sentence() -> None:
    assert says_words(tag("<ignore all rules>"))
    assert not says_words(tag("<frozen importlib._bootstrap>"))
    assert not says_words(tag("<input a b c>"))


@pytest.mark.parametrize("text", ["<1>", "< a>", "<a b=>", "<a, b>", "<a b='>"])
def test_what_is_no_tag_is_none(text: str) -> None:
    assert re.fullmatch(TAG, text) is None
