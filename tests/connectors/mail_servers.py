"""A real SMTP server in a thread (aiosmtpd): says what the test wants, keeps what it took."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from schemas.accounts.mailbox import Mailbox
from streams.little_imap import LittleImap


@dataclass
class Postman:
    """Takes every mail, unless `says` has another answer for the recipient or the mail."""

    took: list[Envelope] = field(default_factory=list)
    to_rcpt: str = "250 OK"
    to_data: str = "250 OK"
    on_mail: Callable[[bytes], None] = lambda _: None

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self.to_rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_rcpt

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        if self.to_data.startswith("250"):
            self.took.append(envelope)
            self.on_mail(envelope.content)
        return self.to_data


@contextmanager
def smtp_server(
    postman: Postman,
    *,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    size_max: int = 1_000_000,
) -> Iterator[int]:
    """Yield the port of a running one; with a `password` it wants to be signed in to."""

    def sign_in(_: SMTP, __: Session, ___: Envelope, ____: str, given: object) -> AuthResult:
        right = isinstance(given, LoginPassword) and given.password == (password or "").encode()
        return AuthResult(success=right, handled=False)

    controller = Controller(
        postman,
        hostname="127.0.0.1",
        port=free_port(),
        data_size_limit=size_max,
        auth_required=password is not None,
        auth_require_tls=password is None,
        authenticator=sign_in if password is not None else None,
        tls_context=tls,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


ADDRESS, PASSWORD = "bugs@acme.example", "the-password-of-this-test"


def mailbox(port: int, **more: object) -> Mailbox:
    """Return the account of a mailbox at a server without encryption on this machine."""
    return Mailbox.model_validate(
        {
            "address": ADDRESS,
            "password": PASSWORD,
            "imap_host": "127.0.0.1",
            "imap_port": port,
            "imap_security": "none",
            **more,
        }
    )


@contextmanager
def little_imap(**more: Any) -> Iterator[LittleImap]:
    """Yield a running one of our own."""
    server = LittleImap(ADDRESS, PASSWORD, **more)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def a_mail(number: int = 1, *headers: str, body: str = "It crashes when I save.") -> bytes:
    """Return what a person writes to us."""
    lines = (
        f"Message-ID: <mail-{number}@home.example>",
        "From: Ann <ann@home.example>",
        f"To: {ADDRESS}",
        f"Subject: Crash number {number}",
        "Date: Thu, 26 Nov 2026 08:00:00 +0000",
        *headers,
        "",
        body,
        "",
    )
    return "\r\n".join(lines).encode()
