"""The part of bugstream that must lose nothing, as a process that can be killed: doors and pollers.

It is `bugstream run`, with a Kafka that is away: what is in its inbox when all is quiet is what
would go there.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.inbox import Inbox
from schemas.raw import RawReceived
from streams.config import SECRETS, Settings
from streams.doctor_channels import standings
from streams.environment import base_env
from tests.streams.monitored import kept

START_S_MAX = 60.0
NO_KAFKA = "127.0.0.1:1"
WORKERS = ("gateway", "pollers")


@dataclass
class Receiver:
    """One on a port of its own, started, killed and started again."""

    settings: Settings
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def log(self) -> Path:
        return self.settings.data_path / "receiver.log"

    def start(self, *workers: str, **changes: Any) -> None:
        """Start it, with others or with other settings if need be, and wait until it answers."""
        argv = [sys.executable, "-P", "-m", "streams", "run", *(workers or WORKERS)]
        env = base_env() | self.settings.for_child(SECRETS, **changes)
        with self.log.open("ab") as log:
            self.processes.append(
                subprocess.Popen(argv, env=env, stdout=log, stderr=subprocess.STDOUT)
            )
        deadline = time.monotonic() + START_S_MAX
        while not _answers(self.url):
            assert self.processes[-1].poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)

    def said(self) -> str:
        """Return the end of what it printed."""
        return self.log.read_text(errors="replace")[-3000:]

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
    given = {**settings, "port": port, "kafka": NO_KAFKA}
    made = Receiver(Settings.model_validate(given))
    try:
        yield made
    finally:
        for process in made.processes:
            process.kill()
            process.wait(10)


def _answers(url: str) -> bool:
    """Return whether it listens; that Kafka is away is no matter."""
    try:
        urllib.request.urlopen(f"{url}/ready", timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True
