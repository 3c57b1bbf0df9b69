from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processors.report_text.lines import LINE_CHARS_MAX, LINES_MAX, read_lines


def kinds(text: str) -> list[str]:
    return [line.kind for line in read_lines(text)]


def test_what_a_fence_holds_is_code() -> None:
    assert kinds("a\n```py\n# b\n```\nc") == ["text", "fence", "code", "fence", "text"]
    assert kinds("~~~\n```\n~~~\nc") == ["fence", "code", "fence", "text"]


def test_what_jira_calls_code_is_code() -> None:
    assert kinds("{code:java}\nx\n{code}\ny") == ["fence", "code", "fence", "text"]
    assert kinds("{noformat}x{noformat}\ny") == ["fence", "text"]


def test_a_fence_in_a_list_holds_code_and_one_left_open_does_to_the_end() -> None:
    assert kinds("1. ```\n   x\n   ```\ny") == ["fence", "code", "fence", "text"]
    assert kinds("```\nx\ny") == ["fence", "code", "code"]


@given(st.text())
def test_there_is_a_line_for_each_up_to_the_limit(text: str) -> None:
    lines = read_lines(text)

    assert len(lines) == text.replace("\r\n", "\n").count("\n") + 1
    assert all(len(line.text) <= LINE_CHARS_MAX for line in lines)


def test_lines_beyond_the_limit_are_not_read() -> None:
    assert len(read_lines("\n" * 1_000_000)) == LINES_MAX
