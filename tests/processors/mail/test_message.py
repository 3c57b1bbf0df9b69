from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.mail.message import (
    TEXT_CHARS_MAX,
    Address,
    addresses,
    bare_subject,
    parse,
)
from tests.processors.mail.hostile import LIMIT_S, mails, texts
from tests.processors.mail.mails import mail, multipart


def test_a_mail_is_read_into_who_what_when_and_in_which_thread() -> None:
    read = mail(
        "From: =?utf-8?q?J=C3=B6rg?= <Joerg@Example.DE>",
        "To: bugs@example.com, Ana <ana@example.com>",
        "Cc: li@example.cn",
        "Subject: AW: Re: Crash",
        "Date: Mon, 2 Nov 2026 10:00:00 +0100",
        "Message-ID: <3@example.de>",
        "In-Reply-To: <2@example.com>",
        "References: <1@example.com>\r\n <2@example.com>",
    )

    assert read.sender == Address("Jörg", "joerg@example.de")
    assert [address.account for address in read.to] == [
        "bugs@example.com",
        "ana@example.com",
        "li@example.cn",
    ]
    assert read.subject == "Crash"
    assert read.subject_as_sent == "AW: Re: Crash"
    assert read.date == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert (read.message_id, read.in_reply_to) == ("3@example.de", "2@example.com")
    assert read.references == ("1@example.com", "2@example.com")
    assert read.thread_root == "1@example.com"
    assert read.text == "It crashes."


def test_a_reply_without_references_joins_the_thread_of_what_it_answers() -> None:
    assert mail("Message-ID: <2@b>", "In-Reply-To: <1@b>").thread_root == "1@b"
    assert mail("Message-ID: <2@b>").thread_root == "2@b"


def test_a_mail_without_an_id_is_the_same_thread_whenever_it_is_read() -> None:
    first, again, other = mail("X: 1"), mail("X: 1"), mail("X: 2")

    assert first.message_id is None
    assert first.thread_root == again.thread_root != other.thread_root


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: Fwd: x", "x"),
        ("RE[2]: x", "x"),
        ("回复：x", "x"),
        ("转发: 回复: x", "x"),
        ("WG: AW: x", "x"),
        ("SV: VS: x", "x"),
        ("Odp: x", "x"),
        ("TR : x", "x"),
        ("Regression: x", "Regression: x"),
        ("R: install fails", "R: install fails"),
        ("Re:", "Re:"),
        ("", ""),
    ],
)
def test_a_subject_loses_the_prefixes_of_replies(subject: str, bare: str) -> None:
    assert bare_subject(subject) == bare


def test_a_prefix_of_one_letter_counts_only_on_a_reply() -> None:
    assert bare_subject("R: pronto", is_reply=True) == "pronto"


def test_plain_text_is_preferred_and_html_read_where_it_is_empty() -> None:
    html = "Content-Type: text/html\r\n\r\n<p>from <b>html</b></p>"
    both = multipart("multipart/alternative", "Content-Type: text/plain\r\n\r\nplain", html)
    empty = multipart("multipart/alternative", "Content-Type: text/plain\r\n\r\n  ", html)

    assert both.text == "plain"
    assert empty.text == "from html"


def test_a_choice_holds_for_the_parts_within_it() -> None:
    related = (
        'Content-Type: multipart/related; boundary="in"\r\n\r\n--in\r\nContent-Type: text/html\r\n'
        "\r\n<p>html</p>\r\n--in\r\nContent-Type: image/png\r\n\r\nx\r\n--in--"
    )
    read = multipart("multipart/alternative", "Content-Type: text/plain\r\n\r\nplain", related)

    assert read.text == "plain"
    assert [attachment.media_type for attachment in read.attachments] == ["image/png"]


def test_attachments_are_named_and_weighed_and_their_names_lead_nowhere() -> None:
    read = multipart(
        "multipart/mixed",
        "\r\nsee log",
        "Content-Type: text/plain\r\nContent-Disposition: attachment; "
        'filename="../../etc/log.txt"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=',
    )

    assert read.text == "see log"
    [log] = read.attachments
    assert (log.name, log.media_type, log.size_bytes) == ("log.txt", "text/plain", 5)
    assert log.sha256.startswith("2cf24dba")


def test_soft_line_ends_are_joined_and_signatures_are_not() -> None:
    read = mail(
        "Content-Type: text/plain; format=flowed", body="a long \nline\n> quoted \n> on\n-- \nme\n"
    )

    assert read.text == "a long line\n> quoted on\n--\nme"


def test_text_beyond_the_limit_is_cut_and_that_is_told() -> None:
    read = mail(body="x" * (TEXT_CHARS_MAX + 10))

    assert len(read.text) == TEXT_CHARS_MAX
    assert read.cut


def test_headers_with_eight_bits_are_read() -> None:
    raw = "Subject: naïve\nFrom: Jörg <j@b.c>\n\n"

    assert parse(raw.encode()).subject == parse(raw.encode("latin-1")).subject == "naïve"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\0\0",
        b"Date: Mon, 99 Foo 9999999 99:99:99 +9999\n\n",
        b"Date: Fri, 31 Dec 9999 23:59:59 -2359\n\n",
        b"From: <<<>>>\nTo: ,,,@\n\n",
        b"Content-Type: ;;;=\n\nx",
        b"Content-Type: text/plain; charset*0*=x'y\n\nx",
        b"Content-Type: multipart/mixed; boundary*=utf-8''%ff\n\nx",
        b"Subject: =?utf-8?b?a?=\n\n",
        b"Message-ID: <>\nReferences: x y z\n\n",
    ],
)
def test_odd_mails_are_read_as_far_as_they_go(raw: bytes) -> None:
    assert parse(raw).date is None or parse(raw).date


@given(raw=st.binary(max_size=2_000))
def test_no_bytes_raise(raw: bytes) -> None:
    for head in (b"", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", b"From: ", b"Date: "):
        parse(head + raw)


@given(value=st.text(max_size=500))
def test_no_address_raises(value: str) -> None:
    addresses(value)
    bare_subject(value)


@pytest.mark.parametrize("name", mails())
def test_a_megabyte_of_trouble_takes_a_second_at_most(name: str) -> None:
    raw = mails()[name]
    started = time.process_time()
    parse(raw)

    assert time.process_time() - started < LIMIT_S


@pytest.mark.parametrize("name", texts())
def test_long_values_take_a_second_at_most(name: str) -> None:
    value = texts()[name]
    started = time.process_time()
    addresses(value)
    bare_subject(value)

    assert time.process_time() - started < LIMIT_S


def test_small_letters_make_nobody_else_of_an_account() -> None:
    [ann, kelvin] = addresses("Ann@Acme.ORG, \u212aim@acme.org")

    assert ann.account == "ann@acme.org"
    assert kelvin.account == "\u212aim@acme.org"
