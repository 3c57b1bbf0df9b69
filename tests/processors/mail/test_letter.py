"""What a mailbox learns of a mail before it is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.mail.automatic import Own
from processors.mail.letter import Letter, read
from processors.mail.trust import Border

US = "bugs@acme.example"
OWN = Own(accounts=(US,))
BORDER = Border("mx.acme.example")
PROVEN = (
    "Authentication-Results: mx.acme.example; dmarc=pass header.from=home.example",
    "Received: from out.home.example (out.home.example [192.0.2.7]) by mx.acme.example; now",
)


def letter(*headers: str, body: str = "It crashes.", border: Border | None = BORDER) -> Letter:
    raw = "\r\n".join((*headers, "", body)).encode()
    return read(raw, own=OWN, border=border)


def from_ann(*headers: str, body: str = "It crashes.") -> Letter:
    return letter(*PROVEN, "From: Ann <Ann@home.example>", f"To: {US}", *headers, body=body)


def test_a_mail_of_a_person_is_to_be_answered_where_it_came_from() -> None:
    found = from_ann("Message-ID: <a@home.example>", "Subject: Re: Re: Crash")

    assert (found.kind, found.account, found.verified) == ("person", "ann@home.example", True)
    assert (found.reply_to, found.no_answer) == ("ann@home.example", "")
    assert (found.subject, found.message_id, found.earlier) == ("Crash", "a@home.example", ())


def test_reply_to_counts_only_where_our_server_vouches_for_the_sender() -> None:
    header = "Reply-To: other@home.example"
    forged = letter("From: ann@home.example", f"To: {US}", header)
    nobody_asked = letter(*PROVEN, "From: ann@home.example", f"To: {US}", header, border=None)

    assert from_ann(header).reply_to == "other@home.example"
    assert (forged.verified, forged.reply_to) == (False, "ann@home.example")
    assert (nobody_asked.verified, nobody_asked.reply_to) == (False, "ann@home.example")


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (("From: no-reply@shop.example", f"To: {US}"), "no replies"),
        (("From: shop.donotreply@shop.example", f"To: {US}"), "no replies"),
        (("From: ann@home.example", "To: dev@lists.example", "List-Id: <dev>"), "mailing list"),
        (("From: ann@home.example", f"To: {US}", "Auto-Submitted: auto-replied"), "auto_reply"),
        (("From: ann@home.example", f"To: {US}", "Auto-Submitted: auto-generated"), "generated"),
        (("Return-Path: <>", "From: ann@home.example", f"To: {US}"), "bounce"),
        (("From: ann@home.example", f"To: {US}", "X-Bugstream: 1"), "own"),
        ((f"From: {US}", f"To: {US}"), "own"),
        (("From: nobody", f"To: {US}"), "names no address"),
    ],
)
def test_some_mail_is_never_answered(headers: tuple[str, ...], why: str) -> None:
    assert why in letter(*headers).no_answer


def test_a_mailing_list_that_writes_to_us_by_name_is_answered() -> None:
    found = from_ann("List-Id: <dev.lists.example>", "List-Post: <mailto:dev@lists.example>")
    tagged = letter("From: a@b.example", "To: bugs+web@acme.example", "List-Id: <dev>")

    assert (found.no_answer, tagged.no_answer) == ("", "")


def test_what_servers_add_on_the_way_does_not_change_the_meaning() -> None:
    headers = ("From: ann@home.example", "Message-ID: <a@x>", "Subject: s")
    one = letter(*headers)
    added = letter("Received: from x by y", "X-Spam: no", *headers)

    assert one.meaning == added.meaning
    assert one.meaning != letter(*headers, body="Something else.").meaning
    assert one.meaning != letter(headers[0], "Message-ID: <b@x>", headers[2]).meaning


def test_of_a_machines_mail_it_is_said_whether_it_speaks_of_a_bug() -> None:
    machine = "Auto-Submitted: auto-generated"
    trace = "Traceback (most recent call last):\n  File 'x'\nValueError: no"

    assert letter(
        "From: cron@acme.example", machine, "Subject: job failed", body=trace
    ).reads_like_bug
    assert not letter(
        "From: crm@acme.example", machine, "Subject: ticket 12 received"
    ).reads_like_bug


def test_a_mail_without_ids_has_the_same_one_whenever_it_is_read() -> None:
    assert letter("From: a@b.example").message_id == letter("From: a@b.example").message_id
    assert letter().message_id.endswith("@sha256.invalid")


def test_a_long_thread_keeps_its_first_and_its_nearest_mails() -> None:
    ids = [f"<m{number}@x>" for number in range(90)]
    found = letter("From: a@b.example", f"References: {' '.join(ids)}", "In-Reply-To: <last@x>")

    assert (found.earlier[0], found.earlier[-1]) == ("m0@x", "last@x")
    assert len(found.earlier) == 20


@given(st.binary(max_size=400))
def test_any_bytes_are_a_letter_that_a_database_can_hold(raw: bytes) -> None:
    found = read(raw, own=OWN, border=BORDER)

    for text in (found.kind, found.account, found.subject, found.message_id, *found.earlier):
        text.encode()
        assert "\0" not in text
