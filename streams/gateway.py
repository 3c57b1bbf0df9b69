"""The gateway as a FastAPI application: webhooks, tools, and whether it is well."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.exceptions import HTTPException

from connectors.channel import Door
from connectors.inbox import Inbox
from processors.ports import Blobs
from schemas.errors import TransientError
from streams import channels, intake, webhooks
from streams.gateway_http import unavailable
from streams.metrics import INBOX_WAITING

READY_CHECK_S_MIN = 1.0
"""Between two checks of the disk: anyone may ask, and each costs a write."""
_NO_ROUTE = {
    404: ("not_found", "there is nothing at this address; /docs lists what there is"),
    405: ("wrong_method", "this address takes other methods; /docs lists them"),
}


def create_app(
    *,
    inbox: Inbox,
    blobs: Blobs,
    doors: Sequence[Door] = channels.DOORS,
    webhook_secrets: Mapping[str, Sequence[str]] | None = None,
    api_tokens: Sequence[str] = (),
    resolve_bug: intake.ResolveBug = intake.only_ids,
    may_command: webhooks.MayCommand = webhooks.nobody,
    routers: Iterable[APIRouter] = (),
) -> FastAPI:
    """Return the application. `routers` are mounted beside ours, such as the query API.

    The caller closes `inbox` after the server has ended.
    """
    app = FastAPIOffline(
        title="bugstream",
        description="Bug reports in; verified fixes, or an honest 'could not', out.",
        docs_url="/docs",
        redoc_url=None,
    )
    app.add_exception_handler(HTTPException, _refused)
    app.include_router(
        webhooks.router(
            inbox=inbox,
            blobs=blobs,
            doors=doors,
            secrets=webhook_secrets or {},
            resolve_bug=resolve_bug,
            may_command=may_command,
        )
    )
    app.include_router(
        intake.router(inbox=inbox, blobs=blobs, tokens=api_tokens, resolve_bug=resolve_bug)
    )
    app.include_router(_health(inbox))
    for router in routers:
        app.include_router(router)
    _declare_bearer(app)
    return app


def _health(inbox: Inbox) -> APIRouter:
    routes = APIRouter(tags=["health"])
    checked_s = float("-inf")

    @routes.get("/health", summary="Whether the process is alive")
    def health() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/ready", summary="Whether deliveries can be kept")
    def ready() -> Response:
        nonlocal checked_s
        try:
            if time.monotonic() - checked_s >= READY_CHECK_S_MIN:
                inbox.check_writable()
                checked_s = time.monotonic()
            return JSONResponse({"status": "ready", "inbox_waiting": inbox.waiting()})
        except TransientError as error:
            return unavailable(str(error))

    @routes.get("/metrics", summary="Prometheus metrics of every process")
    def metrics() -> Response:
        # Without the inbox the other figures are wanted most.
        with suppress(TransientError):
            INBOX_WAITING.set(inbox.waiting())
        return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _refused(request: Request, error: Exception) -> Response:
    """Answer in our form, also where no route of ours was asked for."""
    del request
    if not isinstance(error, HTTPException):
        raise error
    detail: Any = error.detail
    if isinstance(detail, str):
        name, message = _NO_ROUTE.get(error.status_code, ("refused", detail))
        detail = {"error": name, "message": message}
    return JSONResponse({"detail": detail}, error.status_code, headers=error.headers)


def _registry() -> CollectorRegistry:
    """Return the figures of all processes where a folder for them is set, else of this one."""
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # reads the environment
    except ValueError:
        return REGISTRY
    return registry


def _declare_bearer(app: FastAPI) -> None:
    make = app.openapi

    def openapi() -> dict[str, Any]:
        schema = make()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
