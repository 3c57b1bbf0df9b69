from __future__ import annotations

import time
from zlib import crc32

import pytest

from processors.similarity.claims import claims, turns
from processors.similarity.texts import (
    PLACEHOLDER_CHARS_MAX,
    TEXT_CHARS_MAX,
    TITLE_GRAMS_MAX,
    WORDS_MAX,
    cleaned,
    grams,
    is_cjk,
    links,
    title_words,
    weighed,
    words,
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("## Steps to reproduce:\nopen the cart", "open the cart"),
        ("**Expected results:**\n\nnothing", "nothing"),
        ("User Agent: Mozilla/5.0 (X11; Linux) Firefox/60.0\nit hangs", "it hangs"),
        ("<!-- please fill in -->it hangs<!-- never closed", "it hangs"),
        ("see https://shop.example/x?y=1 there", "see   there"),
        ("at /usr/lib/shop/cart.py now", "at  cart.py now"),
        ("id 0xdeadbeef and 550e8400-e29b-41d4-a716-446655440000", "id   and"),
        ("+++ This bug was initially created as a clone of Bug #12 +++\nit hangs", "it hangs"),
        ("**复现步骤**：\n点击按钮", "点击按钮"),
        ("卡死\n因为所需的数据太大，无法直接发送。请在此粘贴。", "卡死"),
        ("我们已将所需的数据写入剪贴板。卡死", "卡死"),
        ("无法复制到剪贴板", "无法复制到剪贴板"),
        ("粘贴时卡死", "粘贴时卡死"),
        ("Steps to reproduce:\nopen the cart", "open the cart"),
        ("### Steps to reproduce\nopen the cart", "open the cart"),
        ("Type: <b>Bug</b>\nit hangs", "it hangs"),
        ("The data needed is too large to send. We've put it on your clipboard.\nslow", "slow"),
        ("It fails when I copy to the clipboard.", "It fails when I copy to the clipboard."),
        ("Environment variables are lost", "Environment variables are lost"),
        ("The description: is empty", "The description: is empty"),
    ],
)
def test_boilerplate_goes_and_what_is_said_stays(text: str, left: str) -> None:
    assert cleaned(text) == left


def test_a_sentence_that_no_dialog_would_put_in_stays() -> None:
    long = f"The data {'of mine ' * (PLACEHOLDER_CHARS_MAX // 8)}is too large to send."

    assert cleaned(long) == long


HOSTILE = (
    *("a", " ", "-", "*", "#", "\n", " \n", "0", "/a", "/a b c d ", "data ", "we have ", "<!--"),
    *("a.", "1.", "a-", "A-1", "http://", "Mozilla/5.0 (", "中", "type: ", "a:", " please paste"),
)


@pytest.mark.parametrize("part", HOSTILE)
def test_no_text_takes_long(part: str) -> None:
    text = part * (TEXT_CHARS_MAX // len(part))
    began_s = time.process_time()

    cleaned(text)
    claims(text)
    turns(text)
    title_words(text)
    links(text)

    # Some milliseconds; where it is tried from every place anew, seconds.
    assert time.process_time() - began_s < 0.5


def test_names_are_found_whole_and_in_parts() -> None:
    assert [*words("readCartTotal fails")] == ["readcarttotal", "read", "cart", "total", "fails"]


def test_chinese_comes_in_pairs_of_signs() -> None:
    assert [*words("终端闪退")] == ["终端", "端闪", "闪退"]
    assert [*words("卡")] == ["卡"]


@pytest.mark.parametrize(
    ("text", "cjk"),
    [
        ("编辑器 crash", True),
        ("VS Code 半角のJが打てない", True),
        ("café naïve", False),
        ("see the file 说明.txt for what is wrong with it", False),
        ("", False),
    ],
)
def test_a_text_is_chinese_by_a_good_part_of_its_letters(text: str, cjk: bool) -> None:
    assert is_cjk(text) is cjk


def test_a_word_of_the_title_counts_twice() -> None:
    counts = weighed("cart", "cart total")

    assert counts == {crc32(b"cart"): 3, crc32(b"total"): 1}


def test_what_is_kept_of_a_text_has_a_limit() -> None:
    many = " ".join(f"word{'x' * (at % 30)}{at}" for at in range(5_000))

    assert len(weighed("", many)) <= WORDS_MAX
    assert len(grams(many)) == TITLE_GRAMS_MAX


def test_letters_stand_in_rows_of_three_to_five_inside_a_word() -> None:
    assert set(grams("ab")) == {crc32(row.encode()) for row in (" ab", "ab ", " ab ")}


def test_titles_are_compared_without_case_and_marks() -> None:
    assert title_words("[Cart] Total is 1.2!") == title_words("cart: total is 1.2")
    assert title_words("v1.2 fails") != title_words("v1.3 fails")


def test_links_are_found_without_their_query() -> None:
    assert links("see HTTPS://Shop.example/a?b=1#c, and http://x.example/.") == (
        "https://shop.example/a",
        "http://x.example",
    )
