"""Mails for the tests, made here."""

from __future__ import annotations

from processors.mail.message import Mail, parse


def mail(*headers: str, body: str = "It crashes.\n") -> Mail:
    """Return a mail with these headers, read."""
    return parse("\r\n".join((*headers, "", body)).encode())


def multipart(kind: str, *parts: str, headers: tuple[str, ...] = ()) -> Mail:
    """Return a mail of parts, each with its headers and its body."""
    body = "".join(f"--edge\r\n{part}\r\n" for part in parts) + "--edge--\r\n"
    return mail(*headers, f'Content-Type: {kind}; boundary="edge"', body=body)
