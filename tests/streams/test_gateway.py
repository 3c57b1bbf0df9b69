"""Whether the gateway says that it is well, and what it counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlalchemy import text

from connectors.blobs import MemoryBlobs
from connectors.inbox import Inbox
from streams.gateway import create_app


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox.open(tmp_path / "inbox.sqlite")
    yield opened
    opened.close()


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
