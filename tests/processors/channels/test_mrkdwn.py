"""Slack's mrkdwn as Markdown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.channels.mrkdwn import to_markdown


@pytest.mark.parametrize(
    ("mrkdwn", "markdown"),
    [
        ("*bold* and ~gone~ and _so_", "**bold** and ~~gone~~ and _so_"),
        ("2*3*4 is * not * bold", "2*3*4 is * not * bold"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt;", "&lt;"),
        ("<@U123> <@U123|ann>", "@U123 @ann"),
        ("<#C1|general> <#C1>", "#general #C1"),
        ("<!here> <!channel|channel> <!subteam^S1|@devs>", "@here @channel @devs"),
        ("<!date^1392734382^{date}|18 Feb>", "18 Feb"),
        ("<https://x.example/a?b=1&amp;c=2|the log>", "[the log](https://x.example/a?b=1&c=2)"),
        ("<https://x.example>", "https://x.example"),
        ("<http://app.py|app.py> line 3", "app.py line 3"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("• one\n• two", "- one\n- two"),
        ("see `a*b*c` and `<http://x.py|x.py>`", "see `a*b*c` and `x.py`"),
        ("it ` stays", "it ` stays"),
    ],
)
def test_each_sign_has_its_place(mrkdwn: str, markdown: str) -> None:
    assert to_markdown(mrkdwn) == markdown


def test_code_is_left_as_it_was_typed() -> None:
    said = to_markdown('see\n```File "<http://app.py|app.py>", line 3\n  x = *a* &lt; 2```\ndone')

    assert '```\nFile "app.py", line 3\n  x = *a* < 2\n```' in said
    assert to_markdown("it ``` stays *so*") == "it ``` stays **so**"


@given(st.lists(st.sampled_from(["<", ">", "|", "*", "~", "`", "```", "&", "@U", "!", "\n", "a"])))
def test_nothing_makes_it_fail(parts: list[str]) -> None:
    to_markdown("".join(parts))


@pytest.mark.parametrize(
    "part", ["<", "*", "*a", "~ ", "`", "```", "<@U1|", "&", "• ", "<!", "*a\n"]
)
def test_a_megabyte_of_anything_is_read_in_a_second(part: str) -> None:
    text = part * (1_000_000 // len(part))
    start = time.process_time()
    to_markdown(text)

    assert time.process_time() - start < 1.0
