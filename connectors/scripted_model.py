"""A model that answers from a script, behind the vendor's own HTTP client: no network, no money.

Shipped for proofs and tests. It speaks the vendor's wire format, errors included, so that
everything of ours and of the SDK is exercised; only the model is not real.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx2

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True)
class Says:
    """An answer: blocks as on the wire (see `text` and `call`)."""

    blocks: Sequence[Mapping[str, Any]]
    stop_reason: str = ""
    """Empty: `tool_use` when a block calls a tool, else `end_turn`."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """Overrides what would be counted: four bytes a token."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """More fields of the message, such as `stop_details`."""


@dataclass(frozen=True, slots=True)
class Fails:
    """An error status. Nothing was generated and nothing is charged."""

    status: int
    message: str = "scripted"
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Breaks:
    """The connection breaks: before anything was sent, or after, when an answer may be lost."""

    sent: bool


@dataclass(frozen=True, slots=True)
class Garbles:
    """Status 200, and a body that is no message."""

    body: bytes


Reply = Says | Fails | Breaks | Garbles
Script = Callable[[Mapping[str, Any]], Reply]


def text(words: str) -> dict[str, Any]:
    """Return a block of words."""
    return {"type": "text", "text": words}


def thinking(words: str) -> dict[str, Any]:
    """Return a block of thought, signed as the vendor signs them."""
    return {"type": "thinking", "thinking": words, "signature": f"signed {words}"}


def call(name: str, arguments: Any = None, /, **more: Any) -> dict[str, Any]:
    """Return a call of the tool `name`. `arguments` may be of any, also of a wrong, type."""
    given = more if arguments is None else arguments
    identity = uuid5(NAMESPACE_URL, name + json.dumps(given, sort_keys=True)).hex[:24]
    return {"type": "tool_use", "id": f"toolu_{identity}", "name": name, "input": given}


def by_step(replies: Sequence[Reply]) -> Script:
    """Return a script that answers by how many answers the conversation already has.

    It remembers nothing, so it serves processes that are killed and start over.
    """

    def script(request: Mapping[str, Any]) -> Reply:
        step = sum(message["role"] == "assistant" for message in request["messages"])
        return replies[step] if step < len(replies) else _over()

    return script


def in_order(replies: Sequence[Reply]) -> Script:
    """Return a script that gives each reply once, in this order, whatever is asked."""
    left = list(replies)

    def script(_request: Mapping[str, Any]) -> Reply:
        return left.pop(0) if left else _over()

    return script


class ScriptedModel(httpx2.BaseTransport):
    """An httpx2 transport; `http_client()` goes where a proposer takes its `http_client`."""

    def __init__(
        self,
        script: Script | Sequence[Reply],
        *,
        on_request: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        """Answer by `script`; a sequence is answered in order.

        `on_request` gets each body before it is answered: a proof counts there, across processes.
        """
        self._script = script if callable(script) else in_order(script)
        self._on_request = on_request
        self._lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []
        """The bodies received, in order."""
        self.headers: list[dict[str, str]] = []

    def http_client(self) -> httpx2.Client:
        """Return a client that talks to this model only."""
        return httpx2.Client(transport=self)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request of the SDK."""
        body = json.loads(request.read())
        with self._lock:
            self.requests.append(body)
            self.headers.append(dict(request.headers))
            number = len(self.requests)
            self._on_request(body)
            reply = self._script(body)
        match reply:
            case Says():
                return httpx2.Response(200, json=_message(reply, body, number))
            case Garbles():
                return httpx2.Response(200, content=reply.body)
            case Fails():
                return _failure(reply)
            case Breaks(sent=True):
                raise httpx2.ReadError("scripted: the answer is lost", request=request)
            case Breaks():
                raise httpx2.ConnectError("scripted: unreachable", request=request)


def _message(reply: Says, body: Mapping[str, Any], number: int) -> dict[str, Any]:
    calls = any(block.get("type") == "tool_use" for block in reply.blocks)
    counted = {
        "input_tokens": len(json.dumps(body)) // 4,
        "output_tokens": len(json.dumps(list(reply.blocks))) // 4 + 1,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "service_tier": "standard",
    }
    return {
        "id": f"msg_scripted_{number}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": list(reply.blocks),
        "stop_reason": reply.stop_reason or ("tool_use" if calls else "end_turn"),
        "stop_sequence": None,
        "usage": counted | dict(reply.usage),
        **reply.extra,
    }


def _failure(reply: Fails) -> httpx2.Response:
    kind = _ERROR_TYPES.get(reply.status, "api_error")
    headers = {} if reply.retry_after_s is None else {"retry-after": str(reply.retry_after_s)}
    error = {"type": "error", "error": {"type": kind, "message": reply.message}}
    return httpx2.Response(reply.status, json=error, headers=headers)


def _over() -> Fails:
    return Fails(400, "the script has no further answer")
