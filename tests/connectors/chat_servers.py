"""Slack and Discord as far as our clients use them, in memory, with faults on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx2

Handler = Callable[[httpx2.Request], httpx2.Response]


@dataclass
class FakeSlack:
    """Keeps what was posted. `faults` are answered first, each once."""

    token: str = "xoxb-1"
    page: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)
    faults: list[httpx2.Response] = field(default_factory=list)
    lost: int = 0
    """How many answers to a post get lost after it was done."""
    calls: list[str] = field(default_factory=list)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._handle)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        method = request.url.path.rpartition("/")[2]
        self.calls.append(method)
        if request.headers["authorization"] != f"Bearer {self.token}":
            return _slack_error("invalid_auth")
        if self.faults:
            return self.faults.pop(0)
        if method == "chat.postMessage":
            return self._post(json.loads(request.content))
        if method == "auth.test":
            me = {"user_id": "UBOT", "bot_id": "B1", "team_id": "T1"}
            return httpx2.Response(200, json={"ok": True, **me})
        return self._list(method, dict(parse_qsl(request.content.decode())))

    def _post(self, body: dict[str, Any]) -> httpx2.Response:
        stamp = f"1800000000.{len(self.messages):06d}"
        self.messages.append(body | {"ts": stamp, "bot_id": "B1"})
        if self.lost:
            self.lost -= 1
            raise httpx2.ReadTimeout("lost")
        return httpx2.Response(200, json={"ok": True, "ts": stamp, "channel": body["channel"]})

    def _list(self, method: str, params: dict[str, str]) -> httpx2.Response:
        """Give a thread with its oldest message first, a channel without replies, newest first."""
        here = [one for one in self.messages if one["channel"] == params["channel"]]
        if method == "conversations.replies":
            found = [one for one in here if params["ts"] in {one.get("thread_ts"), one["ts"]}]
            found.sort(key=lambda one: str(one["ts"]))
        else:
            found = [one for one in here if one.get("thread_ts") in {None, one["ts"]}]
            found.sort(key=lambda one: str(one["ts"]), reverse=True)
        found = [one for one in found if one["ts"] >= params.get("oldest", "")]
        start = int(params.get("cursor", "0"))
        end = start + min(self.page, int(params["limit"]))
        cursor = str(end) if end < len(found) else ""
        answer = {"ok": True, "messages": found[start:end]}
        return httpx2.Response(200, json=answer | {"response_metadata": {"next_cursor": cursor}})


def _slack_error(error: str) -> httpx2.Response:
    return httpx2.Response(200, json={"ok": False, "error": error})


OUR_BOT = "5000"


@dataclass
class FakeDiscord:
    """Keeps what was posted, newest first in a page, without the nonce, as Discord does."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    faults: list[httpx2.Response] = field(default_factory=list)
    lost: int = 0
    bodies: list[Any] = field(default_factory=list)
    nonces: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._handle)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.paths.append(f"{request.method} {request.url.path}")
        assert request.headers["authorization"] == "Bot t"
        if self.faults:
            return self.faults.pop(0)
        if request.url.path.endswith("/users/@me"):
            return httpx2.Response(200, json={"id": OUR_BOT, "username": "bugstream"})
        if request.method == "GET":
            params, limit = request.url.params, int(request.url.params["limit"])
            if "after" in params:
                since = [one for one in self.messages if int(one["id"]) > int(params["after"])]
                return httpx2.Response(200, json=since[:limit][::-1])
            before = int(params.get("before", 10**20))
            until = [one for one in self.messages if int(one["id"]) < before]
            return httpx2.Response(200, json=until[-limit:][::-1])
        body = json.loads(request.content)
        self.bodies.append(body)
        return self._post(body) if request.method == "POST" else httpx2.Response(200, json=body)

    def _post(self, body: dict[str, Any]) -> httpx2.Response:
        if body["nonce"] not in self.nonces:
            self.nonces[body["nonce"]] = self.say(body["content"], author=OUR_BOT)
        if self.lost:
            self.lost -= 1
            raise httpx2.ReadTimeout("lost")
        return httpx2.Response(200, json={"id": self.nonces[body["nonce"]]})

    def say(self, content: str, *, author: str = "30", is_bot: bool = False) -> str:
        """Let somebody write, and return the message's id."""
        number = str(1000 + len(self.messages))
        self.messages.append({"id": number, "content": content})
        self.messages[-1]["author"] = {"id": author, "bot": is_bot or author == OUR_BOT}
        return number
