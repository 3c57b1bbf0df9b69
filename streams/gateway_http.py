"""What every door of the gateway shares: bounded reading, tokens, and answers that help."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect

from schemas.errors import TransientError
from streams.metrics import RECEIVED

RECEIVE_S_MAX = 10.0
"""For reading one body: a slow sender must not hold a place for ever."""
RETRY_AFTER_S = 30


class Problem(BaseModel):
    """What went wrong, and the way out; more fields where they help, such as `problems`."""

    model_config = ConfigDict(extra="allow")

    error: str
    """A word for programs."""
    message: str
    """A sentence for people."""


class ProblemAnswer(BaseModel):
    """Every answer that is no success."""

    detail: Problem


def described(**by_status: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI of errors, from `s404="There is no such bug."`."""
    return {
        int(status[1:]): {"model": ProblemAnswer, "description": words}
        for status, words in by_status.items()
    }


class Door(APIRoute):
    """A route that counts its answers, and says 503 for every trouble that is ours.

    A 4xx makes most senders drop a delivery for good, so our own trouble never gets one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, wrapped."""
        handle = super().get_route_handler()

        async def counted(request: Request) -> Response:
            try:
                response = await handle(request)
            except HTTPException as error:
                RECEIVED.labels(self.path, str(error.status_code)).inc()
                raise
            except (TransientError, OSError) as error:
                response = unavailable(str(error))
            RECEIVED.labels(self.path, str(response.status_code)).inc()
            return response

        return counted


def problem(status: int, error: str, message: str, **more: Any) -> HTTPException:
    """Return an answer for a fault of the sender; `message` says what and the way out."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return HTTPException(status, {"error": error, "message": message, **more}, headers)


def unavailable(reason: str) -> JSONResponse:
    """Return 503: nothing was kept, send it again."""
    return JSONResponse(
        {"detail": {"error": "unavailable", "message": f"{reason}; send it again later"}},
        status_code=503,
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """Return the body. Raises 413 before more than `limit_bytes` are held, 408 when too slow."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit_bytes:
        raise _too_large(limit_bytes)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(RECEIVE_S_MAX):
            async for part in request.stream():
                size += len(part)
                if size > limit_bytes:
                    raise _too_large(limit_bytes)
                parts.append(part)
    except TimeoutError as error:
        raise problem(408, "too_slow", f"the body took longer than {RECEIVE_S_MAX} s") from error
    except ClientDisconnect as error:
        raise problem(400, "incomplete", "the body ended early; send it again") from error
    return b"".join(parts)


def require_token(request: Request, tokens: Sequence[str]) -> None:
    """Raise 401 unless the request carries one of `tokens`; `TransientError` if there are none."""
    if not tokens:
        raise TransientError("no token is set up here: set api_tokens (BUGSTREAM_API_TOKENS)")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    right = [hmac.compare_digest(given.strip().encode(), token.encode()) for token in tokens]
    if scheme.lower() != "bearer" or not any(right):
        raise problem(
            401,
            "unauthorized",
            "send the header 'Authorization: Bearer TOKEN' with one of the gateway's api_tokens",
        )


def _too_large(limit_bytes: int) -> HTTPException:
    return problem(
        413, "too_large", f"the body may have at most {limit_bytes} bytes", limit_bytes=limit_bytes
    )
