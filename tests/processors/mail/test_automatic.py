from __future__ import annotations

import time

import pytest

from processors.mail.automatic import Automatic, Own, classify
from processors.mail.message import Mail, parse
from tests.processors.mail.hostile import LIMIT_S, mails, texts
from tests.processors.mail.mails import mail, multipart

OWN = Own(accounts=("bugs@example.com",))
STATUS = (
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
    "Final-Recipient: rfc822; Nobody@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n"
)


def kind(read: Mail) -> str:
    return classify(read, own=OWN).kind


def report(status: str, kind: str = "delivery-status") -> Automatic:
    return classify(multipart(f"multipart/report; report-type={kind}", status), own=OWN)


def test_a_delivery_report_is_a_bounce_and_names_whom_it_missed() -> None:
    found = report(STATUS)

    assert (found.kind, found.bounce) == ("bounce", "permanent")
    assert [(failed.account, failed.status) for failed in found.failed] == [
        ("nobody@example.net", "5.1.1")
    ]
    assert found.reasons == ("it is a delivery report (multipart/report)",)


@pytest.mark.parametrize(
    ("action", "status", "bounce"),
    [
        ("failed", "5.2.2", "permanent"),
        ("failed", "4.4.1", "temporary"),
        ("delayed", "4.4.1", "delayed"),
        ("delivered", "2.0.0", "delivered"),
        ("", "", "unknown"),
    ],
)
def test_a_bounce_says_whether_it_is_for_good(action: str, status: str, bounce: str) -> None:
    text = STATUS.replace("Action: failed", f"Action: {action}").replace("5.1.1", status)

    assert report(text).bounce == bounce


def test_a_complaint_is_told_from_a_bounce() -> None:
    arf = (
        "Content-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nOriginal-Rcpt-To: jane@example.net\r\n"
    )
    found = report(arf, "feedback-report")

    assert found.kind == "complaint"
    assert [failed.account for failed in found.failed] == ["jane@example.net"]


@pytest.mark.parametrize("told", ["Bounce", "Complaint", "Delivery"])
def test_amazon_ses_tells_in_json(told: str) -> None:
    body = (
        f'{{"notificationType":"{told}","x":{{"r":[{{"emailAddress":"no@example.net"}}]}},\n'
        '"cut":"in\nthe middle"}\n\n--\nUnsubscribe'
    )
    found = classify(mail("From: SES <no-reply@sns.amazonaws.com>", body=body), own=OWN)

    expected = {"Bounce": "bounce", "Complaint": "complaint", "Delivery": "generated"}
    assert found.kind == expected[told]
    assert told == "Delivery" or found.failed[0].account == "no@example.net"


def test_the_same_json_from_a_person_is_a_report() -> None:
    assert kind(mail("From: a@example.org", body='{"notificationType":"Bounce"}')) == "person"


@pytest.mark.parametrize(
    "headers",
    [
        ("From: Mail Delivery System <MAILER-DAEMON@x.example>", "Subject: Undelivered Mail"),
        ("Return-Path: <>", "From: a@b.example", "Subject: Delivery Status Notification"),
        ("From: <>", "Subject: Mail delivery failed"),
        ("From: a@b.example", "X-Failed-Recipients: no@example.net"),
        ("Return-Path: <>", "From: a@b.example", "Subject: x"),
        ("From: postmaster@b.example", "Subject: Undeliverable: x"),
    ],
)
def test_older_bounces_are_known_by_their_sender(headers: tuple[str, ...]) -> None:
    body = "It could not be delivered:\r\n\r\n<no@example.net>: 550 5.1.1 User unknown\r\n"
    found = classify(mail(*headers, body=body), own=OWN)

    assert found.kind == "bounce"
    assert [failed.account for failed in found.failed] == ["no@example.net"]


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied (vacation)",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "X-Autorespond: x",
        "Subject: Automatic reply: x",
        "Subject: Out of Office: x",
        "Subject: Automatische Antwort: x",
        "Subject: Abwesenheitsnotiz",
        "Subject: Réponse automatique : x",
        "Subject: Respuesta automática: x",
        "Subject: Automatisch antwoord: x",
        "Subject: 自动回复: x",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
    ],
)
def test_auto_replies_are_known(header: str) -> None:
    assert kind(mail("From: a@b.example", header)) == "auto_reply"


@pytest.mark.parametrize(
    "header",
    ["X-Bugstream: 1", "Message-ID: <bugstream.1@example.com>", "From: Bugs <BUGS@example.com>"],
)
def test_our_own_mail_is_known_before_all_else(header: str) -> None:
    assert kind(mail(header, "Auto-Submitted: auto-generated")) == "own"


@pytest.mark.parametrize(
    "headers",
    [
        ("X-Auto-Response-Suppress: All",),
        ("Auto-Submitted: no",),
        ("Subject: Automatic replies are sent twice",),
        ("Subject: Re: Automatic reply: x",),
        ("Subject: Fwd: Undelivered Mail Returned to Sender",),
        ("Subject: Mail delivery failed for every order",),
        ("In-Reply-To: <bugstream.1@example.com>",),
        ("List-Id: <users.example.org>", "List-Post: <mailto:u@example.org>", "Precedence: list"),
    ],
)
def test_people_are_people(headers: tuple[str, ...]) -> None:
    body = "We get this:\r\n\r\n<no@example.net>: 550 5.1.1 User unknown\r\n"

    assert kind(mail("From: a@b.example", "Return-Path: <a@b.example>", *headers, body=body)) == (
        "person"
    )


def test_a_bounce_that_a_person_attached_is_from_a_person() -> None:
    inner = "Content-Type: message/rfc822\r\n\r\nX-Failed-Recipients: no@example.net\r\n\r\nx"

    assert kind(multipart("multipart/mixed", "\r\nsee it", inner, headers=("From: a@b.c",))) == (
        "person"
    )
    assert kind(multipart("multipart/mixed", "\r\nsee it", STATUS, headers=("From: a@b.c",))) == (
        "person"
    )


def test_a_list_is_named_and_a_newsletter_is_no_person() -> None:
    listed = classify(mail("List-Id: <u.example.org>", "List-Post: <mailto:u@e.org>"), own=OWN)
    news = ("Precedence: bulk", "List-Unsubscribe: <https://x.example>")

    assert (listed.kind, listed.list_id) == ("person", "<u.example.org>")
    assert kind(mail(*news)) == "newsletter"
    assert kind(mail("Auto-Submitted: auto-generated", "Subject: Build failed")) == "generated"


@pytest.mark.parametrize("name", mails())
def test_a_megabyte_of_trouble_takes_a_second_at_most(name: str) -> None:
    read = parse(mails()[name])
    started = time.process_time()
    classify(read, own=OWN)

    assert time.process_time() - started < LIMIT_S


@pytest.mark.parametrize("name", texts())
def test_a_bounce_of_a_megabyte_takes_a_second_at_most(name: str) -> None:
    read = parse(b"From: MAILER-DAEMON@x.example\n\n" + texts()[name].encode())
    started = time.process_time()
    classify(read, own=OWN)

    assert time.process_time() - started < LIMIT_S
