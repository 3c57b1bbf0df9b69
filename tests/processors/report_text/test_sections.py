from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processors.report_text.environment import ENTRIES_MAX
from processors.report_text.sections import SHORT_CHARS_MAX, ReportParts, read_sections
from processors.report_text.steps import STEPS_MAX
from processors.report_text.values import VALUE_CHARS_MAX
from tests.processors.report_text.hostile import slowest, texts

WHOLE = ReportParts(
    steps=("Open the shop", "Press pay"),
    expected="It is paid.",
    actual="It crashes.",
    environment=(("OS", "Windows 10"), ("Browser", "Chrome 120")),
    version="1.4.2",
    component="checkout",
)


@pytest.mark.parametrize(
    "text",
    [
        # A form, or a template with headings.
        "### Steps to reproduce\n\n1. Open the shop\n2. Press pay\n\n### Expected behavior\n\n"
        "It is paid.\n\n### Actual behavior\n\nIt crashes.\n\n### Environment\n\n- OS: Windows 10\n"
        "- Browser: Chrome 120\n\n### Version\n\n1.4.2\n\n### Component\n\ncheckout",
        # GitHub's old starter template, in bold.
        "**To Reproduce**\nSteps to reproduce the behavior:\n1. Open the shop\n2. Press pay\n\n"
        "**Expected behavior**\nIt is paid.\n\n**Actual behavior**\nIt crashes.\n\n"
        "**Desktop (please complete the following information):**\n - OS: Windows 10\n"
        " - Browser: Chrome 120\n - Version: 1.4.2\n - Component: checkout",
        # Bugzilla and mail.
        "Steps to reproduce:\n\nOpen the shop\nPress pay\n\n\nActual results:\n\nIt crashes.\n\n\n"
        "Expected results:\n\nIt is paid.\n\nOS: Windows 10\nBrowser: Chrome 120\nVersion: 1.4.2\n"
        "Component: checkout",
        # Jira's wiki markup.
        "h3. Steps to reproduce\n# Open the shop\n# Press pay\nh3. Expected\nIt is paid.\n"
        "h3. Actual\nIt crashes.\nh3. Environment\n* OS: Windows 10\n* Browser: Chrome 120\n"
        "*Version:* 1.4.2\n*Component:* checkout",
        # Underlined, and a table.
        "Steps to reproduce\n==================\n* Open the shop\n* Press pay\n\nExpected\n"
        "--------\nIt is paid.\n\nActual behavior\n---------------\nIt crashes.\n\n"
        "Environment\n-----------\n"
        "|Item|Value|\n|--|--|\n|OS|Windows 10|\n|Browser|Chrome 120|\n\nVersion: 1.4.2\n"
        "Component: checkout",
    ],
)
def test_the_same_report_is_read_in_every_form(text: str) -> None:
    found = read_sections(text)
    own = [pair for pair in found.environment if pair[0] not in ("Version", "Component")]

    assert tuple(own) == WHOLE.environment
    assert (found.steps, found.expected, found.actual) == (
        WHOLE.steps,
        WHOLE.expected,
        WHOLE.actual,
    )
    assert (found.version, found.component) == (WHOLE.version, WHOLE.component)


@pytest.mark.parametrize(
    "text",
    [
        "## 复现步骤\n1. 打开商店\n2. 点击支付\n\n## 期望结果\n支付成功\n\n## 实际结果\n崩溃\n\n"
        "## 环境\n系统：Windows 10\n浏览器：Chrome 120\n\n## 版本\n1.4.2\n\n## 所属模块\n支付",
        "【复现步骤】\n1、打开商店\n2、点击支付\n【期望结果】支付成功\n【实际结果】崩溃\n【环境】\n"
        "系统: Windows 10\n浏览器: Chrome 120\n【版本】1.4.2\n【模块】支付",
        "一、复现步骤：\n1. 打开商店\n2. 点击支付\n二、期望结果：支付成功\n三、实际结果：崩溃\n"
        "四、环境：\n系统：Windows 10\n浏览器：Chrome 120\n五、版本：1.4.2\n六、模块：支付",
    ],
)
def test_chinese_reports_are_read(text: str) -> None:
    found = read_sections(text)

    assert found.steps == ("打开商店", "点击支付")
    assert (found.expected, found.actual) == ("支付成功", "崩溃")
    assert dict(found.environment)["系统"] == "Windows 10"
    assert dict(found.environment)["浏览器"] == "Chrome 120"
    assert (found.version, found.component) == ("1.4.2", "支付")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It is broken, please fix it.",
        "1. I came\n2. I saw",
        "```\n### Steps to reproduce\n1. x\nExpected: y\nOS: z\n```",
        "### Steps to reproduce\n\n_No response_\n\n### Expected\n\nN/A\n\n### Version\n\nNone",
    ],
)
def test_what_is_not_said_stays_empty(text: str) -> None:
    assert read_sections(text) == ReportParts()


def test_versions_named_in_passing_are_read_outside_code() -> None:
    text = "With Python 3.11.4 on Windows 10 it crashes.\n```\nChrome 120.0\n```"

    assert read_sections(text).environment == (("OS", "Windows 10"), ("Python", "3.11.4"))


def test_of_several_versions_none_is_the_version() -> None:
    assert read_sections("## Versions\nfoo version: 1.0\nbar version: 2.0").version == ""
    assert read_sections("## Versions\nfoo version: 1.0").version == "1.0"


def test_a_comment_in_code_does_not_turn_headings_into_items() -> None:
    text = "# Steps to reproduce\n1. Run\n```py\n# a\n# b\n```\n# Other title\nwords"

    assert read_sections(text).steps == ("Run\n# a\n# b",)


def test_an_answer_on_one_line_ends_at_the_blank_line() -> None:
    assert read_sections("Expected: it opens\n\nBy the way, thanks.").expected == "it opens"


_PIECES = st.sampled_from(
    [
        "### Steps to reproduce",
        "1. a",
        "- b: c",
        "Expected: d",
        "**Actual**",
        "```",
        "|a|b|",
        "---",
        "{code}",
        "环境：",
        "OS: x",
        "",
        "   - e",
        "h3. Environment",
        "# f",
        "===",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=20), max_size=40).map("\n".join) | st.text())
@example("\x00" * 10)
def test_no_text_breaks_it_and_what_it_says_keeps_its_limits(text: str) -> None:
    found = read_sections(text)

    assert len(found.steps) <= STEPS_MAX
    assert len(found.environment) <= ENTRIES_MAX
    assert max(len(found.expected), len(found.actual)) <= VALUE_CHARS_MAX
    assert max(len(found.version), len(found.component)) <= SHORT_CHARS_MAX
    assert read_sections(text) == found


def test_a_megabyte_takes_no_second() -> None:
    seconds, text = slowest(read_sections, texts())

    assert seconds < 1, text
