from __future__ import annotations

import pytest

from processors.report_text.headings import heading_at
from processors.report_text.lines import read_lines
from processors.report_text.vocabulary import Part


@pytest.mark.parametrize(
    "text",
    [
        "### Steps to reproduce",
        "#Steps to reproduce#",
        "**Steps to reproduce**",
        "**Steps to reproduce:**",
        "**Steps to reproduce**:",
        "__Steps to reproduce__",
        "*Steps to reproduce:*",
        "h3. Steps to reproduce",
        "h3. *Steps to reproduce*",
        "Steps to reproduce\n===",
        "Steps to reproduce\n---",
        "Steps to reproduce:",
        "- Steps to reproduce:",
        "Steps to reproduce",
        "<b>Steps to reproduce</b>",
        "<summary>Steps to reproduce</summary>",
        "[Steps to reproduce]",
        "【复现步骤】",
        "一、复现步骤：",
        "复现步骤：",
        "1. 复现步骤：",
    ],
)
def test_a_heading_of_any_form_is_one(text: str) -> None:
    heading = heading_at(read_lines(text), 0, hash_lists=False)

    assert heading is not None
    assert heading.part is Part.STEPS
    assert heading.rest == ""


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Expected: it opens", "it opens"),
        ("**Expected:** it opens", "it opens"),
        ("* Expected result: it opens", "it opens"),
        ("【期望结果】打开", "打开"),
        ("期望结果：打开", "打开"),
        ("### Expected: it opens", "it opens"),
    ],
)
def test_what_stands_behind_a_title_is_kept(text: str, rest: str) -> None:
    heading = heading_at(read_lines(text), 0, hash_lists=False)

    assert heading is not None
    assert (heading.part, heading.rest) == (Part.EXPECTED, rest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I expected: nothing",
        "**Bold** words in a sentence",
        "Error: it broke",
        "http://steps",
        "steps to reproduce",
        "          Expected: in code",
        "version: of the thing",
    ],
)
def test_other_lines_are_none(text: str) -> None:
    assert heading_at(read_lines(text), 0, hash_lists=False) is None


def test_code_is_never_a_heading() -> None:
    lines = read_lines("```\n# Steps to reproduce\nExpected:\n```")

    assert [heading_at(lines, at, hash_lists=False) for at in range(len(lines))] == [None] * 4


def test_where_hashes_count_only_words_of_a_story_are_headings() -> None:
    assert heading_at(read_lines("# Open the shop"), 0, hash_lists=True) is None
    assert heading_at(read_lines("# Steps to reproduce"), 0, hash_lists=True) is not None


def test_an_unknown_title_is_a_heading_without_a_part() -> None:
    heading = heading_at(read_lines("## Something else"), 0, hash_lists=False)

    assert heading is not None
    assert (heading.part, heading.title, heading.level) == (None, "Something else", 2)
