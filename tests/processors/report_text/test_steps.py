from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.report_text.lines import read_lines
from processors.report_text.steps import STEP_CHARS_MAX, STEPS_MAX, read_steps


@pytest.mark.parametrize(
    "text",
    [
        "1. Open it\n2. Press save",
        "1) Open it\n2) Press save",
        "- Open it\n- Press save",
        "* [ ] Open it\n* [x] Press save",
        "# Open it\n# Press save",
        "Open it\nPress save",
        "Step 1: Open it\nStep 2: Press save",
        "步骤1：Open it\n步骤2：Press save",
        "第一步，Open it\n第二步，Press save",
        "①Open it\n②Press save",
        "1、Open it\n2、Press save",
        "1. Open it 2. Press save",
        "Do this:\n1. Open it\n2. Press save\n\nThen it breaks.",
    ],
)
def test_steps_are_read_however_they_are_counted(text: str) -> None:
    assert read_steps(read_lines(text)) == ("Open it", "Press save")


def test_code_belongs_to_the_step_above_it() -> None:
    text = "1. Run this:\n```sh\nmake\n```\n2. Wait"

    assert read_steps(read_lines(text)) == ("Run this:\nmake", "Wait")


def test_code_alone_is_the_step_and_prose_behind_it_is_none() -> None:
    assert read_steps(read_lines("```py\nx = 1\n```\nIt raises.")) == ("x = 1",)


def test_what_is_indented_below_a_step_belongs_to_it() -> None:
    text = "1. Open it\n   - with care\n   in the morning\n2. Wait"

    assert read_steps(read_lines(text)) == ("Open it\n- with care\nin the morning", "Wait")


def test_the_words_of_a_starter_and_no_answer_are_no_steps() -> None:
    text = "1. Go to '...'\n2. Click on '....'\n3. Scroll down to '....'\n4. See error"

    assert read_steps(read_lines(text)) == ()
    assert read_steps(read_lines("_No response_")) == ()
    assert read_steps(read_lines("N/A")) == ()


@given(st.text(), st.text())
def test_steps_keep_their_limits(text: str, first: str) -> None:
    steps = read_steps(read_lines(text), first=first)

    assert len(steps) <= STEPS_MAX
    assert all(0 < len(step) <= STEP_CHARS_MAX for step in steps)
