from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.report_text.environment import (
    ENTRIES_MAX,
    ENTRY_CHARS_MAX,
    KEY_CHARS_MAX,
    Environment,
    add_mentions,
    read_environment,
)
from processors.report_text.lines import read_lines


def read(text: str) -> dict[str, str]:
    found = Environment()
    read_environment(read_lines(text), found)
    return found.entries


@pytest.mark.parametrize(
    "text",
    [
        "OS: Windows 10\nBrowser: Chrome 120",
        "- OS: Windows 10\n- Browser: Chrome 120",
        "* **OS**: Windows 10\n* **Browser:** Chrome 120",
        "OS = Windows 10\nBrowser = Chrome 120",
        "|Item|Value|\n|---|---|\n|OS|Windows 10|\n|Browser|Chrome 120|",
        "| OS | Browser |\n|:--|--:|\n| Windows 10 | Chrome 120 |",
        "| OS | Windows 10 |\n| Browser | Chrome 120 |",
        "| | |\n|--|--|\n| OS | Windows 10 |\n| Browser | Chrome 120 |",
        "```\nOS: Windows 10\nBrowser: Chrome 120\n```",
    ],
)
def test_pairs_lists_tables_and_code_are_read(text: str) -> None:
    assert read(text) == {"OS": "Windows 10", "Browser": "Chrome 120"}


def test_chinese_pairs_are_read() -> None:
    assert read("系统：Windows 10\n浏览器：Chrome 120") == {
        "系统": "Windows 10",
        "浏览器": "Chrome 120",
    }


def test_what_pip_prints_is_read() -> None:
    text = "```\nPackage    Version\n---------- -------\nnumpy      1.26.4\npandas==2.1.0\n```"

    assert read(text) == {"numpy": "1.26.4", "pandas": "2.1.0"}


def test_lines_that_are_no_pairs_may_name_a_product() -> None:
    found = Environment()
    read_environment(read_lines("- Windows 10\n- Java 17"), found)
    add_mentions([], found)

    assert found.entries == {"OS": "Windows 10", "Java": "17"}


def test_a_mention_does_not_replace_an_answer() -> None:
    found = Environment({"Operating system": "Debian"})
    add_mentions(["It is on Windows 10"], found)

    assert found.entries == {"Operating system": "Debian"}


@pytest.mark.parametrize(
    "text", ["OS: [e.g. iOS]", "OS: N/A", "test_a.py:7: AssertionError", "http://a.b", "x = f(1)"]
)
def test_placeholders_and_other_lines_are_no_entries(text: str) -> None:
    assert read(text) == {}


@given(st.text(alphabet="ab:=|- \n`1.") | st.text())
def test_entries_keep_their_limits(text: str) -> None:
    entries = read(text)

    assert len(entries) <= ENTRIES_MAX
    assert all(0 < len(key) <= KEY_CHARS_MAX for key in entries)
    assert all(0 < len(value) <= ENTRY_CHARS_MAX for value in entries.values())
