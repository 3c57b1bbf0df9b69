"""What mail says of a bug."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.channels.email import ATTACHED_CHARS_MAX, parse
from processors.channels.parsed import Parsed
from processors.traces import find_traces
from schemas.raw import Origin, RawReceived
from tests.factories import raw_github

TRACE = (
    "Traceback (most recent call last):\n"
    '  File "shop/cart.py", line 12, in total\n'
    "    return price / count\n"
    "ZeroDivisionError: division by zero\n"
)


def raw(route: str = "email/report") -> RawReceived:
    origin = Origin(channel="email", container="bugs@acme.example", item="0" * 40)
    return raw_github().model_copy(update={"origin": origin, "route": route})


def said(*headers: str, body: str = "It crashes.", route: str = "email/report") -> Parsed | None:
    lines = ("From: Ann <Ann@home.example>", "Subject: Crash at checkout", *headers, "", body)
    return parse(raw(route), "\r\n".join(lines).encode())


def attached(*parts: str, body: str = "See the log.") -> Parsed:
    text = f"--e\r\nContent-Type: text/plain\r\n\r\n{body}\r\n"
    text += "".join(f"--e\r\n{part}\r\n" for part in parts) + "--e--\r\n"
    found = said('Content-Type: multipart/mixed; boundary="e"', body=text)
    assert found is not None
    return found


def test_the_first_mail_is_a_report_without_its_signature() -> None:
    found = said("Date: Thu, 26 Nov 2026 09:00:00 +0100", body="It crashes.\n\n-- \nAnn\nACME")

    assert found is not None
    assert (found.title, found.text) == ("Crash at checkout", "It crashes.")
    assert (found.account, found.comment) == ("email:ann@home.example", False)
    assert found.created_at == "2026-11-26T08:00:00+00:00"


def test_a_reply_is_a_comment_without_what_it_quotes() -> None:
    body = "Still there in 1.3.\n\nOn 26 Nov 2026, bugstream wrote:\n> A fix is ready.\n"
    found = said("In-Reply-To: <a@x>", body=body, route="email/reply")

    assert found is not None
    assert (found.comment, found.text) == (True, "Still there in 1.3.")


def test_who_brings_us_into_a_thread_late_means_what_is_quoted_too() -> None:
    quoted = "\n".join(f"> {line}" for line in TRACE.split("\n"))
    found = said(body=f"Can you look at this?\n\nOn 26 Nov 2026, Bob wrote:\n{quoted}\n")

    assert found is not None
    assert found.text.startswith("Can you look at this?\n\nQuoted in the mail:\n\n>")
    assert find_traces(found.text)[0].exception == "ZeroDivisionError"


@pytest.mark.parametrize(
    "route",
    ["email/own", "email/bounce", "email/over_limit", "email/generated", "email/newsletter"],
)
def test_what_the_mailbox_took_for_no_report_is_none(route: str) -> None:
    assert said(route=route) is None


@pytest.mark.parametrize(
    "header",
    [
        "X-Bugstream: 0198",
        "Message-ID: <bugstream.1@acme.example>",
        "Auto-Submitted: auto-replied",
        "X-Failed-Recipients: x@y.example",
    ],
)
@pytest.mark.parametrize("route", ["email", "email/report", "email/reply"])
def test_our_own_mail_and_that_of_machines_is_none_whatever_the_route(
    header: str, route: str
) -> None:
    assert said(header, route=route) is None


def test_without_the_mailboxes_word_the_mail_itself_decides() -> None:
    first, reply = said(route="email"), said("In-Reply-To: <a@x>", route="email")

    assert first is not None
    assert not first.comment
    assert reply is not None
    assert reply.comment
    assert said("Auto-Submitted: auto-generated", route="email") is None
    assert said("Auto-Submitted: auto-generated", route="email/report") is not None


def test_a_trace_in_an_attached_log_is_found_and_the_file_is_named() -> None:
    found = attached(
        f'Content-Disposition: attachment; filename="../../crash.log"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n```\n{TRACE}",
        'Content-Disposition: attachment; filename="shot.png"\r\nContent-Type: image/png\r\n\r\nx',
    )

    assert found.attachments == ("crash.log", "shot.png")
    assert "Attached, `crash.log`:\n\n````\n```\nTraceback" in found.text
    assert find_traces(found.text)[0].frames[0].path == "shop/cart.py"
    assert "x\n```" not in found.text


def test_attached_texts_are_bounded_all_together() -> None:
    part = "Content-Disposition: attachment; filename=a.txt\r\n\r\n" + ("word word\n" * 10_000)

    assert len(attached(*[part] * 20).text) < ATTACHED_CHARS_MAX + 20_000


def test_binary_under_a_texts_name_is_not_quoted() -> None:
    assert (
        "Attached"
        not in attached("Content-Disposition: attachment; filename=a.log\r\n\r\n\0\1").text
    )


def test_a_mail_that_was_cut_says_so() -> None:
    found = said("X-Bugstream-Cut: 99000000")

    assert found is not None
    assert found.text.endswith(
        "The mail was too large (99000000 bytes): only its beginning was read."
    )


def test_a_sender_whose_address_is_none_is_unknown() -> None:
    odd = parse(raw(), b'From: <a b"@@x>\r\nSubject: s\r\n\r\nIt crashes.')

    assert odd is not None
    assert odd.account == "email:unknown"


@pytest.mark.parametrize("charset", ["gb18030", "big5"])
def test_chinese_mail_is_read_under_a_wrong_label(charset: str) -> None:
    text = "系统在保存订单时崩溃" if charset == "gb18030" else "系統在儲存訂單時當機"
    other = "big5" if charset == "gb18030" else "gb2312"
    body = b"From: a@b.example\r\nContent-Type: text/plain; charset=" + other.encode()
    found = parse(raw(), body + b"\r\n\r\n" + text.encode(charset))

    assert found is not None
    assert (found.title, found.text) == (text, text)


@given(st.binary(max_size=400))
def test_any_bytes_make_a_report_or_none(body: bytes) -> None:
    found = parse(raw(), body)

    assert found is None or found.title
