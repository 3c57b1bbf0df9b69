from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.report_text.vocabulary import Part, entry_kind, part_of


@pytest.mark.parametrize(
    ("title", "part"),
    [
        ("Steps to reproduce", Part.STEPS),
        ("🐛 Steps To Reproduce:", Part.STEPS),
        (":bug: To Reproduce", Part.STEPS),
        ("2. How to reproduce it (as minimally and precisely as possible)", Part.STEPS),
        ("Steps/Code to Reproduce", Part.STEPS),
        ("What did you do?", Part.STEPS),
        ("复现步骤", Part.STEPS),
        ("一、复现步骤：", Part.STEPS),
        ("重現步驟", Part.STEPS),
        ("复现步骤 / Steps to reproduce", Part.STEPS),
        ("Steps to reproduce 复现步骤", Part.STEPS),
        ("Expected behaviour", Part.EXPECTED),
        ("What did you expect to see?", Part.EXPECTED),
        ("What you expected to happen", Part.EXPECTED),
        ("期望结果", Part.EXPECTED),
        ("预期行为", Part.EXPECTED),
        ("Actual results", Part.ACTUAL),
        ("What happened?", Part.ACTUAL),
        ("实际结果", Part.ACTUAL),
        ("Environment", Part.ENVIRONMENT),
        ("Desktop (please complete the following information)", Part.ENVIRONMENT),
        ("运行环境", Part.ENVIRONMENT),
        ("环境 Environment", Part.ENVIRONMENT),
        ("Operating System", Part.ENTRY),
        ("Python version", Part.ENTRY),
        ("What browsers are you seeing the problem on?", Part.ENTRY),
        ("操作系统", Part.ENTRY),
        ("浏览器版本", Part.ENTRY),
        ("Version", Part.VERSION),
        ("Affected version", Part.VERSION),
        ("Airflow version", Part.VERSION),
        ("版本号", Part.VERSION),
        ("Component", Part.COMPONENT),
        ("Affected component(s)", Part.COMPONENT),
        ("所属模块", Part.COMPONENT),
        ("Additional context", Part.OTHER),
        ("备注", Part.OTHER),
    ],
)
def test_a_title_opens_its_part(title: str, part: Part) -> None:
    assert part_of(title) is part


@pytest.mark.parametrize(
    "title", ["", "The button", "Stepson", "I reproduce it", "typescript一直提示", "x" * 500, "..."]
)
def test_other_words_open_none(title: str) -> None:
    assert part_of(title) is None


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("OS version", "os"),
        ("Browser", "browser"),
        ("python", "python"),
        ("浏览器", "browser"),
        ("系统", "os"),
        ("Colour", ""),
    ],
)
def test_an_entry_speaks_of_a_kind(key: str, kind: str) -> None:
    assert entry_kind(key) == kind


@given(st.text())
def test_no_title_breaks_it(title: str) -> None:
    assert part_of(title) in (None, *Part)
    assert isinstance(entry_kind(title), str)
