"""The gateway process: webhooks, tools, the query API and health behind one HTTP port."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from processors.base import Stage
from processors.projects import is_member
from projections.views import Views
from schemas.errors import FatalError, UserError
from streams import api
from streams.config import Settings
from streams.gateway import create_app
from streams.lag import LagWatch

if TYPE_CHECKING:
    from streams.wiring import Parts

ADDRESS_FILE = "gateway.json"
BACKLOG = 512
_POLL_S = 0.2
_LOG = logging.getLogger(__name__)


class Gateway:
    """Serves until it is told to stop; requests that have begun are answered."""

    def __init__(self, parts: Parts, stages: Sequence[Stage]) -> None:
        """Serve what `parts` hold; the lag of `stages` is measured beside."""
        self._parts = parts
        self._stages = stages
        self._ended = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Serve. Raises `UserError` when the port is taken, `FatalError` when serving ends."""
        settings = self._parts.settings
        listening = listen(settings.host, settings.port)
        host, port = listening.getsockname()[:2]
        config = uvicorn.Config(
            application(self._parts),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=settings.drain_s_max,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), name="http")
        thread.start()
        address = address_file(settings)
        address.write_text(json.dumps({"url": f"http://{host}:{port}"}), encoding="utf-8")
        watch = LagWatch(self._stages, self._parts.log, app=settings.app)
        watching = threading.Thread(target=watch.run, args=(self._ended,), name="lag")
        watching.start()
        _LOG.info("Serving on http://%s:%s", host, port)
        while thread.is_alive() and not stop.wait(_POLL_S):
            pass
        server.should_exit = True
        self._ended.set()
        thread.join()
        watching.join()
        address.unlink(missing_ok=True)
        if not stop.is_set():
            raise FatalError("the HTTP server ended by itself")


def application(parts: Parts) -> FastAPI:
    """Return the whole HTTP application."""
    settings = parts.settings
    views = Views(parts.views)
    tokens = [token.get_secret_value() for token in settings.api_tokens]
    return create_app(
        inbox=parts.inbox,
        blobs=parts.blobs,
        webhook_secrets=settings.secrets_by_door(),
        api_tokens=tokens,
        resolve_bug=api.resolver(views),
        may_command=lambda account, project: is_member(settings.project_of(project), account),
        routers=[api.router(views, parts.blobs, parts.log, api_tokens=tokens)],
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises `UserError` naming the way out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UserError(
            f"cannot serve on {host} port {port} ({error.strerror}); choose another with --port"
            " or BUGSTREAM_PORT, 0 for any free one"
        ) from error
    listening.listen(BACKLOG)
    return listening


def address_file(settings: Settings) -> Path:
    """Return where a running gateway of this data folder says its address."""
    return settings.data_path / ADDRESS_FILE


def address_of(settings: Settings) -> str | None:
    """Return the URL of the gateway that runs on this data folder; None while there is none."""
    try:
        return str(json.loads(address_file(settings).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError):
        return None
