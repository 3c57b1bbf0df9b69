"""A little SMTP server that lays every mail into a folder: for `demo`. On loopback only."""

from __future__ import annotations

import socketserver
import threading

from streams.little_mailbox import Mailstore

LINE_BYTES_MAX = 64 * 1024
MAIL_BYTES_MAX = 32 * 1024 * 1024
SESSION_S_MAX = 300.0


class LittleSmtp:
    """The server, on a free port. `start`, then `stop`."""

    def __init__(self, store: Mailstore, *, folder: str = "INBOX") -> None:
        """Deliver into `folder` of `store`, whoever a mail is for."""
        self.store, self.folder, self.port = store, folder, 0
        self._server: _Server | None = None

    def start(self) -> None:
        """Listen on loopback."""
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.owner = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Take no mail any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    owner: LittleSmtp


class _Session(socketserver.StreamRequestHandler):
    server: _Server
    timeout = SESSION_S_MAX

    def handle(self) -> None:
        try:
            self.wfile.write(b"220 little mail\r\n")
            while line := self.rfile.readline(LINE_BYTES_MAX):
                verb = line[:4].decode("ascii", "replace").upper()
                if verb == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    self.wfile.write(self.take())
                    continue
                self.wfile.write(_ANSWERS.get(verb, b"500 not here\r\n"))
                if verb == "QUIT":
                    return
        except OSError:
            pass  # Whoever asked is gone.

    def take(self) -> bytes:
        content = bytearray()
        while (line := self.rfile.readline(LINE_BYTES_MAX)) != b".\r\n":
            if not line:
                return b""  # They hung up: a mail without an end was not sent.
            content += line[1:] if line.startswith(b".") else line
            if len(content) > MAIL_BYTES_MAX:
                return b"552 too large\r\n"
        self.server.owner.store.append(bytes(content), folder=self.server.owner.folder)
        return b"250 taken\r\n"


_ANSWERS = {
    "EHLO": b"250-little mail\r\n250 SIZE 33554432\r\n",
    "HELO": b"250 little mail\r\n",
    "MAIL": b"250 OK\r\n",
    "RCPT": b"250 OK\r\n",
    "RSET": b"250 OK\r\n",
    "NOOP": b"250 OK\r\n",
    "QUIT": b"221 bye\r\n",
}
