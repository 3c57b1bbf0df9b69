"""`POST /webhooks/github`: signed deliveries into the inbox. Kafka is not on this path."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from connectors import github
from connectors.inbox import Inbox, Receipt
from processors.ports import Blobs
from schemas.errors import TransientError
from streams.gateway_http import Door, problem, read_body
from streams.receiving import Inbound, accept

REFUSALS_NOTED_PER_MINUTE_MAX = 60
"""Each costs a write to the disk, and strangers can cause as many as they like."""
_ID_CHARS_MAX = 100


class Refusals:
    """Notes what was turned away, at most so often; the metric counts all of them."""

    def __init__(self, inbox: Inbox) -> None:
        """Take the inbox that keeps the notes."""
        self._inbox = inbox
        self._minute = 0
        self._noted = 0

    def note(self, *, route: str, delivery_id: str, reason: str) -> None:
        """Write it down if there is room; a refusal stands whether or not it could be noted."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._noted = minute, 0
        self._noted += 1
        if self._noted <= REFUSALS_NOTED_PER_MINUTE_MAX:
            with suppress(TransientError):
                self._inbox.refuse(
                    route=route, delivery_id=delivery_id, reason=reason, at=datetime.now(UTC)
                )


def router(*, inbox: Inbox, blobs: Blobs, secrets: Sequence[str]) -> APIRouter:
    """Return the GitHub door. `secrets` are the live ones; with none it answers 503."""
    routes = APIRouter(route_class=Door, tags=["webhooks"])
    refusals = Refusals(inbox)

    @routes.post("/webhooks/github", status_code=202, summary="A signed GitHub webhook")
    async def receive(request: Request) -> Response:
        if not secrets:
            raise TransientError("no secret is set up here: set github_webhook_secrets")
        delivery_id = _delivery_id(request)
        try:
            body = await _signed_body(request, secrets)
        except HTTPException as error:
            if error.status_code == 401:
                await run_in_threadpool(
                    refusals.note, route="github", delivery_id=delivery_id, reason="signature"
                )
            raise
        name = request.headers.get("x-github-event", "")
        if name == "ping":
            return JSONResponse({"status": "pong"})
        event = next((known for known in github.EVENTS if known == name), None)
        if event is None:
            return JSONResponse({"status": "ignored", "event": name[:100]}, status_code=202)
        receipt, report_id = await run_in_threadpool(
            _keep, inbox, blobs, event, request, delivery_id, body
        )
        return JSONResponse(
            {
                "status": receipt.status,
                "report_id": str(report_id),
                "event_id": str(receipt.event_id),
            },
            status_code=202,
        )

    return routes


async def _signed_body(request: Request, secrets: Sequence[str]) -> bytes:
    signature = request.headers.get("x-hub-signature-256", "")
    unsigned = problem(
        401, "bad_signature", "X-Hub-Signature-256 does not fit the body and the webhook's secret"
    )
    if not signature.startswith("sha256="):
        raise unsigned  # Without having read a body that a stranger may make large.
    body = await read_body(request, github.BODY_BYTES_MAX)
    if not await run_in_threadpool(github.is_signed, body, signature, secrets):
        raise unsigned
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise problem(
            415, "not_json", "choose the content type application/json in the webhook's settings"
        )
    return body


def _keep(
    inbox: Inbox, blobs: Blobs, event: github.Event, request: Request, delivery_id: str, body: bytes
) -> tuple[Receipt, UUID]:
    delivery = github.read(event, body, delivery_id=delivery_id)
    inbound = Inbound(
        origin=delivery.origin,
        route=f"github/{event}",
        delivery_id=delivery_id,
        body=body,
        content_type=request.headers.get("content-type", ""),
        sender=delivery.sender,
        author=delivery.author,
        entity=delivery.entity,
        meaning=delivery.meaning,
        headers=request.headers,
    )
    return accept(inbox, blobs, inbound), delivery.origin.report_id


def _delivery_id(request: Request) -> str:
    """Return GitHub's id, the same on redelivery; without one every delivery is a new one."""
    given = request.headers.get("x-github-delivery", "")
    is_usable = given.isascii() and given.replace("-", "").isalnum()
    return given if is_usable and len(given) <= _ID_CHARS_MAX else str(uuid4())
