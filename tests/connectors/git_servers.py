"""Git over http with a password, and over ssh without a server: the real transports of git."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.connectors.repositories import ENVIRONMENT, git

USER, PASSWORD = "bot", "only-by-askpass"


@contextmanager
def over_http(bare: Path) -> Iterator[str]:
    """Serve `bare` by git's own CGI program to whoever signs in, and yield its URL."""
    git(bare, "config", "http.receivepack", "true")
    expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            if self.headers["Authorization"] != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = self._body()
            url = urlsplit(self.path)
            answer = subprocess.run(
                ["git", "http-backend"],
                input=body,
                capture_output=True,
                check=True,
                env={
                    **ENVIRONMENT,
                    "GIT_PROJECT_ROOT": str(bare.parent),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "REMOTE_USER": USER,
                    "PATH_INFO": url.path,
                    "QUERY_STRING": url.query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                },
            ).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head.decode().splitlines():
                self.send_header(*line.split(": ", 1))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{bare.name}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def askpass(folder: Path, password: str = PASSWORD) -> dict[str, str]:
    """Return the environment with a GIT_ASKPASS that knows the password."""
    program = folder / "askpass"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in Username*) echo {USER};; *) echo {password};; esac\n'
    )
    program.chmod(0o755)
    return {**ENVIRONMENT, "GIT_ASKPASS": str(program)}


def fake_ssh(folder: Path) -> dict[str, str]:
    """Return the environment with an `ssh` that runs the command here and writes down its call."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "ssh"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {folder}/ssh-calls\nfor last; do :; done\nexec sh -c "$last"\n'
    )
    program.chmod(0o755)
    return {**ENVIRONMENT, "PATH": f"{programs}:{ENVIRONMENT['PATH']}"}
