"""The same questions to our little server and to a real Dovecot, and what goes wrong in words."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.imap import ImapSession
from connectors.oauth_token import OAuthToken
from schemas.accounts.mailbox import Mailbox, OAuth
from schemas.errors import TransientError, UserError
from streams.little_imap import LittleImap
from tests.connectors.certificates import certificate
from tests.connectors.mail_servers import a_mail, free_port, little_imap, mailbox
from tests.e2e.dovecot import Dovecot, dovecot

SOON_S_MAX = 5.0
GONE_S_MAX = 30.0
"""Dovecot's workers outlive it by some seconds before they say BYE."""


@pytest.fixture(params=["little", "dovecot"])
def server(request: pytest.FixtureRequest) -> Iterator[LittleImap | Dovecot]:
    with little_imap() if request.param == "little" else dovecot() as made:
        yield made


def append(server: LittleImap | Dovecot, *mails: bytes) -> None:
    """Lay mails down as a delivery would."""
    if isinstance(server, Dovecot):
        server.append(*mails)
        return
    for mail in mails:
        server.store.append(mail)


@contextmanager
def session(box: Mailbox, token: OAuthToken | None = None) -> Iterator[ImapSession]:
    made = ImapSession(box, token)
    try:
        yield made
    finally:
        made.leave()


def test_mails_are_found_measured_and_read_by_number(server: LittleImap | Dovecot) -> None:
    mails = [a_mail(number) for number in range(1, 4)]
    append(server, *mails)
    with session(mailbox(server.port)) as asked:
        folder = asked.open_folder("INBOX")

        assert (folder.exists, folder.uidnext) == (3, 4)
        assert asked.uids(1, 2) == [1, 2]
        assert asked.uids(2, None) == [2, 3]
        # The trap of `n:*`: the last mail is named again.
        assert asked.uids(4, None) == []
        assert asked.uids(1, 99, since=datetime.now(UTC).date() - timedelta(days=1)) == [1, 2, 3]
        assert asked.uids(1, 99, since=datetime.now(UTC).date() + timedelta(days=2)) == []
        assert asked.sizes([1, 3, 9]) == {1: len(mails[0]), 3: len(mails[2])}
        assert asked.mails([2, 3, 9]) == {2: mails[1], 3: mails[2]}
        assert asked.mails([]) == {}
        assert asked.beginning(1, 20) == mails[0][:20]
        assert asked.beginning(9, 20) is None


def test_a_copy_of_an_answer_is_laid_down_and_found(server: LittleImap | Dovecot) -> None:
    with session(mailbox(server.port)) as asked:
        asked.lay_down("INBOX", a_mail(7), datetime.now(UTC))

        assert asked.find("INBOX", "<mail-7@home.example>")
        assert not asked.find("INBOX", "<mail-8@home.example>")


def test_waiting_ends_when_a_mail_comes_when_told_to_and_when_time_is_up(
    server: LittleImap | Dovecot,
) -> None:
    with session(mailbox(server.port)) as asked:
        asked.open_folder("INBOX")
        stop = threading.Event()
        began_s = time.monotonic()
        later = threading.Timer(0.3, append, (server, a_mail(1)))
        later.start()
        asked.wait(stop, 60)
        told_s = time.monotonic() - began_s
        later.join()
        asked.wait(stop, 1.2)
        # The connection is in order after each wait.
        assert asked.open_folder("INBOX").exists == 1
        stopped = threading.Timer(0.3, stop.set)
        stopped.start()
        began_s = time.monotonic()
        asked.wait(stop, 60)
        stopped.join()

        assert told_s < SOON_S_MAX
        assert time.monotonic() - began_s < 2.5


def test_a_server_that_goes_ends_the_waiting(server: LittleImap | Dovecot) -> None:
    with session(mailbox(server.port)) as asked:
        asked.open_folder("INBOX")
        later = threading.Timer(0.5, server.stop)
        later.start()
        began_s = time.monotonic()

        def wait_and_ask() -> None:
            asked.wait(threading.Event(), 60)
            asked.open_folder("INBOX")

        with pytest.raises(TransientError):
            wait_and_ask()
        later.join()

        assert time.monotonic() - began_s < GONE_S_MAX
        with pytest.raises(TransientError):
            ImapSession(mailbox(server.port), None)


@pytest.mark.parametrize(
    ("more", "folder", "says"),
    [
        ({"password": "wrong-one"}, "INBOX", "user or password"),
        ({"user": "nobody"}, "INBOX", "'nobody'"),
        ({}, "Nowhere", "correct folder"),
    ],
)
def test_wrong_settings_are_named(
    server: LittleImap | Dovecot, more: dict[str, object], folder: str, says: str
) -> None:
    with (
        pytest.raises(UserError, match=says) as raised,
        session(mailbox(server.port, **more)) as it,
    ):
        it.open_folder(folder)

    assert "wrong-one" not in str(raised.value)
    assert "b'" not in str(raised.value)


def test_a_token_signs_in_and_a_stale_one_is_forgotten() -> None:
    with LittleImapWithToken("good-token") as server:
        box = mailbox(server.port, password=None, oauth={"token": "good-token"})
        with session(box, OAuthToken(OAuth(token="good-token"))) as asked:  # type: ignore[arg-type]
            assert asked.open_folder("INBOX").exists == 0
        with pytest.raises(UserError, match="correct oauth") as raised:
            ImapSession(box, OAuthToken(OAuth(token="stale-token")))  # type: ignore[arg-type]

    assert "stale-token" not in str(raised.value)


class LittleImapWithToken(LittleImap):
    def __init__(self, token: str) -> None:
        super().__init__("bugs@acme.example", token)

    def __enter__(self) -> LittleImapWithToken:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def test_what_is_no_mail_server_is_asked_later() -> None:
    with pytest.raises(TransientError, match="127"):
        ImapSession(mailbox(free_port()), None)
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def speak() -> None:
            connection, _ = odd.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(TransientError):
            ImapSession(mailbox(odd.getsockname()[1]), None)
        thread.join()


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_an_encrypted_server_is_believed_only_by_its_certificate(
    tmp_path: Path, security: str
) -> None:
    files = certificate(tmp_path, "localhost")
    with dovecot(certificates=files) as server:
        port = server.tls_port if security == "ssl" else server.port
        more = {"imap_host": "localhost", "imap_security": security}
        with session(mailbox(port, tls_ca_file=files[0], **more)) as asked:
            assert asked.open_folder("INBOX").exists == 0
        with pytest.raises(UserError, match="tls_ca_file"):
            ImapSession(mailbox(port, **more), None)
        with pytest.raises(UserError, match="certificate"):
            ImapSession(
                mailbox(port, tls_ca_file=files[0], imap_host="127.0.0.1", imap_security=security),
                None,
            )
    with pytest.raises(UserError, match="cannot be read"):
        ImapSession(mailbox(port, tls_ca_file=tmp_path / "none.pem", **more), None)


@contextmanager
def announcing(line: bytes, *, after: bytes) -> Iterator[int]:
    """Serve one connection that answers the command `after` with `line`; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            here, _ = listening.accept()
            with here, here.makefile("rb") as said:
                here.sendall(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
                for command in said:
                    tag, _, rest = command.partition(b" ")
                    odd = line if rest.startswith(after) else b""
                    caps = b"* CAPABILITY IMAP4rev1\r\n" if rest.startswith(b"CAPAB") else b""
                    here.sendall(odd or caps + tag + b" OK done\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
    thread.join(SOON_S_MAX)
    assert not thread.is_alive()


@pytest.mark.parametrize("after", [b"CAPABILITY", b"LOGIN", b"EXAMINE"])
def test_a_server_that_announces_too_much_is_hung_up_on(after: bytes) -> None:
    size = 10**15 if after == b"CAPABILITY" else 65 * 1024 * 1024
    line = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % size
    with announcing(line, after=after) as port:
        began_s = time.monotonic()

        with (
            pytest.raises(TransientError, match=r"bytes at once|MemoryError"),
            session(mailbox(port)) as asked,
        ):
            asked.open_folder("INBOX")
        assert time.monotonic() - began_s < SOON_S_MAX
