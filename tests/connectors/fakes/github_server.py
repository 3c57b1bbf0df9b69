"""The fake GitHub on a port of its own, with real git behind it for clone and push."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.connectors.fakes.github_site import Site
from tests.connectors.fakes.serving import answer
from tests.connectors.git_servers import answer_git


@contextmanager
def serve(site: Site, repositories: Path | None = None) -> Iterator[str]:
    """Yield the address of `site`: its API is below `/api/v3`, and `owner/name.git` beside it.

    `repositories` is the folder of the bare ones.
    """
    lock = threading.RLock()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if ".git/" in self.path and not self.path.startswith("/api/"):
                self._git()
                return
            with lock:
                answer(self, site.handle)

        def _git(self) -> None:
            scheme, _, given = self.headers.get("authorization", "").partition(" ")
            word = base64.b64decode(given).decode() if scheme == "Basic" else ""
            if repositories is None or word.partition(":")[2] not in site.tokens:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            answer_git(self, repositories, urlsplit(self.path), site.tokens[word.partition(":")[2]])

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815  # the server's

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    site.base_url = f"{address}/api/v3"
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
