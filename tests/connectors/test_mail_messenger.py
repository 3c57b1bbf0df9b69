"""Answers to mails, taken by a real SMTP server (aiosmtpd)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from connectors.database import open_engine
from connectors.mail_messenger import MailMessenger, check
from connectors.mail_threads import MailThreads
from connectors.oauth_token import OAuthToken
from processors.mail.automatic import Own, classify
from processors.mail.message import parse
from processors.mail.to_html import to_html, to_plain
from schemas.errors import PoisonError, TransientError
from schemas.projects import TEAM_ITEM
from schemas.raw import Origin
from tests.connectors.mail_servers import (
    ADDRESS,
    PASSWORD,
    Postman,
    free_port,
    mailbox,
    smtp_server,
)
from tests.connectors.test_mail_threads import Mail

KEY = UUID("0198f6a0-0000-7000-8000-000000000007")
NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
TEXT = "**BUG-2026-7F3K2: a fix is ready for review.**\n\nRead it, please: `a_b`.\n"


@dataclass
class TokenTaker(Postman):
    """Wants an access token, and says so first or takes it with the command."""

    asks_first: bool = False

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        given = args[1] if len(args) > 1 and not self.asks_first else None
        if given is None:
            said = await server.challenge_auth("")
            given = base64.b64encode(said if isinstance(said, bytes) else b"").decode()
        if b"auth=Bearer good-token\1\1" in base64.b64decode(given):
            return AuthResult(success=True)
        # As Gmail does: an error to be acknowledged, and then the refusal.
        await server.challenge_auth('{"status":"401"}')
        return AuthResult(success=False, handled=False)


@pytest.fixture
def threads(tmp_path: Path) -> Iterator[MailThreads]:
    made = MailThreads(lambda: open_engine(tmp_path / "inbox.sqlite"))
    yield made
    made.close()


def messenger(threads: MailThreads, port: int, **more: object) -> MailMessenger:
    settings = {"smtp_port": port, "smtp_security": "none", "imap_host": "127.0.0.1", **more}
    box = mailbox(1, **settings)
    token = OAuthToken(box.oauth) if box.oauth else None
    return MailMessenger(
        {box.container: (box, token)},
        threads,
        to_plain=to_plain,
        to_html=to_html,
        now=lambda: NOW,
    )


def origin(threads: MailThreads, mail: Mail | None = None) -> Origin:
    mail = mail or Mail("a@home.example", ("z@home.example",))
    placed = threads.place(ADDRESS, mail, at=NOW, per_sender_per_day_max=100)
    return Origin(channel="email", container=ADDRESS, item=placed.item)


def only(postman: Postman) -> EmailMessage:
    [envelope] = postman.took
    assert isinstance(envelope.content, bytes)
    found = message_from_bytes(envelope.content, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def test_an_answer_says_whose_it_is_and_hangs_in_its_thread(threads: MailThreads) -> None:
    postman = Postman()
    with smtp_server(postman) as port:
        receipt = messenger(threads, port).post(origin(threads), TEXT, KEY)
    mail = only(postman)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))

    assert postman.took[0].mail_from == ADDRESS
    assert postman.took[0].rcpt_tos == [mail["To"]] == ["ann@home.example"]
    assert mail["From"] == f"bugstream <{ADDRESS}>"
    assert mail["Subject"] == "Re: Crash"
    assert mail["Message-ID"] == f"<{receipt}>" == f"<bugstream.{KEY}@acme.example>"
    assert mail["In-Reply-To"] == "<a@home.example>"
    assert mail["References"] == "<z@home.example> <a@home.example>"
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert mail["X-Bugstream"] == str(KEY)
    assert mail["Date"] == "Thu, 26 Nov 2026 08:00:00 +0000"
    assert plain is not None
    assert plain.get_content().startswith("BUG-2026-7F3K2: a fix is ready")
    assert html is not None
    assert "<strong>BUG-2026-7F3K2" in html.get_content()


def test_an_answer_is_known_as_ours_by_each_of_its_signs(threads: MailThreads) -> None:
    postman = Postman()
    with smtp_server(postman) as port:
        messenger(threads, port).post(origin(threads), TEXT, KEY)
    content = postman.took[0].content
    assert isinstance(content, bytes)
    found = classify(parse(content), own=Own(accounts=(ADDRESS,)))

    assert found.kind == "own"
    assert len(found.reasons) == 3


def test_the_same_answer_is_sent_once(threads: MailThreads) -> None:
    postman = Postman()
    with smtp_server(postman) as port:
        made, place = messenger(threads, port), origin(threads)
        assert made.find(place, KEY) is None
        receipt = made.post(place, TEXT, KEY)

        assert made.find(place, KEY) == made.post(place, TEXT, KEY) == receipt
    assert len(postman.took) == 1


def test_long_lines_and_other_languages_arrive_as_they_were(threads: MailThreads) -> None:
    postman = Postman()
    text = f"系统在保存订单时崩溃 — {'x' * 3000}\n.\nFrom here on"
    with smtp_server(postman) as port:
        messenger(threads, port).post(origin(threads), text, KEY)
    plain = only(postman).get_body(("plain",))

    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n").rstrip("\n") == text
    content = postman.took[0].content
    assert isinstance(content, bytes)
    assert max(map(len, content.split(b"\r\n"))) < 998


@pytest.mark.parametrize(
    "mail",
    [
        Mail("a@x", subject="s\r\nBcc: victim@x.example"),
        Mail("a@x", ("e@x> \r\nBcc:victim@x.example", "f<@x", "ü@x")),
        Mail("a@x", subject="系统崩溃 " * 30),
        Mail("a@x", subject=""),
    ],
)
def test_nothing_of_a_strangers_mail_becomes_a_header(threads: MailThreads, mail: Mail) -> None:
    postman = Postman()
    with smtp_server(postman) as port:
        messenger(threads, port).post(origin(threads, mail), TEXT, KEY)
    found = only(postman)

    assert found["Bcc"] is None
    assert found["Subject"].startswith("Re: ")
    assert postman.took[0].rcpt_tos == ["ann@home.example"]


@pytest.mark.parametrize(
    ("mail", "more", "says"),
    [
        (Mail("a@x", no_answer="a program wrote it"), {}, "a program wrote it"),
        (Mail("a@x", verified=False), {"answer_unverified": False}, "nobody vouches"),
        (Mail("a@x"), {"answers": False}, "does not answer"),
        (Mail("a@x", account="not an address"), {}, "none that can be written to"),
    ],
)
def test_whoever_must_not_be_answered_is_not(
    threads: MailThreads, mail: Mail, more: dict[str, object], says: str
) -> None:
    postman = Postman()
    with smtp_server(postman) as port:
        made, place = messenger(threads, port, **more), origin(threads, mail)
        with pytest.raises(PoisonError, match=says):
            made.post(place, TEXT, KEY)

        assert "can be written" in says or says in (made.no_answer(place) or "")
    assert postman.took == []


def test_a_thread_that_was_erased_or_is_not_ours_is_not_answered(threads: MailThreads) -> None:
    made, place = messenger(threads, free_port()), origin(threads)
    threads.forget("ann@home.example")

    assert "erased" in (made.no_answer(place) or "")
    for other in (
        Origin(channel="slack", container=ADDRESS, item="1"),
        Origin(channel="email", container="x@other.example", item="1"),
    ):
        assert "no mailbox of ours" in (made.no_answer(other) or "")
        with pytest.raises(PoisonError):
            made.find(other, KEY)


def test_two_programs_that_talk_to_each_other_are_stopped(threads: MailThreads) -> None:
    postman = Postman()
    with smtp_server(postman) as port:
        made = messenger(threads, port, answers_per_thread_per_day_max=2)
        place = origin(threads)
        for number in range(2):
            made.post(place, TEXT, UUID(int=number))
        with pytest.raises(PoisonError, match="talking to each other"):
            made.post(place, TEXT, UUID(int=9))
    assert len(postman.took) == 2


def test_an_address_gets_only_so_many_answers_in_all_its_threads(threads: MailThreads) -> None:
    postman = Postman()
    with smtp_server(postman) as port:
        made = messenger(threads, port, answers_per_address_per_day_max=2)
        for number in range(2):
            made.post(origin(threads, Mail(f"{number}@x")), TEXT, UUID(int=number))
        with pytest.raises(PoisonError, match="answers_per_address_per_day_max"):
            made.post(origin(threads, Mail("9@x")), TEXT, UUID(int=9))
        made.post(origin(threads, Mail("b@x", account="bob@x.example")), TEXT, UUID(int=10))
    assert len(postman.took) == 3


def test_the_team_is_told_by_a_mail_of_its_own(threads: MailThreads) -> None:
    postman = Postman()
    place = Origin(channel="email", container="team@acme.example", item=TEAM_ITEM)
    with smtp_server(postman) as port:
        made = messenger(threads, port, answers_per_thread_per_day_max=1)
        assert made.no_answer(place) is None
        receipt = made.post(place, TEXT, KEY)
        made.post(place, TEXT, UUID(int=9))

        assert made.find(place, KEY) == receipt
    mail = message_from_bytes(postman.took[0].content, policy=default)  # type: ignore[arg-type]
    assert postman.took[0].rcpt_tos == ["team@acme.example"]
    assert mail["Subject"] == "BUG-2026-7F3K2: a fix is ready for review."
    assert mail["In-Reply-To"] is None
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("550 no such user", PoisonError),
        ("552 too big", PoisonError),
        ("554 looks like spam", PoisonError),
        ("530 sign in first", TransientError),
        ("450 greylisted", TransientError),
        ("421 come later", TransientError),
    ],
)
@pytest.mark.parametrize("at", ["to_rcpt", "to_data"])
def test_what_the_server_says_decides_whether_it_is_tried_again(
    threads: MailThreads, said: str, error: type[Exception], at: str
) -> None:
    postman = Postman(**{at: said})  # type: ignore[arg-type]
    with smtp_server(postman) as port:
        made, place = messenger(threads, port), origin(threads)
        with pytest.raises(error, match=said[:3]):
            made.post(place, TEXT, KEY)

        assert made.find(place, KEY) is None


def test_an_answer_that_is_too_large_for_the_server_is_not_sent(threads: MailThreads) -> None:
    postman = Postman()
    with smtp_server(postman, size_max=2_000) as port, pytest.raises(PoisonError, match="2000"):
        messenger(threads, port).post(origin(threads), "x" * 5_000, KEY)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # On loopback.
def test_the_sign_in_is_that_of_the_mailbox_and_a_wrong_one_is_named(threads: MailThreads) -> None:
    postman = Postman()
    with smtp_server(postman, password=PASSWORD) as port:
        place = origin(threads)
        wrong = messenger(threads, port, smtp_user="u", smtp_password="wrong-one")
        with pytest.raises(TransientError, match="smtp_user and smtp_password") as raised:
            wrong.post(place, TEXT, KEY)
        messenger(threads, port).post(place, TEXT, KEY)

    assert "wrong-one" not in str(raised.value)
    assert len(postman.took) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # On loopback.
@pytest.mark.parametrize("asks_first", [False, True])
def test_a_token_signs_in_and_a_stale_one_is_named(
    threads: MailThreads,
    asks_first: bool,
) -> None:
    postman = TokenTaker(asks_first=asks_first)
    with smtp_server(postman, password="none") as port:
        place = origin(threads)
        right, stale = (
            messenger(threads, port, password=None, oauth={"token": token})
            for token in ("good-token", "stale-token")
        )
        with pytest.raises(TransientError, match="or oauth") as raised:
            stale.post(place, TEXT, KEY)
        right.post(place, TEXT, KEY)

    assert "stale-token" not in str(raised.value)
    assert len(postman.took) == 1


def test_a_server_that_is_away_is_tried_again(threads: MailThreads) -> None:
    port = free_port()
    with pytest.raises(TransientError, match=f"127.0.0.1:{port}"):
        messenger(threads, port).post(origin(threads), TEXT, KEY)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # On loopback.
def test_the_way_out_can_be_checked_without_sending() -> None:
    postman = Postman()
    with smtp_server(postman, password=PASSWORD) as port:
        right = mailbox(1, smtp_port=port, smtp_security="none")

        assert check(right, None) == f"127.0.0.1:{port}"
        with pytest.raises(TransientError, match="correct smtp_user"):
            check(mailbox(1, smtp_port=port, smtp_security="none", password="x"), None)
    assert postman.took == []
