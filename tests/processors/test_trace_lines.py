"""Quote marks go, prompts stay, and nothing is longer than it may be."""

from __future__ import annotations

import pytest

from processors.trace_lines import FRAMES_MAX, LINE_CHARS_MAX, TEXT_CHARS_MAX, FrameBuffer, lines_of
from schemas.reports import Frame


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("> text", "text"),
        (">   indented", "  indented"),
        ("> > twice", "twice"),
        (">> twice", "twice"),
        (">>> code()", ">>> code()"),
        ("> >>> code()", ">>> code()"),
        ("a > b", "a > b"),
        ("    > code", "    > code"),
        ("end\r", "end"),
    ],
)
def test_quote_marks_are_removed_and_prompts_kept(line: str, expected: str) -> None:
    assert lines_of(line) == [expected]


def test_long_texts_and_lines_are_cut() -> None:
    assert lines_of("x" * 5000) == ["x" * LINE_CHARS_MAX]
    assert len(lines_of("\n" * (TEXT_CHARS_MAX + 9))) == TEXT_CHARS_MAX + 1


def test_a_buffer_drops_the_middle() -> None:
    buffer = FrameBuffer()
    for line in range(FRAMES_MAX * 3):
        buffer.add(Frame(path="a.py", line=line))

    lines = [frame.line for frame in buffer.all()]

    assert lines == [*range(100), *range(FRAMES_MAX * 3 - 100, FRAMES_MAX * 3)]
