from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.report_text.mentions import mentions


def found(text: str, *, prose: bool = True) -> dict[str, str]:
    return dict(mentions([text], known=frozenset(), prose=prose))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Python 3.11.4 on Windows 10", {"OS": "Windows 10", "Python": "3.11.4"}),
        ("I use macOS 14.2 and Chrome 120", {"OS": "macOS 14.2", "Browser": "Chrome 120"}),
        ("on Ubuntu 22.04 LTS with node v18.2.0", {"OS": "Ubuntu 22.04 LTS", "Node.js": "v18.2.0"}),
        ("在Windows 11上使用Chrome 120", {"OS": "Windows 11", "Browser": "Chrome 120"}),
        ("Win10系统，谷歌浏览器 120", {"OS": "Win10", "Browser": "谷歌浏览器 120"}),
        ("OS X 10.15.7, Safari version 13", {"OS": "OS X 10.15.7", "Browser": "Safari version 13"}),
        ("running Java 17", {"Java": "17"}),
    ],
)
def test_products_named_with_a_version_are_found(text: str, said: dict[str, str]) -> None:
    assert found(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "It works in Chrome 120",
        "Chrome 120 works fine",
        "not reproducible on Windows 10",
        "requires Python 3.11.4",
        "Please upgrade to Python 3.12.1",
        "Windows 1252 encoding",
        "Deprecated in JDK 17",
        "Python is nice",
        "在Chrome 120正常",
    ],
)
def test_where_it_works_or_nothing_is_named_nothing_is_told(text: str) -> None:
    assert found(text) == {}


def test_in_a_section_on_the_environment_a_bare_version_counts() -> None:
    assert found("Java 8", prose=False) == {"Java": "8"}


def test_a_kind_that_is_known_is_not_looked_for() -> None:
    text = "Python 3.11.4 on Windows 10"

    assert dict(mentions([text], known=frozenset({"os"}), prose=True)) == {"Python": "3.11.4"}


def test_two_versions_are_both_told() -> None:
    assert found("on Windows 10 and on Windows 11") == {"OS": "Windows 10, Windows 11"}


@given(st.lists(st.text()), st.booleans())
def test_no_text_breaks_it(texts: list[str], prose: bool) -> None:
    assert all(key and value for key, value in mentions(texts, known=frozenset(), prose=prose))
