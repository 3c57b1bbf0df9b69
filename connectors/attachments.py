"""Fetch a file that a report names, from where the settings allow, and from nowhere else.

The address is a stranger's, and so is what stands there. The name is looked up once, every address
it has must be a public one, and it is that address which is connected to: who answers the name
differently a moment later gains nothing. No redirect, no proxy, no port but 443, no compression,
and a limit on bytes and on time that a slow sender cannot stretch.
"""

from __future__ import annotations

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from urllib.parse import urlsplit

from schemas.attachments import AttachmentPolicy

PORT = 443
MEDIA_TYPES = frozenset(
    {"text/plain", "text/x-log", "text/csv", "application/json", "application/x-ndjson"}
)
HEAD_BYTES_MAX = 64 * 1024
ADDRESSES_MAX = 16
_PART_BYTES = 64 * 1024
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_6 = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SPECIAL_4 = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
"""For protocols of the network itself, relays into IPv6 among them."""

Resolve = Callable[[str], Sequence[str]]
"""Name -> every address it has. Raises `OSError`."""
Dial = Callable[[str, float], socket.socket]
"""Address, seconds -> a connection to its port 443. Raises `OSError`."""


class _RefusedError(Exception):
    """It is not fetched; the text says why, and quotes nothing."""


def resolve(host: str) -> list[str]:
    """Ask the system for every address of `host`."""
    found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def dial(address: str, seconds_max: float) -> socket.socket:
    """Connect to the address itself."""
    return socket.create_connection((address, PORT), timeout=seconds_max)


def is_public(address: str) -> bool:
    """Return whether `address` leads out into the internet, and by no detour back in."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        is_special = any(found in network for network in _SPECIAL_4)
        return found.is_global and not found.is_multicast and not is_special
    if found in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    is_plain = found in _PUBLIC_6 and not any(found in network for network in _SPECIAL_6)
    return is_plain and found.scope_id is None


class WebAttachments:
    """An `Attachments` that asks the web."""

    def __init__(
        self,
        policy: AttachmentPolicy,
        *,
        resolve: Resolve = resolve,
        dial: Dial = dial,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Fetch what `policy` allows. The rest stands in for the network in tests."""
        self._policy = policy
        self._resolve = resolve
        self._dial = dial
        self._context = context or ssl.create_default_context()

    def allows(self, url: str) -> bool:
        """Return whether the settings allow to fetch it at all."""
        return self._policy.allows(url)

    def fetch(self, url: str) -> tuple[bytes, str]:
        """Return the content and no reason, or nothing and the reason. Never raises."""
        if not self._policy.allows(url):
            return b"", "the settings do not allow it"
        until_s = time.monotonic() + self._policy.seconds_max
        try:
            raw = self._answer(url, until_s)
            return _content(raw, self._policy.bytes_max), ""
        except _RefusedError as error:
            return b"", str(error)
        except TimeoutError:
            return b"", f"it took longer than {self._policy.seconds_max:g} s"
        except (OSError, ValueError, http.client.HTTPException) as error:
            return b"", f"it cannot be fetched ({type(error).__name__})"

    def _answer(self, url: str, until_s: float) -> bytes:
        """Return the whole answer as it came, bounded."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        address = self._address(host, until_s)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        asked = (
            f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/plain, application/json\r\n"
            "Accept-Encoding: identity\r\nUser-Agent: bugstream\r\nConnection: close\r\n\r\n"
        )
        with self._dial(address, _left_s(until_s)) as plain:
            plain.settimeout(_left_s(until_s))
            # The certificate must be that of the name, whatever the address is.
            with self._context.wrap_socket(plain, server_hostname=host) as secure:
                secure.sendall(asked.encode("ascii"))
                return self._read(secure, until_s)

    def _read(self, secure: ssl.SSLSocket, until_s: float) -> bytes:
        answer = bytearray()
        # Chunks may take a little room of their own.
        most = self._policy.bytes_max + self._policy.bytes_max // 8 + HEAD_BYTES_MAX
        while len(answer) <= most:
            secure.settimeout(_left_s(until_s))
            part = secure.recv(_PART_BYTES)
            if not part:
                return bytes(answer)
            answer += part
        raise _RefusedError(f"it is larger than {self._policy.bytes_max} bytes")

    def _address(self, host: str, until_s: float) -> str:
        found = _within(lambda: self._resolve(host), _left_s(until_s))[:ADDRESSES_MAX]
        if not found:
            raise _RefusedError("its host has no address")
        if not all(map(is_public, found)):
            raise _RefusedError("its host has an address that is not public")
        return found[0]


def _left_s(until_s: float) -> float:
    left = until_s - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _within(ask: Callable[[], Sequence[str]], seconds_max: float) -> Sequence[str]:
    """Return what `ask` returns; the system gives no way to stop asking, so it is left behind."""
    answers: queue.SimpleQueue[Sequence[str] | OSError | ValueError] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=run, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds_max)
    except queue.Empty as error:
        raise TimeoutError from error
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Answer:
    """Bytes in the place of a socket, for the standard library's reader of HTTP."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, mode: str) -> BytesIO:
        """Return the bytes as a file."""
        del mode
        return BytesIO(self._raw)


def _content(raw: bytes, bytes_max: int) -> bytes:
    answer = http.client.HTTPResponse(_Answer(raw))  # type: ignore[arg-type]  # all it asks of one
    answer.begin()
    if answer.status != 200:
        raise _RefusedError(f"its host answered {answer.status}")
    if answer.getheader("Content-Encoding", "identity").strip().lower() != "identity":
        raise _RefusedError("it came compressed, which was not asked for")
    kind = answer.headers.get_content_type()
    if answer.getheader("Content-Type") is None or kind not in MEDIA_TYPES:
        raise _RefusedError("it is no text, log or JSON")
    content = answer.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise _RefusedError(f"it is larger than {bytes_max} bytes")
    if (answer.length or 0) > 0:
        raise _RefusedError("it broke off")
    if b"\0" in content:
        raise _RefusedError("it is no text")
    return content
