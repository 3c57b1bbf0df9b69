"""Whether the gateway says that it is well, and what it counted."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlalchemy import text

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from streams.gateway import create_app


@pytest.fixture
def client(inbox: Inbox) -> Iterator[TestClient]:
    extra = APIRouter()

    @extra.get("/api/v1/extra")
    def answer() -> str:
        return "mounted"

    app = create_app(inbox=inbox, blobs=MemoryBlobs(), api_tokens=("t",), routers=(extra,))
    with TestClient(app) as opened:
        yield opened


def send(client: TestClient) -> int:
    return client.post(
        "/api/v1/bugs/receive",
        json={"tool": "ci", "id": "1", "title": "x"},
        headers={"Authorization": "Bearer t"},
    ).status_code


def test_it_is_ready_while_deliveries_can_be_kept(client: TestClient) -> None:
    send(client)
    answer = client.get("/ready")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "inbox_waiting": 1}


def test_it_is_alive_but_not_ready_when_the_disk_is_full(client: TestClient, inbox: Inbox) -> None:
    with inbox._engine.begin() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text("CREATE TABLE filler (x)"))
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
        connection.execute(text("DROP TABLE inbox_meta"))

    assert client.get("/ready").status_code == 503
    assert client.get("/health").json() == {"status": "alive"}


def test_answers_are_counted_by_door_and_status(client: TestClient) -> None:
    def counted(status: int) -> float:
        prefix = f'bugstream_received_total{{route="/api/v1/bugs/receive",status="{status}"}} '
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix))

    before = counted(202), counted(401)
    send(client)
    client.post("/api/v1/bugs/receive", json={})

    assert (counted(202), counted(401)) == (before[0] + 1, before[1] + 1)
    assert "bugstream_inbox_waiting 1.0" in client.get("/metrics").text


def test_other_routes_are_served_beside_its_own(client: TestClient) -> None:
    assert client.get("/api/v1/extra").json() == "mounted"
    assert "/api/v1/extra" in client.get("/openapi.json").json()["paths"]


_GATEWAY = """
import socket, sys, uvicorn
from pathlib import Path
from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from streams.gateway import create_app
listener = socket.create_server(("127.0.0.1", 0))
sys.stdout.write(f"{listener.getsockname()[1]}\\n")
sys.stdout.flush()
app = create_app(inbox=Inbox.open(Path(sys.argv[1])), blobs=MemoryBlobs(), api_tokens=("t",))
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listener])
"""


@contextmanager
def running(path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _GATEWAY, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        # The socket listens before the application is there, so this waits for it.
        urllib.request.urlopen(f"{url}/health", timeout=60).close()
        yield process, url
    finally:
        process.kill()
        process.communicate()


def deliver(url: str, number: int) -> str | None:
    """Return the event id that a 2xx answer told; None when nothing was heard.

    An answer of any other kind fails the test: this system has no trouble of its own.
    """
    request = urllib.request.Request(
        f"{url}/api/v1/bugs/receive",
        data=json.dumps({"tool": "ci", "id": str(number), "title": "x" * 900}).encode(),
        headers={"Authorization": "Bearer t", "Idempotency-Key": str(number)},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["event_id"])
    except urllib.error.HTTPError as error:
        with error:
            pytest.fail(f"{error.code}: {error.read()!r}")
    except (OSError, http.client.HTTPException, ValueError):
        return None


def test_two_gateways_and_one_killed_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"

    def send(number: int) -> tuple[str, bool]:
        if number == 60:
            first.send_signal(signal.SIGKILL)
        told = deliver(first_url, number)
        again = told is None
        # Whoever heard nothing sends it again, elsewhere, under the same key.
        told = told or deliver(second_url, number)
        assert told is not None
        return told, again

    with (
        running(path) as (first, first_url),
        running(path) as (_, second_url),
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(send, range(150)))
    inbox = Inbox.open(path)
    inbox.number(1000)
    kept = [str(row.event_id) for row in inbox.numbered(1, 1000)]
    inbox.close()

    assert sorted(kept) == sorted(told for told, _ in answers)
    assert any(again for _, again in answers)
    assert not answers[0][1]


@pytest.mark.parametrize("path", ["/nope", "/webhooks/slak", "/"])
def test_an_address_that_is_not_there_is_answered_in_our_form(
    client: TestClient, path: str
) -> None:
    answer = client.post(path)

    assert answer.status_code == 404
    assert answer.json()["detail"] == {
        "error": "not_found",
        "message": "there is nothing at this address; /docs lists what there is",
    }


def test_a_wrong_method_is_answered_in_our_form_and_told_the_right_one(client: TestClient) -> None:
    answer = client.post("/health")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["detail"]["error"] == "wrong_method"


def test_the_page_of_the_api_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    parts = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert len(parts) == 3
    for part in parts:
        assert part.startswith("/"), part
        assert client.get(part).status_code == 200, part
