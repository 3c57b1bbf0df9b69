"""What we send to Discord is what Discord describes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from connectors.channel import Outcome, Post
from connectors.discord import COMMANDS, DOORS
from connectors.discord_client import BASE_URL, CONTENT_CHARS_MAX, DiscordMessenger
from processors.chat_text import to_discord
from schemas.raw import Origin
from tests.connectors.chat_posts import dumped, interaction, typed
from tests.connectors.chat_servers import FakeDiscord

SPEC = Path(__file__).parent.parent / "specs" / "discord.openapi.json"
CALLBACK = "/interactions/900/token/callback"


@cache
def described() -> OpenAPI:
    return OpenAPI.from_dict(json.loads(SPEC.read_text(encoding="utf-8")))


def check(method: str, path: str, body: object = None, **params: str) -> None:
    """Raise unless Discord's description knows the call."""
    asked = MockRequest(
        "https://discord.com",
        method.lower(),
        f"/api/v10{path}",
        args=params,
        data=None if body is None else dumped(body),
        content_type="application/json",
    )
    described().validate_request(asked)


class Watched(httpx2.BaseTransport):
    """Holds every request against the description before the fake answers it."""

    def __init__(self, discord: FakeDiscord) -> None:
        self._inner = discord.transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        content = request.read()
        path = request.url.path.removeprefix("/api/v10")
        body = json.loads(content) if content else None
        check(request.method, path, body, **dict(request.url.params))
        return self._inner.handle_request(request)


@pytest.mark.parametrize("item", ["900", "interaction/900", "-"])
def test_every_call_of_the_client_is_described(item: str) -> None:
    discord = FakeDiscord()
    client = DiscordMessenger("t", to_discord_short, transport=Watched(discord))
    origin = Origin(channel="discord", container="10/20", item=item)
    client.post(origin, "# Done\n\n```py\nx = 1\n```\n" + "word " * 900, UUID(int=1))
    client.register("1", COMMANDS)

    assert client.find(origin, UUID(int=1)) is not None
    assert {path.partition(" ")[0] for path in discord.paths} == {"GET", "POST", "PUT"}
    assert BASE_URL.endswith("/api/v10")


def to_discord_short(markdown: str) -> tuple[str, ...]:
    return to_discord(markdown, chars_max=CONTENT_CHARS_MAX - 50)


@pytest.mark.parametrize(
    "payload",
    [
        interaction(1),
        interaction(4),
        interaction(data={"name": "bug", "type": 1}),
        typed("help"),
        typed("approve", bug="it"),
    ],
)
def test_every_answer_at_once_is_described(payload: dict[str, Any]) -> None:
    reply = DOORS[0].reply(Post({}, dumped(payload)))

    assert reply is not None
    check("POST", CALLBACK, reply.body)


def test_what_is_said_after_keeping_is_described() -> None:
    outcome = Outcome("accepted", "Received.", {"report_id": "1"})

    check("POST", CALLBACK, DOORS[0].answer(Post({}, b""), [outcome]).body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CALLBACK, {"type": 4, "data": {"content": 3}}),
        ("/channels/20/messages", {"content": "x", "nonce": "n" * 26}),
        ("/channels/20/messages", {"content": "x", "allowed_mentions": {"parse": ["all"]}}),
    ],
)
def test_the_description_refuses_what_is_wrong(path: str, body: object) -> None:
    with pytest.raises(OpenAPIError):
        check("POST", path, body)
