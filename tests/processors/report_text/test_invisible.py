from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.report_text.invisible import strip_invisible


@pytest.mark.parametrize(
    ("text", "seen", "kind", "said"),
    [
        ("a\u200bb", "ab", "zero_width", "U+200B"),
        ("a\u202eb", "ab", "bidi", "U+202E"),
        ("a\U000e0049\U000e0067n", "an", "tag_characters", "Ig"),
        ("a\x1b[31mb", "ab", "control", "U+001B U+005B U+0033 U+0031 U+006D"),
        ("a&#8203;b", "ab", "zero_width", "U+200B"),
        ("a&#xE0041;b", "ab", "tag_characters", "A"),
        ("a&zwnj;b", "ab", "zero_width", "U+0026"),
        ("&#82\u200b03;", "", "zero_width", "U+200B"),
        # Bytes spelled in selectors behind a sign.
        (
            "x" + "".join(chr(0xE0100 + ord(char) - 16) for char in "hidden"),
            "x",
            "zero_width",
            "hidden",
        ),
    ],
)
def test_what_nobody_sees_is_taken_out_and_spelled(
    text: str, seen: str, kind: str, said: str
) -> None:
    found, unseen = strip_invisible(text)

    assert found == seen
    assert unseen.runs[0][0] == kind
    assert unseen.runs[0][1].startswith(said)


@pytest.mark.parametrize("text", ["👨‍👩‍👧", "❤️", "می‌خواهم", "क्‍ष", "中文", "a\tb\nc", "&lt;&#60;"])
def test_what_is_seen_stays(text: str) -> None:
    found, unseen = strip_invisible(text)

    assert found == text
    assert unseen.count == 0


def test_a_line_end_of_another_kind_is_a_line_end() -> None:
    assert strip_invisible("a\u2028b")[0] == "a\nb"


@given(st.text(alphabet="a&#820x3;zwj\u200b\u200d\ufe0f\u202e\U000e0041\x1b[m❤क") | st.text())
def test_doing_it_twice_changes_nothing_more(text: str) -> None:
    once, _ = strip_invisible(text)

    assert strip_invisible(once)[0] == once
    assert len(once) <= len(text)


def test_one_entity_within_another_many_times_leaves_nothing_hidden() -> None:
    found, _ = strip_invisible("&#82" * 100 + "03;" * 100)

    assert strip_invisible(found)[0] == found
    assert "\u200b" not in found
