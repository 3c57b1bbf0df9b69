"""Made-up mails that people and newsletters send, many of them near to what a machine writes.

Same seed, same mails. None of it is taken from anyone's mailbox.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP

_PEOPLE = (
    ("Ana Souza", "ana.souza@example.com.br"),
    ("Jörg Müller", "joerg@example.de"),
    ("Postmaster Pete", "postmaster@example.org"),
    ("Bouncy Castles Ltd", "hello@bouncy.example"),
    ("李雷", "lilei@example.cn"),
    ("山田太郎", "yamada@example.jp"),
    ("O'Brien, Patrick", "p.o'brien@example.ie"),
    ("Olga Petrova", "olga@example.ru"),
    ("Mail Order Books", "mail@example.net"),
    ("System Admin", "admin@example.edu"),
    ("", "jane@example.com"),
)
_CLIENTS = (
    ("X-Mailer", "iPhone Mail (21A329)"),
    ("X-Mailer", "Microsoft Outlook 16.0"),
    ("User-Agent", "Mozilla Thunderbird"),
    ("User-Agent", "Mutt/2.2.12"),
    ("X-Mailer", "Apple Mail (2.3774)"),
    ("X-Auto-Response-Suppress", "DR, OOF, AutoReply"),
    ("X-MS-Exchange-Inbox-Rules-Loop", "team@example.com"),
    ("X-Priority", "3"),
)
_SUBJECTS = (
    "Login fails after the update",
    "Question about invoices",
    "Crash when a coupon is empty",
    "Re: Crash when a coupon is empty",
    "AW: Fehler beim Export",
    "导出时报错",
    "エクスポートが失敗します",
    "Ошибка при входе",
    "Lunch on Friday?",
    "Mail delivery is slow since Tuesday",
    "Delivery address cannot be changed",
    "Out of office hours support?",
    "Automatic replies are sent twice",
    "Returned items are counted wrong",
    "Undo does nothing",
    "Failure when I save a draft",
)
_BODIES = (
    "Hi,\n\nwhen I save an order without a coupon the page shows an error 500.\n\nThanks\n",
    "The customer says her message could not be delivered. Our log has 550 5.1.1 User unknown.\n",
    "Guten Tag,\n\nbeim Export erscheint eine Fehlermeldung. Können Sie helfen?\n\nGrüße\n",
    "大家好，\n\n导出报表时出现错误。\n",
    "Can you add a dark mode? It would be nice.\n",
    "We see mail from MAILER-DAEMON in the queue, and users get no password mails.\n",
    "I was out of office last week, so I only saw the crash today.\n",
)
_BOUNCE_SUBJECTS = (
    "Undelivered Mail Returned to Sender",
    "Delivery Status Notification (Failure)",
    "Mail delivery failed: returning message to sender",
    "Automatic reply: your order",
    "Returned mail: see transcript for details",
)
_BOUNCE_TEXT = (
    "This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your "
    "message could not be delivered.\n\n<nobody@example.net>: host mx.example.net said: 550 5.1.1 "
    "<nobody@example.net>: Recipient address rejected: User unknown\n"
)

Make = Callable[[random.Random, EmailMessage], None]


def ordinary_mails(count: int, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` (name, raw mail), every kind in turn."""
    chance = random.Random(seed)  # noqa: S311 - the same mails every time are the point.
    for number in range(count):
        name, make = _KINDS[number % len(_KINDS)]
        message = _from_somebody(chance, number)
        make(chance, message)
        for nested, part in enumerate(message.walk()):
            if part.is_multipart() and part.get_content_maintype() == "multipart":
                # The library would draw its own, another one every time.
                part.set_boundary(f"=_{number}_{nested}_=")
        yield f"{name}-{number}", message.as_bytes(policy=SMTP)


def _from_somebody(chance: random.Random, number: int) -> EmailMessage:
    message = EmailMessage()
    name, account = chance.choice(_PEOPLE)
    # RFC 2047 by the standard library: a name with a comma gets its quotes.
    message["Return-Path"] = f"<{account}>"
    message["From"] = _mailbox(name, account)
    message["To"] = "bugs@example.com"
    message["Message-ID"] = f"<{number}.{chance.randrange(10**9)}@mail.{account.split('@')[1]}>"
    message["Date"] = f"{chance.randrange(1, 29)} Nov 2026 {chance.randrange(24):02}:10:00 +0100"
    for header, value in chance.sample(_CLIENTS, 2):
        if header not in message:
            message[header] = value
    return message


def _mailbox(name: str, account: str) -> str:
    quoted = name.replace('"', "")
    return f'"{quoted}" <{account}>' if quoted else account


def _plain(chance: random.Random, message: EmailMessage) -> None:
    message["Subject"] = chance.choice(_SUBJECTS)
    message.set_content("\n".join(chance.sample(_BODIES, 2)))


def _html(chance: random.Random, message: EmailMessage) -> None:
    _plain(chance, message)
    text = chance.choice(_BODIES).replace("\n", "<br>")
    message.add_alternative(f"<html><body><p>{text}</p></body></html>", subtype="html")


def _attached(chance: random.Random, message: EmailMessage) -> None:
    _plain(chance, message)
    message.add_attachment(
        chance.randbytes(200), maintype="image", subtype="png", filename="bild ä.png"
    )


def _reply(chance: random.Random, message: EmailMessage) -> None:
    message["Subject"] = "Re: " + chance.choice(_SUBJECTS)
    message["In-Reply-To"] = "<bugstream.42@bugs.example.com>"
    message["References"] = "<root@example.com> <bugstream.42@bugs.example.com>"
    message.set_content(
        chance.choice(_BODIES)
        + "\nOn Mon, 2 Nov 2026 at 10:00, Bugs <bugs@example.com> wrote:\n> ?\n"
    )


def _to_list(chance: random.Random, message: EmailMessage) -> None:
    _plain(chance, message)
    message["List-Id"] = "Users of the shop <users.lists.example.org>"
    message["List-Post"] = "<mailto:users@lists.example.org>"
    message["List-Unsubscribe"] = "<https://lists.example.org/leave>"
    message["Precedence"] = chance.choice(("list", "bulk"))
    message["Sender"] = "users-bounces@lists.example.org"
    message["Errors-To"] = "users-bounces@lists.example.org"


def _newsletter(chance: random.Random, message: EmailMessage) -> None:
    message["Subject"] = f"{chance.randrange(10, 70)} % off, only today"
    message["List-Unsubscribe"] = "<https://news.example.com/leave>"
    message["Precedence"] = "bulk"
    message["Feedback-ID"] = "1:news:example"
    message.set_content("View this email in your browser. Unsubscribe.\n")


def _notice(chance: random.Random, message: EmailMessage) -> None:
    message["Subject"] = f"[shop] Run {chance.randrange(1000)} failed: main"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("The workflow failed. Delivery of the artifact failed.\n")


def _forwarded_bounce(chance: random.Random, message: EmailMessage) -> None:
    subject = chance.choice(_BOUNCE_SUBJECTS)
    message["Subject"] = chance.choice(("Fwd: ", "WG: ", "FW: ", "转发：")) + subject
    message.set_content(
        "I get this for every order, please look.\n\n---------- Forwarded message ---------\n"
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\nDate: Mon, 2 Nov 2026\n"
        f"Subject: {subject}\nTo: jane@example.com\n\n{_BOUNCE_TEXT}"
    )


def _attached_bounce(chance: random.Random, message: EmailMessage) -> None:
    message["Subject"] = chance.choice(
        ("Bounce of our order mails", "Mails come back", "See below")
    )
    message.set_content("The bounce is attached.\n")
    inner = EmailMessage()
    inner["From"] = "MAILER-DAEMON@mx.example.net"
    inner["Subject"] = chance.choice(_BOUNCE_SUBJECTS)
    inner["X-Failed-Recipients"] = "nobody@example.net"
    inner.set_content(_BOUNCE_TEXT)
    message.add_attachment(inner)


def _saved_bounce(chance: random.Random, message: EmailMessage) -> None:
    # Some programs forward a bounce by attaching its parts one by one.
    _plain(chance, message)
    message.make_mixed()
    fields = EmailMessage()
    fields["Final-Recipient"] = "rfc822; nobody@example.net"
    fields["Action"] = "failed"
    fields["Status"] = "5.1.1"
    status = EmailMessage()
    status["Content-Type"] = "message/delivery-status"
    status["Content-Disposition"] = 'attachment; filename="details.txt"'
    status.attach(fields)
    message.attach(status)


def _talks_of_bounces(chance: random.Random, message: EmailMessage) -> None:
    message["Subject"] = chance.choice(
        (
            "Bounces are not counted",
            "Your parser misses 'Undelivered Mail Returned to Sender'",
            "Question: Delivery Status Notification (Failure)?",
            "We get 'Mail delivery failed' for every order",
            "Re: Undeliverable: invoice 42",
            "Autoresponder answers itself",
            "Postmaster account is locked",
        )
    )
    message.set_content(f"Hello,\n\nwe get mails like this:\n\n{_BOUNCE_TEXT}\n\nRegards\n")


def _answers_auto_reply(chance: random.Random, message: EmailMessage) -> None:
    message["Subject"] = "Re: Automatic reply: " + chance.choice(_SUBJECTS)
    message["In-Reply-To"] = "<away@example.com>"
    message["Auto-Submitted"] = "no"
    message.set_content("Thanks, I will wait until you are back.\n")


_KINDS: tuple[tuple[str, Make], ...] = (
    ("plain", _plain),
    ("html", _html),
    ("attachment", _attached),
    ("reply", _reply),
    ("list", _to_list),
    ("newsletter", _newsletter),
    ("notice", _notice),
    ("forwarded bounce", _forwarded_bounce),
    ("attached bounce", _attached_bounce),
    ("parts of a bounce", _saved_bounce),
    ("talks of bounces", _talks_of_bounces),
    ("answers an auto-reply", _answers_auto_reply),
)
