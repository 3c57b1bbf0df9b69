from __future__ import annotations

import time

import pytest

from processors.mail.message import parse
from processors.mail.trust import Border, Trust, sender_of
from tests.processors.mail.hostile import LIMIT_S, mails
from tests.processors.mail.mails import mail

BORDER = Border("mx.example.com", hosts=("example.com",))
BELOW = Border("mx.google.com", hosts=("google.com",), stamps_below=True)
FROM = "From: Jane <jane@sender.org>"
HOP = "Received: from out.sender.org (out.sender.org [203.0.113.5]) by mx.example.com; Mon"
PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=sender.org"


def trust(*headers: str, border: Border = BORDER) -> Trust:
    return sender_of(mail(*headers).headers, border=border)


def judged(result: str, sender: str = FROM) -> Trust:
    return trust(f"Authentication-Results: mx.example.com; {result}", HOP, sender)


def test_what_our_server_proved_is_verified() -> None:
    assert trust(PASS, HOP, FROM) == Trust(
        verified=True,
        account="jane@sender.org",
        method="dmarc",
        reason="dmarc=pass for sender.org",
    )


@pytest.mark.parametrize(
    ("result", "method"),
    [
        ("dmarc=pass (p=none) header.from=sender.org", "dmarc"),
        ("dmarc=pass", "dmarc"),
        ("dkim=pass header.d=sender.org", "dkim"),
        ("dkim=fail header.d=x.org; dkim=pass header.i=@sender.org", "dkim"),
        ("spf=pass smtp.mailfrom=bounce@sender.org", "spf"),
        ('spf=fail; DKIM=Pass header.i="@sender.org"', "dkim"),
        ("dmarc=none; spf=pass smtp.mailfrom=sender.org", "spf"),
        ("dkim/1=pass (a (nested; dmarc=fail) comment) header.d=sender.org", "dkim"),
    ],
)
def test_each_method_proves_the_domain_of_the_sender(result: str, method: str) -> None:
    assert judged(result).method == method


@pytest.mark.parametrize(
    "result",
    [
        "none",
        "dmarc=fail header.from=sender.org; dkim=pass header.d=sender.org",
        "dmarc=temperror; spf=pass smtp.mailfrom=sender.org",
        "dmarc=pass header.from=other.org",
        "dkim=pass header.d=other.org",
        "dkim=pass header.d=evil-sender.org",
        "dkim=pass header.d=mail.sender.org",
        "dkim=pass header.d=org",
        "dkim=pass",
        "spf=pass smtp.mailfrom=a@other.org",
        "spf=pass smtp.helo=sender.org",
        "dkim=fail (dkim=pass header.d=sender.org)",
        'dkim=fail reason="; dmarc=pass"',
        "x=y (dmarc=pass",
    ],
)
def test_what_is_not_proven_is_unverified(result: str) -> None:
    assert not judged(result).verified


def test_a_parent_domain_speaks_for_its_child() -> None:
    assert judged("dkim=pass header.d=sender.org", "From: a@mail.sender.org").verified


@pytest.mark.parametrize(
    "headers",
    [
        (HOP, PASS, FROM),
        ("Authentication-Results: mx.evil.org; dmarc=pass", HOP, FROM),
        ("Authentication-Results: mx.example.com.evil.org; dmarc=pass", HOP, FROM),
        (PASS, FROM),
        (PASS, "Received: from a by mx.evil.org", HOP, FROM),
        (HOP, "Received: from a (a [203.0.113.9]) by mx.example.com", PASS, FROM),
        (HOP, "Received: by mx.example.com", PASS, FROM),
        (
            "Received: from mx.example.com (mx.example.com [198.51.100.7]) by mx.example.com",
            PASS,
            FROM,
        ),
        (
            "Received: from x (helo=mx.example.com [10.0.0.1]) by mx.example.com",
            PASS,
            FROM,
        ),
        (
            "Received: from x[127.0.0.1] (localhost [93.184.216.34]) by mx.example.com",
            PASS,
            "Received: from a (a [93.184.216.34]) by mx.example.com",
            FROM,
        ),
        (
            "Received: from a(localhost [127.0.0.1]) (b [93.184.216.34]) by mx.example.com",
            PASS,
            "Received: from a (a [93.184.216.34]) by mx.example.com",
            FROM,
        ),
        (HOP, FROM),
        (FROM,),
    ],
)
def test_a_result_that_anyone_can_have_written_says_nothing(headers: tuple[str, ...]) -> None:
    assert not trust(*headers).verified


def test_hops_inside_do_not_hide_the_border() -> None:
    inside = "Received: from mx.example.com (mx.example.com [10.0.0.2]) by imap.example.com"
    handed = "Received: by imap.example.com with LMTP"

    assert trust(handed, inside, PASS, HOP, FROM).verified


def test_a_server_that_stamps_below_its_own_line_is_believed_once() -> None:
    hops = (
        "Received: by 2002:a05:6a00:1 with SMTP id x",
        "Received: from out.sender.org (out.sender.org. [203.0.113.5]) by mx.google.com; Mon",
    )
    good = "Authentication-Results: mx.google.com; dmarc=pass header.from=sender.org"
    bad = "Authentication-Results: mx.google.com; dmarc=fail header.from=sender.org"
    older = "Received: from a by b"

    assert trust(*hops, good, older, FROM, border=BELOW).verified
    assert not trust(*hops, older, good, FROM, border=BELOW).verified
    assert not trust(*hops, bad, good, older, FROM, border=BELOW).verified


@pytest.mark.parametrize(
    "senders",
    [
        (FROM, "From: evil@evil.org"),
        ("From: jane@sender.org, evil@evil.org",),
        ('From: "boss@example.com" <jane@sender.org>',),
        ("From: =?utf-8?q?boss=40example=2Ecom?= <jane@sender.org>",),
        ("From: =?utf-8?q?a_=3Cb=3E?= <jane@sender.org>",),
        ("From: Ja\u202ene <jane@sender.org>",),
        ("From: Ja\u200bne <jane@sender.org>",),
        ("From: jane@sender.org@evil.org",),
        ("From: jane@sender",),
        ("From: jane@sендер.org",),
        ("From: ",),
        (),
    ],
)
def test_an_odd_sender_is_unverified_whatever_was_proven(senders: tuple[str, ...]) -> None:
    found = trust(PASS.replace(" header.from=sender.org", ""), HOP, *senders)

    assert not found.verified
    assert "From" in found.reason


def test_the_reason_says_that_a_result_was_forged() -> None:
    assert trust(HOP, PASS, FROM).reason == (
        "the result that bears our server's name stands where anyone can write"
    )


@pytest.mark.parametrize("name", mails())
def test_a_megabyte_of_trouble_takes_a_second_at_most(name: str) -> None:
    headers = parse(mails()[name]).headers
    started = time.process_time()
    sender_of(headers, border=BORDER)
    sender_of(headers, border=BELOW)

    assert time.process_time() - started < LIMIT_S
