"""A real TLS server on loopback; what is public is said by the resolver that is handed in."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.attachments import WebAttachments, is_public
from schemas.attachments import AttachmentPolicy
from tests.connectors.certificates import certificate as certificate_of

HOST = "files.example.org"
URL = f"https://{HOST}/logs/a.txt?x=1"
PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.5"
POLICY = AttachmentPolicy(allow=(f"https://{HOST}/logs/",), bytes_max=1000, seconds_max=5)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate_of(tmp_path_factory.mktemp("tls"), HOST)


@dataclass
class Server:
    """Answers every connection as it is told, and keeps what it was asked."""

    port: int
    context: ssl.SSLContext
    asked: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)

    def dial(self, address: str, seconds_max: float) -> socket.socket:
        self.dialled.append(address)
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds_max)

    def fetch(
        self,
        *answers: Sequence[str],
        url: str = URL,
        policy: AttachmentPolicy = POLICY,
    ) -> tuple[bytes, str]:
        """Fetch; the resolver gives the first of `answers` first, then the second, and so on."""
        given = iter(answers or ((PUBLIC,),))

        def resolve(host: str) -> Sequence[str]:
            self.resolved.append(host)
            return next(given)

        web = WebAttachments(policy, resolve=resolve, dial=self.dial, context=self.context)
        return web.fetch(url)


Reply = Callable[[ssl.SSLSocket], None]


@contextmanager
def serving(certificate: tuple[Path, Path], reply: bytes | Reply) -> Iterator[Server]:
    trusts = ssl.create_default_context(cafile=str(certificate[0]))
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(listening.getsockname()[1], trusts)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda _socket, name, _context: server.names.append(name)

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
                secure.settimeout(10)
                server.asked.append(secure.recv(8192))
                if callable(reply):
                    reply(secure)
                else:
                    secure.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def test_a_text_is_fetched_by_its_name_from_the_address_that_was_checked(
    certificate: tuple[Path, Path],
) -> None:
    with serving(certificate, OK + b"Content-Length: 5\r\n\r\nhello") as server:
        found = server.fetch((PUBLIC, "2606:2800:220:1::1"))

    assert found == (b"hello", "")
    assert server.dialled == [PUBLIC]
    assert server.names == [HOST]
    (asked,) = server.asked
    assert asked.startswith(b"GET /logs/a.txt?x=1 HTTP/1.1\r\nHost: files.example.org\r\n")
    assert b"Accept-Encoding: identity\r\n" in asked
    assert b"uthorization" not in asked
    assert b"ookie" not in asked


def test_a_name_that_is_answered_differently_a_moment_later_gains_nothing(
    certificate: tuple[Path, Path],
) -> None:
    """Rebinding: public when it is checked, private when it is connected to."""
    with serving(certificate, OK + b"\r\nhello") as server:
        found = server.fetch((PUBLIC,), (PRIVATE,))
        again = server.fetch((PRIVATE,))

    assert found == (b"hello", "")
    assert server.resolved == [HOST, HOST]
    assert again == (b"", "its host has an address that is not public")
    assert server.dialled == [PUBLIC]


@pytest.mark.parametrize(
    "addresses", [(PRIVATE,), (PUBLIC, PRIVATE), (PRIVATE, PUBLIC), ("not an address",), ()]
)
def test_one_address_that_is_not_public_is_enough_to_refuse(
    certificate: tuple[Path, Path], addresses: tuple[str, ...]
) -> None:
    with serving(certificate, OK + b"\r\nhello") as server:
        content, reason = server.fetch(addresses)

    assert content == b""
    assert "address" in reason
    assert server.dialled == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: https://x.example/\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno", "answered 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>", "no text, log or JSON"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "no text, log or JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nx", "no text, log or JSON"),
        (OK + b"\r\n" + b"x" * 1001, "larger than 1000 bytes"),
        (OK + b"\r\n" + b"x" * 300_000, "larger than 1000 bytes"),
        (OK + b"Content-Length: 99\r\n\r\nhello", "broke off|cannot be fetched"),
        (OK + b"\r\na\0b", "it is no text"),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 10**7), "compressed"),
        (b"garbage\r\n\r\n", "cannot be fetched"),
        (b"", "cannot be fetched"),
        (OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n", "cannot be fetched|larger"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\nx", "broke off|cannot be|larger"),
    ],
)
def test_what_is_no_small_text_is_refused_with_the_reason(
    certificate: tuple[Path, Path], answer: bytes, reason: str
) -> None:
    with serving(certificate, answer) as server:
        content, said = server.fetch()

    assert content == b""
    assert any(part in said for part in reason.split("|")), said
    assert "x.example" not in said


def test_chunks_are_put_together(certificate: tuple[Path, Path]) -> None:
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    with serving(certificate, chunked) as server:
        assert server.fetch() == (b"hello", "")


def test_a_sender_that_drips_is_left_when_the_time_is_over(
    certificate: tuple[Path, Path],
) -> None:
    stop = threading.Event()

    def drip(secure: ssl.SSLSocket) -> None:
        secure.sendall(OK + b"\r\n")
        while not stop.wait(0.02):
            secure.sendall(b"x")

    policy = POLICY.model_copy(update={"seconds_max": 0.3, "bytes_max": 10**6})
    with serving(certificate, drip) as server:
        found = server.fetch(policy=policy)
        stop.set()

    assert found == (b"", "it took longer than 0.3 s")


def test_a_name_that_nobody_answers_does_not_hold_us() -> None:
    answered = threading.Event()

    def resolve(host: str) -> Sequence[str]:
        answered.wait(30)
        return (PUBLIC,)

    policy = POLICY.model_copy(update={"seconds_max": 0.1})
    web = WebAttachments(policy, resolve=resolve)
    found = web.fetch(URL)
    answered.set()

    assert found == (b"", "it took longer than 0.1 s")


def test_a_name_that_there_is_not_is_a_reason_and_no_error() -> None:
    def resolve(host: str) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert WebAttachments(POLICY, resolve=resolve).fetch(URL) == (
        b"",
        "it cannot be fetched (gaierror)",
    )


def test_another_servers_certificate_is_refused(certificate: tuple[Path, Path]) -> None:
    policy = AttachmentPolicy(allow=("https://other.example.org/",))
    with serving(certificate, OK + b"\r\nhello") as server:
        content, reason = server.fetch(url="https://other.example.org/a", policy=policy)

    assert (content, reason) == (b"", "it cannot be fetched (SSLCertVerificationError)")
    assert server.asked == []


def test_what_the_settings_do_not_allow_is_not_even_looked_up(
    certificate: tuple[Path, Path],
) -> None:
    with serving(certificate, OK + b"\r\nhello") as server:
        found = server.fetch(url="https://evil.example/logs/a.txt")

    assert found == (b"", "the settings do not allow it")
    assert server.resolved == []


def test_no_proxy_of_the_environment_is_asked(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(certificate, OK + b"\r\nhello") as server:
        assert server.fetch() == (b"hello", "")


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:2800:220:1::1%eth0",
        "fec0::1",
        "ff02::1",
        "",
        "localhost",
        "0x7f.1",
        "2130706433",
    ],
)
def test_addresses_that_lead_back_in(address: str) -> None:
    assert not is_public(address)
