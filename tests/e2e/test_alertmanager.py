"""A real Alertmanager against our gateway: what it sends, repeats, resolves and sends again."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import Request, Response

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from streams.gateway import create_app
from streams.serving import listen
from tests.streams.monitored import bugs_of, kept

PROGRAMS = ("prometheus-alertmanager", "alertmanager")
TOKEN = "the-token-of-this-test"
STEP_S_MAX = 60.0
CONFIG = """
route:
  receiver: shop-team
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1s
receivers:
  - name: shop-team
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        send_resolved: true
        http_config:
          authorization:
            credentials: {token}
"""


@dataclass(slots=True)
class Gateway:
    """Our gateway with an inbox of its own, and what it answered."""

    url: str
    inbox: Inbox
    blobs: MemoryBlobs
    answered: list[int] = field(default_factory=list)
    down: threading.Event = field(default_factory=threading.Event)
    """While set it answers 503 to everything, as with a full disk."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    listening = listen("127.0.0.1", 0)
    inbox, blobs = Inbox.open(tmp_path / "inbox.sqlite"), MemoryBlobs()
    made = Gateway(f"http://127.0.0.1:{listening.getsockname()[1]}", inbox, blobs)
    app = create_app(inbox=inbox, blobs=blobs, webhook_secrets={"alertmanager": (TOKEN,)})

    @app.middleware("http")
    async def watch(request: Request, call_next: Callable[[Request], Any]) -> Response:
        answer: Response = Response(status_code=503)
        if not made.down.is_set():
            answer = await call_next(request)
        made.answered.append(answer.status_code)
        return answer

    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield made
    server.should_exit = True
    thread.join()
    inbox.close()


class Alertmanager:
    """A real one on a free port, which may be started again there: what fired, it has forgotten."""

    def __init__(self, folder: Path, config: str = CONFIG) -> None:
        """Keep its files in `folder`. A machine without it is told that this was not run."""
        self._folder = folder
        self._config = config
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        found = next((one for name in PROGRAMS if (one := shutil.which(name))), None)
        if found is None:
            pytest.skip("not run: no Alertmanager here; apt-get install prometheus-alertmanager")
        self._program = found

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    @contextmanager
    def running(self, receiver_url: str) -> Iterator[str]:
        """Start it, and end it hard."""
        config = self._folder / "alertmanager.yml"
        config.write_text(self._config.format(url=receiver_url, token=TOKEN), encoding="utf-8")
        with (self._folder / "alertmanager.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={config}",
                    f"--storage.path={self._folder / 'alertmanager'}",
                    f"--web.listen-address={self._address}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(lambda: is_ready(self.url))
            yield self.url
        finally:
            process.kill()
            process.wait()


def alertmanager(folder: Path, gateway: Gateway) -> AbstractContextManager[str]:
    """Start one that tells `gateway`."""
    return Alertmanager(folder).running(gateway.url)


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def tell(
    url: str,
    instance: str = "web-a",
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> None:
    """Fire the alert of an instance, or end it, as Prometheus would."""
    alert = {
        "labels": {"alertname": "HighErrorRate", "severity": "warning", "instance": instance},
        "annotations": {"summary": "too many errors"},
        "generatorURL": "http://prometheus.example/graph",
    }
    if starts_at is not None:
        alert["startsAt"] = starts_at.isoformat()
    if ends_at is not None:
        alert["endsAt"] = ends_at.isoformat()
    request = urllib.request.Request(
        f"{url}/api/v2/alerts",
        data=json.dumps([alert]).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STEP_S_MAX
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {STEP_S_MAX} s"
        time.sleep(0.05)


def repeats(inbox: Inbox) -> int:
    return sum(row.repeats for row in inbox.rows())


def test_alerts_are_opened_once_repeat_in_silence_and_one_is_closed_in_a_firing_group(
    tmp_path: Path, gateway: Gateway
) -> None:
    with alertmanager(tmp_path, gateway) as url:
        tell(url, "web-a")
        tell(url, "web-b")
        wait_until(lambda: len(kept(gateway.inbox)) == 2 and repeats(gateway.inbox) >= 4)
        assert len(kept(gateway.inbox)) == 2
        tell(url, "web-a", ends_at=datetime.now(UTC) - timedelta(seconds=1))
        wait_until(lambda: len(kept(gateway.inbox)) == 3)
        before = repeats(gateway.inbox)
        wait_until(lambda: repeats(gateway.inbox) > before)
    events, bugs = kept(gateway.inbox), bugs_of(gateway.inbox, gateway.blobs)
    last = json.loads(events[2].body or "")

    kinds = [kind for kind, _ in bugs]
    assert kinds == ["bug.opened", "bug.opened", "link.suggested", "report.updated"]
    assert [report.status for kind, report in bugs if kind != "link.suggested"] == [
        "open",
        "open",
        "closed",
    ]
    assert {str(report.severity) for _, report in bugs} == {"medium"}
    assert {event.origin.container for event in events} == {"alertmanager/shop-team"}
    assert len({event.origin.key for event in events}) == 2
    assert (last["status"], last["alerts"][0]["status"]) == ("firing", "resolved")
    assert last["alerts"][0]["labels"]["instance"] == "web-a"
    assert set(gateway.answered) == {202}


def test_what_is_answered_503_comes_again_and_is_kept_once(
    tmp_path: Path, gateway: Gateway
) -> None:
    gateway.down.set()
    with alertmanager(tmp_path, gateway) as url:
        tell(url)
        wait_until(lambda: gateway.answered.count(503) >= 2)
        assert kept(gateway.inbox) == []
        gateway.down.clear()
        wait_until(lambda: 202 in gateway.answered)
        wait_until(lambda: repeats(gateway.inbox) >= 1)

    assert [kind for kind, _ in bugs_of(gateway.inbox, gateway.blobs)] == ["bug.opened"]
    assert set(gateway.answered) == {503, 202}
