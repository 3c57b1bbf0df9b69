"""How Jira's wiki markup is read, by what it becomes in Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given

from processors.markup import wiki_to_markdown
from processors.markup.from_wiki import read
from tests.processors.markup.texts import MARKUP, PROSE, letters

CASES = {
    "heading": ("h3. A title", "### A title"),
    "code with its language": ("{code:java}\nint *a*;\n{code}", "```java\nint *a*;\n```"),
    "code with a title": ("{code:title=A.py|theme=x}\na\n{code}", "**A.py**\n\n```\na\n```"),
    "code inside a line": ("see {code}x{code} here", "see\n\n```\nx\n```\n\nhere"),
    "code that holds a fence": ("{noformat}\n```\n{noformat}", "````\n```\n````"),
    "code that is never closed": ("{code}\na\n\n* b", "```\na\n\n* b\n```"),
    "macros in code mean nothing": ("{noformat}{quote}{noformat}", "```\n{quote}\n```"),
    "quotes": ("{quote}\na\n{quote}\nbq. b", "> a\n\n> b"),
    "a panel": ("{panel:title=T|borderStyle=x}\na\n{panel}", "> **T**\n>\n> a"),
    "a warning": ("{warning}hot{warning}", "> **Warning**\n>\n> hot"),
    "lists": ("* a\n** b\n*# c\n- d", "- a\n  - b\n  1. c\n\n- d"),
    "an item of two lines": ("# a\nb\n# c", "1. a\n   b\n2. c"),
    "a table": (
        "||h||i||\n|a|[t|https://x.example]|",
        "| h | i |\n| --- | --- |\n| a | [t](https://x.example) |",
    ),
    "marks": (
        "*a* _b_ -c- +d+ ^e^ ~f~ ??g?? {{h_i}}",
        "**a** *b* ~~c~~ <ins>d</ins> <sup>e</sup> <sub>f</sub> *g* `h_i`",
    ),
    "forced marks": ("a{*}b{*}c", "a**b**c"),
    "no marks": ("a_b_c 2*3*4 x-y-z C++ ~/bin __init__", "a_b_c 2*3*4 x-y-z C++ ~/bin __init__"),
    "colours": ("{color:#ff0000}red{color}", "red"),
    "a bare address": ("[https://x.example/a]", "<https://x.example/a>"),
    "a smart link": ("[t|https://x.example/a|smart-link]", "[t](https://x.example/a)"),
    "a mention of an account": ("[~accountid:5c5f:88]", "@\u200b5c5f:88"),
    "a mention of a name": ("hi [~ann]!", "hi @\u200bann!"),
    "files": ("!shot.png|thumbnail! [^a.log]", "[attachment shot.png] [attachment a.log]"),
    "a picture elsewhere": ("!https://x.example/a.png!", "<https://x.example/a.png>"),
    "brackets": ("[ERROR] a[0] [x|y] wow! no!", "[ERROR] a[0] [x|y] wow! no!"),
    "escapes": (r"\*a\* \{code} &#92; a \\ b", "*a* {code} \\ a \n b"),
    "an address that is no address": ("[x|javascript:alert(1)]", "[x|javascript:alert(1)]"),
    "a fence in prose": ("```\na", "\\```\na"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_wiki_markup_becomes_markdown(case: tuple[str, str]) -> None:
    wiki, markdown = case

    assert wiki_to_markdown(wiki) == markdown


def test_a_trace_without_any_macro_stays_as_it_was() -> None:
    trace = (
        'Traceback (most recent call last):\n  File "/srv/app/__init__.py", line 3, in <module>\n'
        "    total_sum(*args, **kwargs)\nValueError: -1 is not _positive_enough"
    )
    kept = wiki_to_markdown(trace).split("\n")

    assert kept == [line.strip() for line in trace.split("\n")]


@given(text=MARKUP)
def test_nothing_makes_it_fail(text: str) -> None:
    wiki_to_markdown(text).encode()


@given(text=PROSE)
def test_plain_text_survives(text: str) -> None:
    assert letters(wiki_to_markdown(text)) == letters(text)


def test_macros_in_each_other_have_an_end() -> None:
    assert "leaf" in repr(read("{panel}{quote}" * 5_000 + "leaf"))
    assert "leaf" in repr(read("*" * 5_000 + " leaf"))
