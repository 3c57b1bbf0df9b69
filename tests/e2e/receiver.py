"""The part of bugstream that must lose nothing, as a process that can be killed: doors and pollers.

It is put together from the same settings as the real ones, without Kafka: what is in its inbox when
all is quiet is what would go there.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from connectors.blobs import FolderBlobs
from connectors.inbox import Inbox
from connectors.poll_cursors import PollCursors
from schemas.raw import RawReceived
from streams.channels import pollers
from streams.config import ACCOUNTS, Settings, load
from streams.doctor_channels import standings
from streams.gateway import create_app
from streams.polling import Polling
from tests.streams.monitored import kept

START_S_MAX = 60.0


def main() -> None:
    """Serve, and ask whom the settings name, until killed."""
    settings = load()
    inbox = Inbox.open(settings.store_url("inbox"))
    blobs = FolderBlobs(settings.data_path / "blobs")
    asking = Polling(pollers(settings), inbox, blobs, PollCursors(inbox.engine))
    threading.Thread(target=asking.run, args=(threading.Event(),), daemon=True).start()
    app = create_app(inbox=inbox, blobs=blobs, webhook_secrets=settings.secrets_by_door())
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning")


@dataclass
class Receiver:
    """One on a port of its own, started, killed and started again."""

    settings: Settings
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def start(self, **changes: Any) -> None:
        """Start it, with other settings if need be, and wait until it answers."""
        env = self.settings.for_child(("webhook_secrets", *ACCOUNTS), **changes)
        env |= {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        argv = [sys.executable, "-c", "from tests.e2e import receiver; receiver.main()"]
        self.processes.append(subprocess.Popen(argv, env=env))
        deadline = time.monotonic() + START_S_MAX
        while not _answers(self.url):
            assert self.processes[-1].poll() is None, "the receiver ended by itself"
            assert time.monotonic() < deadline, "the receiver does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self.processes[-1].send_signal(signal.SIGKILL)
        self.processes[-1].wait(10)

    def kept(self) -> list[RawReceived]:
        """Return what is in the inbox, in its order, duplicates left out."""
        inbox = Inbox.open(self.settings.store_url("inbox"))
        try:
            return kept(inbox)
        finally:
            inbox.close()

    def rounds(self, poller: str) -> Rounds:
        """Return what counts the rounds of a poller from now on."""
        return Rounds(self.settings, poller)


class Rounds:
    """Counts the rounds of asking that ended well since it was made."""

    def __init__(self, settings: Settings, poller: str) -> None:
        self._settings = settings
        self._poller = poller
        self._seen = {self._last()}

    def have_passed(self, number: int) -> bool:
        self._seen.add(self._last())
        return len(self._seen) > number

    def _last(self) -> str | None:
        polled = standings(self._settings).get(self._poller)
        return polled.polled_at if polled else None


@contextmanager
def receiver(settings: dict[str, Any]) -> Iterator[Receiver]:
    """Yield one that is not started yet; in the end none of it runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Receiver(Settings.model_validate({**settings, "port": port}))
    try:
        yield made
    finally:
        for process in made.processes:
            process.kill()
            process.wait(10)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/nothing", timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True
