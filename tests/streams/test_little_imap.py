"""The little server by itself; what it shares with Dovecot is in tests/connectors/test_imap.py."""

from __future__ import annotations

import socket

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from tests.connectors.mail_servers import ADDRESS, PASSWORD, little_imap


def test_without_signing_in_nothing_is_shown() -> None:
    with little_imap() as server:
        client = IMAPClient("127.0.0.1", port=server.port, ssl=False, timeout=10)
        with pytest.raises(IMAPClientError):
            client.login(ADDRESS, "wrong")
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.recv(200)
            raw.sendall(b"a SELECT INBOX\r\nb UID FETCH 1:* BODY[]\r\nc LOGOUT\r\n")
            said = b""
            while part := raw.recv(1000):
                said += part

        assert [line[:5] for line in said.splitlines()[:2]] == [b"a BAD", b"b BAD"]
        client.logout()


def test_what_makes_no_sense_is_refused_and_the_session_goes_on() -> None:
    with little_imap() as server:
        client = IMAPClient("127.0.0.1", port=server.port, ssl=False, timeout=10)
        client.login(ADDRESS, PASSWORD)
        with pytest.raises(IMAPClientError):
            client.select_folder("Nowhere")
        client.create_folder("There")
        client.append("There", b'Subject: \xff "quoted\\\r\n\r\n{12}\r\n')
        client.select_folder("There")
        with pytest.raises(IMAPClientError):
            client.search(["BODY", "x"])

        assert client.fetch([1], ["BODY.PEEK[]"])[1][b"BODY[]"] == (
            b'Subject: \xff "quoted\\\r\n\r\n{12}\r\n'
        )
        client.noop()
        client.logout()


def test_mails_stay_through_a_restart() -> None:
    with little_imap() as server:
        server.store.append(b"Subject: x\r\n\r\nx")
        port = server.port
        server.stop()
        server.start()
        client = IMAPClient("127.0.0.1", port=port, ssl=False, timeout=10)
        client.login(ADDRESS, PASSWORD)

        assert client.select_folder("INBOX", readonly=True)[b"EXISTS"] == 1
        client.logout()
