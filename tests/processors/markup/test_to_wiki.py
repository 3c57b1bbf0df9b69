"""What is written as wiki markup means what it meant, and nothing more."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from processors.markup import markdown_to_wiki, wiki_to_markdown
from tests.processors.markup.texts import MARKUP, PROSE, letters

CASES = {
    "marks": ("**a** *b* `c`", "{*}a{*} {_}b{_} {{c}}"),
    "a heading": ("## a", "h2. a"),
    "a link": ("[a](https://x.example/[1])", "[a|https://x.example/%5B1%5D]"),
    "code": ("```py\na {code}\n```", "{code:py}\na {\u200bcode}\n{code}"),
    "plain code": ("```\na\n```", "{noformat}\na\n{noformat}"),
    "lists": ("1. a\n   - b\n2. c", "# a\n#* b\n# c"),
    "a table": ("| a | b |\n|---|---|\n| c<br>d | |", "||a||b||\n|c \\\\ d| |"),
    "quotes in quotes": ("> a\n> > b", "{quote}\na\n\nb\n{quote}"),
    "macros are text": ("{code} [~ann] !a.png!", "\\{code\\} \\[\\~ann\\] \\!a.png\\!"),
    "line starts are text": ("h1. a", "\u200bh1. a"),
    "a backslash": (r"C:\\dir", "C:&#92;dir"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_markdown_becomes_wiki_markup(case: tuple[str, str]) -> None:
    markdown, wiki = case

    assert markdown_to_wiki(markdown) == wiki


@given(text=MARKUP)
def test_no_text_mentions_anybody_or_loads_anything(text: str) -> None:
    wiki = re.sub(r"&#92;", "", markdown_to_wiki(text))

    assert not re.search(r"(?<!\\)\[\s*~", re.sub(r"(?s)\{(code|noformat).*?\n\{\1\}", "", wiki))
    wiki.encode()


@given(text=PROSE)
def test_plain_text_survives_there_and_back(text: str) -> None:
    wiki = markdown_to_wiki(text)

    assert letters(wiki) == letters(text)
    assert letters(wiki_to_markdown(wiki)) == letters(text)
