"""Git over http with a password, and over ssh without a server: the real transports of git."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from tests.connectors.repositories import ENVIRONMENT, git

USER, PASSWORD = "bot", "only-by-askpass"


def answer_git(handler: BaseHTTPRequestHandler, root: Path, url: SplitResult, user: str) -> None:
    """Let git's own CGI program answer, for the repositories below `root`."""
    body = _body(handler)
    answer = subprocess.run(
        ["git", "http-backend"],
        input=body,
        capture_output=True,
        check=True,
        env={
            **ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": user,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "REQUEST_METHOD": handler.command,
            "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        },
    ).stdout
    head, _, content = answer.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().splitlines()]
    status = next((int(said[:3]) for name, said in lines if name == "Status"), 200)
    handler.send_response(status)
    for name, said in lines:
        if name != "Status":
            handler.send_header(name, said)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    body = b""
    while size := int(handler.rfile.readline(), 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


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
            answer_git(self, bare.parent, urlsplit(self.path), USER)

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
