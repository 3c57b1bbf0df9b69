"""One signed-in connection to a mailbox: what is asked of it, with a limit for each wait.

Nothing here marks a mail as seen, moves it, or deletes it.
"""

from __future__ import annotations

import imaplib
import re
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

from connectors.oauth_token import OAuthToken
from schemas.accounts.mailbox import Mailbox
from schemas.errors import TransientError, UserError

CONNECT_S_MAX = 15.0
READ_S_MAX = 60.0
IDLE_S_MAX = 25 * 60.0
"""Servers end an IDLE after 29 minutes or half an hour, some without a word."""
LOOK_S = 1.0
"""How soon the end of the program is noticed."""
LITERAL_BYTES_MAX = 64 * 1024 * 1024
"""Of one text; no mail that is read as a whole has so many."""
_NEWS = {b"EXISTS", b"RECENT", b"BYE"}
_LATER = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Selected:
    """A folder as it was when it was opened."""

    uidvalidity: int
    uidnext: int | None
    exists: int


class ImapSession:
    """A connection. For one thread; only `shut` may be called from another."""

    def __init__(self, box: Mailbox, token: OAuthToken | None) -> None:
        """Connect and sign in. Raises `UserError` for wrong settings, else `TransientError`."""
        self._box = box
        self._is_idle = False
        self._client = _connected(box)
        try:
            with _plainly(box):
                self._sign_in(token)
        except BaseException:
            self.shut()
            raise

    def _sign_in(self, token: OAuthToken | None) -> None:
        box = self._box
        user = box.user or box.address
        try:
            if token is not None:
                self._client.oauth2_login(user, token.get())
            elif box.password is not None:
                self._client.login(user, box.password.get_secret_value())
        except LoginError as error:
            if token is not None:
                token.forget()
            if isinstance(error.__context__, imaplib.IMAP4.abort) or _LATER.search(str(error)):
                # The library calls a lost connection a refused sign-in too.
                raise TransientError(f"mailbox {box.address}: {_said(error)}") from error
            raise UserError(
                f"mailbox {box.address}: {box.imap_host} refused user {user!r}:"
                f" {_said(error)}; correct {'oauth' if token else 'user or password'}"
            ) from error

    def open_folder(self, folder: str) -> Selected:
        """Open `folder` for reading. What comes later is told by `wait`."""
        with _plainly(self._box):
            try:
                found = self._client.select_folder(folder, readonly=True)
            except imaplib.IMAP4.abort:
                raise
            except IMAPClientError as error:
                raise UserError(
                    f"mailbox {self._box.address}: folder {folder!r} cannot be opened:"
                    f" {_said(error)}; correct folder"
                ) from error
        uidvalidity = found.get(b"UIDVALIDITY")
        if not isinstance(uidvalidity, int):
            raise TransientError(f"mailbox {self._box.address}: the server gave no UIDVALIDITY")
        uidnext = found.get(b"UIDNEXT")
        return Selected(
            uidvalidity, uidnext if isinstance(uidnext, int) else None, int(found[b"EXISTS"])
        )

    def uids(self, first: int, last: int | None, *, since: date | None = None) -> list[int]:
        """Return what there is from `first` to `last` (None: to the end), in order."""
        criteria: list[Any] = ["UID", f"{first}:{last or '*'}"]
        if since is not None:
            criteria += ["SINCE", since]
        with _plainly(self._box):
            found = self._client.search(criteria)
        # `n:*` names the last mail even where its number is lower than n.
        return sorted(uid for uid in map(int, found) if uid >= first and uid <= (last or uid))

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return how many bytes each has; one that is gone is left out."""
        found = self._fetch(uids, ["RFC822.SIZE"])
        return {uid: _number(values.get(b"RFC822.SIZE")) for uid, values in found.items()}

    def mails(self, uids: Sequence[int]) -> dict[int, bytes]:
        """Return the bytes of each, left unseen; one that is gone is left out."""
        return _bytes(self._fetch(uids, ["BODY.PEEK[]"]), b"BODY[]")

    def beginning(self, uid: int, bytes_max: int) -> bytes | None:
        """Return the first bytes of one; None: it is gone."""
        found = self._fetch([uid], [f"BODY.PEEK[]<0.{bytes_max}>"])
        return _bytes(found, b"BODY[]<0>").get(uid)

    def _fetch(self, uids: Sequence[int], what: list[str]) -> Mapping[int, Mapping[bytes, Any]]:
        if not uids:
            return {}
        with _plainly(self._box):
            found: Mapping[int, Mapping[bytes, Any]] = self._client.fetch(list(uids), what)
        return found

    def find(self, folder: str, message_id: str) -> bool:
        """Tell whether `folder` holds a mail with this Message-ID, brackets and all."""
        self.open_folder(folder)
        with _plainly(self._box):
            return bool(self._client.search(["HEADER", "Message-ID", message_id]))

    def lay_down(self, folder: str, mail: bytes, at: datetime) -> None:
        """Put a copy of `mail` into `folder`, as read."""
        with _plainly(self._box):
            self._client.append(folder, mail, flags=(b"\\Seen",), msg_time=at)

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait until `seconds` are over, or `stop`, or the server has something to tell.

        Raises `TransientError` when the connection is lost meanwhile. A server that cannot tell
        is waited for. After a `stop` only `leave` is of use.
        """
        deadline_s = time.monotonic() + seconds
        with _plainly(self._box):
            if not self._client.has_capability("IDLE"):
                stop.wait(seconds)
                return
            while not stop.is_set() and time.monotonic() < deadline_s:
                self._client.idle()
                self._is_idle = True
                news = self._idle(stop, min(deadline_s, time.monotonic() + IDLE_S_MAX))
                if stop.is_set():
                    return
                _, more = self._client.idle_done()
                self._is_idle = False
                if news or _tells(more):
                    return

    def _idle(self, stop: threading.Event, until_s: float) -> bool:
        while not stop.is_set() and (left_s := until_s - time.monotonic()) > 0:
            asked_s = time.monotonic()
            look_s = min(LOOK_S, left_s)
            said = self._client.idle_check(timeout=look_s)
            if _tells(said):
                return True
            # At the end of a connection it says nothing, again and again, and at once.
            if not said and time.monotonic() - asked_s < look_s / 2:
                raise TransientError(f"mailbox {self._box.address}: the server hung up")
        return False

    def leave(self) -> None:
        """Say goodbye. Never raises."""
        # A server that waits with us would take it for the end of the waiting.
        if not self._is_idle:
            with suppress(Exception):
                self._client.logout()
        self.shut()

    def shut(self) -> None:
        """Close the connection at once; whoever waits for an answer is thrown out. Never raises."""
        with suppress(Exception):
            self._client.shutdown()


def tls_context(box: Mailbox) -> ssl.SSLContext:
    """Return what the servers of `box` are checked against. Raises `UserError`."""
    try:
        return ssl.create_default_context(cafile=box.tls_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"mailbox {box.address}: tls_ca_file {box.tls_ca_file} cannot be read"
        ) from error


def _connected(box: Mailbox) -> IMAPClient:
    is_tls = box.imap_security == "ssl"
    context = tls_context(box) if box.imap_security != "none" else None
    with _plainly(box):
        client = IMAPClient(
            box.imap_host,
            port=box.imap_port_used,
            ssl=is_tls,
            ssl_context=context if is_tls else None,
            timeout=SocketTimeout(CONNECT_S_MAX, READ_S_MAX),
        )
        try:
            if box.imap_security == "starttls":
                client.starttls(context)
        except BaseException:
            with suppress(Exception):
                client.shutdown()
            raise
    _bound(client)
    return client


def _bound(client: IMAPClient) -> None:
    """Let no server have us read as much at once as it likes to announce."""
    imap = client._imap  # noqa: SLF001  # The library hands no limit down to it.
    read = imap.read

    def bounded(size: int) -> bytes:
        if size > LITERAL_BYTES_MAX:
            raise imaplib.IMAP4.abort(f"the server announces {size} bytes at once")
        content: bytes = read(size)
        return content

    imap.read = bounded


@contextmanager
def _plainly(box: Mailbox) -> Iterator[None]:
    """Turn what the library and the network raise into our errors."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise UserError(
            f"mailbox {box.address}: {box.imap_host} shows no certificate that is believed here"
            f" ({error.verify_message}); correct imap_host or set tls_ca_file"
        ) from error
    except (
        IMAPClientError,
        imaplib.IMAP4.error,
        OSError,
        EOFError,
        ValueError,
        MemoryError,
    ) as error:
        where = f"{box.imap_host}:{box.imap_port_used}"
        raise TransientError(f"mailbox {box.address}: {where}: {_said(error)}") from error


def _said(error: BaseException) -> str:
    """Return what the server said, on one line; it never holds what we sent."""
    said = error.args[0] if error.args else ""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    # The library wraps some answers as they are written in Python.
    words = words[2:-1] if words[:2] in {"b'", 'b"'} else words
    return " ".join(words.split())[:200] or type(error).__name__


def _tells(said: Iterable[Any]) -> bool:
    return any(
        isinstance(one, tuple)
        and len(one) > 1
        and bool(_NEWS & {part for part in one[:2] if isinstance(part, bytes)})
        for one in said
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _bytes(found: Mapping[int, Mapping[bytes, Any]], name: bytes) -> dict[int, bytes]:
    return {
        uid: body for uid, values in found.items() if isinstance(body := values.get(name), bytes)
    }
