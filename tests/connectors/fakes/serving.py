"""A fake site, in place of the network or on a port: both give what it answers, to the letter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx2

Handle = Callable[[str, str, Mapping[str, str], bytes], tuple[int, dict[str, str], Any]]
"""Method, target, headers in lower case, body -> status, headers, what becomes JSON."""


def transport_of(handle: Handle) -> httpx2.MockTransport:
    """Return what stands in for the network."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        target = request.url.raw_path.decode()
        status, more, said = handle(request.method, target, _lower(request.headers), request.read())
        return httpx2.Response(status, headers=_typed(more), content=_content(said))

    return httpx2.MockTransport(answer)


def answer(request: BaseHTTPRequestHandler, handle: Handle) -> None:
    """Answer a request that came over the network."""
    body = request.rfile.read(int(request.headers.get("content-length") or 0))
    headers = _lower(dict(request.headers.items()))
    status, more, said = handle(request.command, request.path, headers, body)
    content = _content(said)
    request.send_response(status)
    for name, value in _typed(more).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _typed(headers: Mapping[str, str]) -> dict[str, str]:
    return {"Content-Type": "application/json; charset=utf-8", **headers}


def _content(said: Any) -> bytes:
    return b"" if said is None else json.dumps(said).encode()
