"""The negative control of `bugstream prove --outage`: a gateway without an inbox."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

import uvicorn
from confluent_kafka import Producer
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from schemas.event import Actor
from schemas.raw import Origin, RawReceived
from streams.log import outgoing

NAME = "direct"
WRITE_S_MAX = 9.0
"""Within the ten seconds that GitHub waits."""
END_S_MAX = 30.0


def serve(
    bootstrap: str, write_s: float, stop: threading.Event, tell: Callable[[int], None]
) -> None:
    """Write each webhook to Kafka before it is answered, until `stop`; tell the port."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "message.timeout.ms": int(write_s * 1000),
        }
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(_app(producer, write_s), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        tell(listener.getsockname()[1])
        stop.wait()
        server.should_exit = True
        thread.join(END_S_MAX)


def _app(producer: Producer, write_s: float) -> FastAPI:
    app = FastAPI()

    @app.get("/health")
    def health() -> None:
        """Answer."""

    @app.post("/webhooks/github")
    async def receive(request: Request) -> Response:
        body = await request.body()
        delivery_id = request.headers["x-github-delivery"]
        written = await run_in_threadpool(_write, producer, write_s, delivery_id, body)
        return Response(status_code=202 if written else 503)

    return app


def _write(producer: Producer, write_s: float, delivery_id: str, body: bytes) -> bool:
    record = outgoing(_event(delivery_id, body))
    told: list[bool] = []
    producer.produce(
        record.topic,
        value=record.value,
        key=record.key,
        partition=record.partition,
        on_delivery=lambda error, _: told.append(error is None),
    )
    producer.flush(write_s)
    return told == [True]


def _event(delivery_id: str, body: bytes) -> RawReceived:
    event_id = uuid5(NAMESPACE_OID, delivery_id)
    return RawReceived(
        event_id=event_id,
        project=NAME,
        actor=Actor.stage(NAME),
        occurred_at=datetime.now(UTC),
        correlation_id=event_id,
        origin=Origin(channel="github", container=NAME, item=delivery_id),
        route=NAME,
        delivery_id=delivery_id,
        content_type="application/json",
        body=body.decode(),
        content_sha256=hashlib.sha256(body).hexdigest(),
        authenticated=True,
    )
