"""What goes out to Slack and Discord mentions nobody and fits."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.chat_lines import size
from processors.chat_text import (
    DISCORD_CHARS_MAX,
    MESSAGES_MAX,
    SLACK_SECTION_CHARS_MAX,
    to_discord,
    to_slack,
)

CALLED = re.compile(r"@(everyone|here|channel)", re.IGNORECASE)
SLACK_CALLED = re.compile(r"<(?!https?://)|<https?://[^|>]*@")
DISCORD_CALLED = re.compile(r"<[@]|<#|</\w|<id:", re.IGNORECASE)
HOSTILE = [
    *("<!channel>", "<!here|here>", "<!everyone>", "<@U123>", "<@U123|ann>", "<#C1>", "<@&9>"),
    *("<@!30>", "<@30>", "@everyone", "@here", "@channel", "@HERE", "&lt;!here&gt;", "&", "<", ">"),
    *("@", "here", "everyone", "channel", "!", "<!subteam^S1>", "<b>", "</b>", "<sub>", "</sub>"),
    *(
        "\\",
        "*",
        "**",
        "_",
        "~~",
        "`",
        "```",
        "~~~",
        "````",
        "\n",
        " ",
        "|",
        "\n|",
        "-",
        "# ",
        "> ",
    ),
    *(
        "[x](https://a.example/@here)",
        "[",
        "](",
        ")",
        "https://",
        "\u200b",
        "\u202e",
        "\x00",
        "\u00ad",
    ),
    *("😀", "x" * 50, "a:", "<t:1>", "</bug:1>", "<id:guide>", "\r", "\u2028", "```py\n"),
]
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), max_size=40).map("".join)
LONG = st.builds(
    lambda parts, times: "".join(parts) * times,
    st.lists(st.sampled_from(HOSTILE)),
    st.integers(1, 400),
)


def slack(markdown: str) -> list[str]:
    return [block["text"]["text"] for message in to_slack(markdown) for block in message.blocks]


def fences(text: str) -> int:
    return sum(line.startswith("```") for line in text.split("\n"))


@settings(max_examples=400, deadline=None)
@given(TEXTS | LONG)
def test_no_mention_survives_in_slack(markdown: str) -> None:
    for message in to_slack(markdown):
        for text in [message.text, *(block["text"]["text"] for block in message.blocks)]:
            assert not CALLED.search(text)
            assert not SLACK_CALLED.search(text)
            assert 1 <= size(text) <= SLACK_SECTION_CHARS_MAX
            assert not re.search(r"&(?!amp;|lt;|gt;)", text)
        assert sum(size(block["text"]["text"]) for block in message.blocks) <= 40_000
        assert all(block["text"]["verbatim"] for block in message.blocks)
        assert len(message.blocks) <= 50
    assert len(to_slack(markdown)) <= MESSAGES_MAX


@settings(max_examples=400, deadline=None)
@given(TEXTS | LONG)
def test_no_mention_survives_in_discord(markdown: str) -> None:
    for content in to_discord(markdown):
        assert not CALLED.search(content)
        assert not re.search(r"<@", content)
        assert 1 <= size(content) <= DISCORD_CHARS_MAX
        outside = re.sub(r"^```.*?^```$", "", content, flags=re.MULTILINE | re.DOTALL)
        assert not DISCORD_CALLED.search(outside)
    assert len(to_discord(markdown)) <= MESSAGES_MAX


@settings(deadline=None)
@given(TEXTS | LONG)
def test_a_block_of_code_that_is_opened_is_closed_in_the_same_message(markdown: str) -> None:
    for text in [*slack(markdown), *to_discord(markdown)]:
        assert fences(text) % 2 == 0


def test_code_goes_on_in_a_block_of_its_own_in_the_next_message() -> None:
    lines = [f"line {number} <T> &" for number in range(400)]
    contents = to_discord("before\n```py\n" + "\n".join(lines) + "\n```\nafter")

    assert len(contents) > 1
    for content in contents[1:]:
        assert content.startswith("```py\n")
    joined = "\n".join(contents)
    assert [line for line in joined.split("\n") if line.startswith("line")] == lines
    assert contents[-1].endswith("```\nafter")


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**BUG-1: done.** It is `a<b`.", "*BUG-1: done.* It is `a&lt;b`."),
        ("## A *title*", "*A _title_*"),
        ("- one\n  - two", "• one\n  • two"),
        ("[the log](https://x.example/?a=1&b=2)", "<https://x.example/?a=1&amp;b=2|the log>"),
        ("[no](javascript:alert)", "[no](javascript:alert)"),
        ("~~old~~ *new*", "~old~ _new_"),
        (r"2 \* 3 \<b\>", "2 \u200b*\u200b 3 &lt;b&gt;"),
        ("| Check | Verdict |\n|---|---|\n| a \\| b | passed |", "• a | b · passed"),
        ("<sub>Written by a program.</sub>", "Written by a program."),
        ("a ```b``` c", "a ``\u200b`b``\u200b` c"),
        ("<!channel> @here", "&lt;!channel&gt; @\u200bhere"),
        ("```py\nx = a < b  # @here\n```", "```py\nx = a &lt; b  # @\u200bhere\n```"),
    ],
)
def test_each_sign_has_its_place_in_slack(markdown: str, shown: str) -> None:
    assert slack(markdown) == [shown]


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**done** `a<b` [x](https://x.example)", "**done** `a<b` [x](https://x.example)"),
        ("| A | B |\n|:--|--:|\n| a | b |", "- a · b"),
        ("<sub>Written by a program.</sub>", "-# Written by a program."),
        ("<@30> <@&4> @everyone", "<\u200b@30> <\u200b@&4> @\u200beveryone"),
    ],
)
def test_each_sign_has_its_place_in_discord(markdown: str, shown: str) -> None:
    assert to_discord(markdown) == (shown,)


def test_nothing_says_nothing() -> None:
    assert to_slack(" \n") == ()
    assert to_discord("") == ()


def test_what_is_too_long_ends_with_where_the_rest_is() -> None:
    assert "the rest is in" in slack("x y " * 100_000)[-1]
    assert "the rest is in" in to_discord("word " * 100_000)[-1]


def test_the_notice_of_a_long_or_linked_answer_is_plain() -> None:
    assert to_slack("**Short.** Yes.\n\nmore")[0].text == "*Short.* Yes."
    assert to_slack("x" * 2900)[0].text == "bugstream has an answer"


@pytest.mark.parametrize(
    "part", ["<", "*", "**a", "[", "`", "```\n", "@", "|", "|\n", "&", "\\", "~~a "]
)
def test_a_megabyte_of_anything_is_written_in_a_second(part: str) -> None:
    text = part * (1_000_000 // len(part))
    start = time.process_time()
    to_slack(text)
    to_discord(text)

    assert time.process_time() - start < 1.0
