"""A little IMAP server for one user, for `demo` and for tests where no Dovecot is.

It speaks what our poller speaks: LOGIN, XOAUTH2, SELECT, UID SEARCH and FETCH, APPEND and IDLE. On
loopback only. The same suite runs on it and on Dovecot.
"""

from __future__ import annotations

import base64
import re
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress

from streams.little_mailbox import Folder, Mailstore, found, item

LINE_BYTES_MAX = 64 * 1024
LITERAL_BYTES_MAX = 32 * 1024 * 1024
IDLE_S_MAX = 30 * 60.0
SESSION_S_MAX = 24 * 3600.0
CAPABILITIES = "IMAP4rev1 IDLE UIDPLUS SASL-IR AUTH=PLAIN AUTH=XOAUTH2"
_LITERAL = re.compile(rb"\{(\d{1,9})(\+?)\}\r?\n\Z")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\(([^()]*)\)|(\S+)')


class LittleImap:
    """The server, on a free port. `start`, then `stop`; the mails stay through a restart."""

    def __init__(
        self, user: str, secret: str, *, port: int = 0, tells_uidnext: bool = True
    ) -> None:
        """Let in `user` with `secret`: a password or an access token."""
        self.tells_uidnext = tells_uidnext
        self.store = Mailstore()
        self.user, self.secret, self.port = user, secret, port
        self._server: _Server | None = None

    def start(self) -> None:
        """Listen on loopback."""
        self._server = _Server(("127.0.0.1", self.port), _Session)
        self._server.owner = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._server = None


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    owner: LittleImap

    def __init__(self, address: tuple[str, int], handler: type[_Session]) -> None:
        super().__init__(address, handler)
        self.sessions: set[_Session] = set()
        self.over = False

    def hang_up(self) -> None:
        self.over = True
        for session in list(self.sessions):
            session.hang_up()
        with self.owner.store.changed:
            self.owner.store.changed.notify_all()


class _Session(socketserver.StreamRequestHandler):
    server: _Server
    timeout = SESSION_S_MAX

    def handle(self) -> None:
        self.name = ""
        self.known = 0
        self.signed_in = False
        self.server.sessions.add(self)
        try:
            self.say(f"* OK [CAPABILITY {CAPABILITIES}] little mail")
            while not self.server.over and (line := self.command()) is not None:
                tag, _, rest = line.partition(" ")
                if not self.answer(tag, rest):
                    return
        except OSError:
            pass  # Whoever asked is gone.
        finally:
            self.server.sessions.discard(self)

    def hang_up(self) -> None:
        with suppress(OSError):  # It may have hung up first.
            self.connection.shutdown(socket.SHUT_RDWR)

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def command(self) -> str | None:
        """Return the next command with its literals as quoted words; None: they hung up."""
        parts: list[str] = []
        while True:
            line = self.rfile.readline(LINE_BYTES_MAX)
            if not line:
                return None
            literal = _LITERAL.search(line)
            if literal is None:
                parts.append(line.decode("latin-1").rstrip("\r\n"))
                return "".join(parts)
            if int(literal[1]) > LITERAL_BYTES_MAX:
                return None
            parts.append(line[: literal.start()].decode("latin-1"))
            if not literal[2]:
                self.say("+ go on")
            content = self.rfile.read(int(literal[1])).decode("latin-1")
            parts.append('"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"')

    def answer(self, tag: str, rest: str) -> bool:
        """Answer one command. False: that was goodbye."""
        verb, _, rest = rest.partition(" ")
        verb = verb.upper()
        if verb == "UID":
            verb, _, rest = rest.partition(" ")
            verb = f"UID {verb.upper()}"
        if verb == "LOGOUT":
            self.say("* BYE")
            self.say(f"{tag} OK bye")
            return False
        act = _ACTS.get(verb)
        if act is None or not (self.signed_in or verb in _BEFORE):
            self.say(f"{tag} BAD not here")
            return True
        words = _words(rest)
        try:
            said = act(self, words)
        except (LookupError, ValueError):
            said = "BAD that makes no sense"
        self.tell_news()
        self.say(f"{tag} {said}" if " " in said else f"{tag} {said} done")
        return True

    # --- one method for each command: what it returns is said at the end ---

    def capability(self, _: list[str]) -> str:
        self.say(f"* CAPABILITY {CAPABILITIES}")
        return "OK"

    def login(self, words: list[str]) -> str:
        owner = self.server.owner
        self.signed_in = words == [owner.user, owner.secret]
        return "OK" if self.signed_in else "NO [AUTHENTICATIONFAILED] not with these"

    def authenticate(self, words: list[str]) -> str:
        if len(words) < 2:
            self.say("+ ")
            words.append(self.rfile.readline(LINE_BYTES_MAX).decode("ascii").strip())
        owner = self.server.owner
        right = f"user={owner.user}\1auth=Bearer {owner.secret}\1\1"
        self.signed_in = base64.b64decode(words[1]) == right.encode()
        return "OK" if self.signed_in else "NO [AUTHENTICATIONFAILED] not with this token"

    def select(self, words: list[str]) -> str:
        with self.server.owner.store.changed:
            folder = self.server.owner.store.folders.get(words[0])
            if folder is None:
                return "NO [NONEXISTENT] there is no such folder"
            self.name, self.known = words[0], len(folder.mails)
            self.say("* FLAGS (\\Seen)")
            self.say(f"* {self.known} EXISTS")
            self.say(f"* OK [UIDVALIDITY {folder.uidvalidity}] valid")
            if self.server.owner.tells_uidnext:
                self.say(f"* OK [UIDNEXT {folder.uidnext}] next")
        return "OK [READ-WRITE] open"

    def examine(self, words: list[str]) -> str:
        return self.select(words).replace("[READ-WRITE]", "[READ-ONLY]")

    def search(self, words: list[str]) -> str:
        with self.server.owner.store.changed:
            uids = [mail.uid for mail in found(self.folder().mails, words)]
        self.say(" ".join(["* SEARCH", *map(str, uids)]))
        return "OK"

    def fetch(self, words: list[str]) -> str:
        with self.server.owner.store.changed:
            mails = list(self.folder().mails)
        for mail in found(mails, ["UID", words[0]]):
            items = b" ".join(item(mail, name) for name in words[1].split())
            number = mails.index(mail) + 1
            self.wfile.write(b"* %d FETCH (UID %d %b)\r\n" % (number, mail.uid, items))
        return "OK"

    def append(self, words: list[str]) -> str:
        store = self.server.owner.store
        if words[0] not in store.folders:
            return "NO [TRYCREATE] there is no such folder"
        uid = store.append(words[-1].encode("latin-1"), folder=words[0])
        return f"OK [APPENDUID {store.folders[words[0]].uidvalidity} {uid}] there"

    def create(self, words: list[str]) -> str:
        self.server.owner.store.folders.setdefault(words[0], Folder())
        return "OK"

    def noop(self, _: list[str]) -> str:
        return "OK"

    def idle(self, _: list[str]) -> str:
        self.say("+ idling")
        over = threading.Event()

        def tell() -> None:
            changed = self.server.owner.store.changed
            with changed:
                while not over.is_set():
                    self.tell_news()
                    changed.wait(IDLE_S_MAX)

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            self.rfile.readline(LINE_BYTES_MAX)  # DONE
        finally:
            over.set()
            with self.server.owner.store.changed:
                self.server.owner.store.changed.notify_all()
            teller.join()
        return "OK"

    def folder(self) -> Folder:
        return self.server.owner.store.folders[self.name]

    def tell_news(self) -> None:
        with self.server.owner.store.changed:
            if self.name and len(self.folder().mails) > self.known:
                self.known = len(self.folder().mails)
                self.say(f"* {self.known} EXISTS")


_ACTS: dict[str, Callable[[_Session, list[str]], str]] = {
    "CAPABILITY": _Session.capability,
    "LOGIN": _Session.login,
    "AUTHENTICATE": _Session.authenticate,
    "SELECT": _Session.select,
    "EXAMINE": _Session.examine,
    "UID SEARCH": _Session.search,
    "UID FETCH": _Session.fetch,
    "APPEND": _Session.append,
    "CREATE": _Session.create,
    "NOOP": _Session.noop,
    "IDLE": _Session.idle,
}
_BEFORE = {"CAPABILITY", "LOGIN", "AUTHENTICATE", "NOOP"}


def _words(rest: str) -> list[str]:
    return [
        re.sub(r"\\(.)", r"\1", one[1]) if one[1] is not None else one[2] or one[3] or ""
        for one in _WORD.finditer(rest)
    ]
