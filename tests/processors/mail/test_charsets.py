"""Texts under the wrong label are read in the charset they are in, or left to their label."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.mail.charsets import guess
from processors.mail.message import parse
from processors.mail.mime import text_of

SIMPLE = "系统在保存订单时崩溃,请尽快修复。重现步骤:打开页面,点击保存按钮。"
TRADITIONAL = "系統在儲存訂單時當機,請儘快修復。重現步驟:打開頁面,點擊儲存按鈕。"


@pytest.mark.parametrize(
    "label", ["", "us-ascii", "utf-8", "iso-8859-1", "gb2312", "big5", "x-odd"]
)
@pytest.mark.parametrize(
    ("text", "charset"), [(SIMPLE, "gb18030"), (TRADITIONAL, "big5"), (SIMPLE, "utf-8")]
)
def test_chinese_is_readable_under_whatever_label(text: str, charset: str, label: str) -> None:
    assert text_of(text.encode(charset), label) == text


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Привет, программа падает при сохранении заказа", "cp1251"),
        ("Привет, программа падает при сохранении заказа", "koi8-r"),
        ("Événement créé à l'été, naïve façade, où ça?", "cp1252"),
        ("Größe überprüfen, Maße löschen, Öl", "cp1252"),
        ("Ελληνικά κείμενο σφάλμα προγράμματος", "iso8859-7"),
        ("주문을 저장할 때 프로그램이 충돌합니다 빨리 고쳐 주세요 감사합니다 안녕", "euc-kr"),
        ("注文を保存するとクラッシュします。早く直してください。", "euc-jp"),
        ("注文を保存するとクラッシュします。早く直してください。", "shift_jis"),
        ("plain words", "ascii"),
    ],
)
def test_other_languages_are_not_taken_for_chinese(text: str, charset: str) -> None:
    assert guess(text.encode(charset)) is None
    assert text_of(text.encode(charset), charset) == text


def test_a_whole_mail_with_a_raw_subject_is_readable() -> None:
    raw = b"Subject: " + SIMPLE.encode("gb18030") + b"\r\n\r\n" + SIMPLE.encode("gb18030")
    labelled = b"Content-Type: text/plain; charset=gb2312\r\n\r\n" + TRADITIONAL.encode("big5")

    assert (parse(raw).subject, parse(raw).text) == (SIMPLE, SIMPLE)
    assert parse(labelled).text == TRADITIONAL


def test_half_a_character_is_left_out() -> None:
    raw = b"Subject: =?utf-7?q?=2B2AA-?=x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nA+2AA-B"
    found = parse(raw)

    assert (found.subject, found.text) == ("x", "AB")


@given(st.binary(max_size=300))
def test_any_bytes_are_guessed_without_an_error(body: bytes) -> None:
    assert guess(body) in {None, "utf-8", "gb18030", "big5hkscs"}
