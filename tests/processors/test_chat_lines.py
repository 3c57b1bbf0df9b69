"""Markdown as lines, packed into messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processors.chat_lines import Line, lines_of, packed, pieces, size


def test_lines_know_their_block() -> None:
    found = list(lines_of("a\n```py\nb\n```\n~~~\n```\n~~~\nc"))

    assert found == [
        Line("a"),
        Line("b", 1, "py"),
        Line("```", 2, ""),
        Line("c"),
    ]


def test_a_block_that_nothing_closes_holds_until_the_end() -> None:
    assert list(lines_of("```\na\nb")) == [Line("a", 1), Line("b", 1)]


def test_a_table_is_a_list() -> None:
    found = [line.text for line in lines_of("x\n| A | B |\n|---|---|\n| a | b \\| c |\n\n| lone |")]

    assert found == ["x", "- a · b | c", "", "- lone"]


def test_signs_that_a_terminal_obeys_are_left_out() -> None:
    assert [line.text for line in lines_of("a\x1b[0m\u202eb\r\nc\rd")] == ["a[0mb", "c", "d"]


@given(st.text(alphabet="ab <>&;😀\n`", max_size=400), st.integers(60, 120))
def test_nothing_is_lost_and_every_message_fits(text: str, chars_max: int) -> None:
    lines = tuple(lines_of(text))
    parts = pieces(lines, lambda line: line.text, chars_max=chars_max)
    messages = packed(parts, chars_max=chars_max)

    assert "".join(part.text for part in parts) == "".join(line.text for line in lines)
    assert all(0 < size(message) <= chars_max for message in messages)


def test_a_link_and_an_escaped_sign_are_never_cut() -> None:
    text = "&amp;" * 30 + "<https://x.example/abc|abc>" + "&lt;" * 30
    parts = pieces([Line(text)], lambda line: line.text, chars_max=80)

    for part in parts:
        assert part.text.count("<") == part.text.count(">")
        assert part.text.count("&") == part.text.count(";")
