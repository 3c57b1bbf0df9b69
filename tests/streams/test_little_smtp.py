"""What is sent to the little server lies in a folder of the little mailbox."""

from __future__ import annotations

import smtplib
import socket

from streams.little_mailbox import Mailstore
from streams.little_smtp import LittleSmtp


def test_a_mail_arrives_as_it_was_sent() -> None:
    store = Mailstore()
    server = LittleSmtp(store)
    server.start()
    mail = b"Subject: x\r\n\r\n.a line with a dot\r\n..\r\nend\r\n"
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as client:
        client.sendmail("a@x.example", ["b@x.example"], mail)
        client.sendmail("a@x.example", ["b@x.example"], mail)
    server.stop()

    assert [one.content for one in store.folders["INBOX"].mails] == [mail, mail]


def test_a_mail_without_an_end_is_none() -> None:
    store = Mailstore()
    server = LittleSmtp(store)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"HELO x\r\nOOPS\r\nMAIL FROM:<a>\r\nDATA\r\nSubject: x\r\n")
        client.shutdown(socket.SHUT_WR)
        said = b""
        while part := client.recv(1000):
            said += part
    server.stop()

    assert b"500 not here" in said
    assert b"250 taken" not in said
    assert store.folders["INBOX"].mails == []
