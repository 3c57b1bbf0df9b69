from __future__ import annotations

import pytest

from processors.report_text.lines import read_lines
from processors.report_text.values import VALUE_CHARS_MAX, is_empty, value_of


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "N/A",
        "n/a.",
        "_No response_",
        "None",
        "-",
        "...",
        "无",
        "暂无。",
        "?",
        "A clear and concise description of what you expected to happen.",
        "OS: [e.g. iOS]",
    ],
)
def test_what_says_nothing_is_empty(value: str) -> None:
    assert is_empty(value)


@pytest.mark.parametrize("value", ["0", "None of them opens", "无法打开", "x" * 300])
def test_what_says_something_is_not(value: str) -> None:
    assert not is_empty(value)


def test_a_value_is_its_lines_without_placeholders() -> None:
    lines = read_lines("\n_No response_\n\nIt opens.\n\nAlways.\n")

    assert value_of(lines) == "It opens.\n\nAlways."
    assert value_of(read_lines("N/A")) == ""
    assert len(value_of(read_lines("word " * 10_000 + "\n" + "x\n" * 10_000))) <= VALUE_CHARS_MAX
