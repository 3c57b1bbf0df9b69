"""What our bot at Discord is for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from connectors.discord_client import CONTENT_CHARS_MAX
from schemas.raw import Origin
from streams.accounts import discord
from streams.config import Settings
from streams.json_server import Call, serving_calls


def test_a_long_answer_fits_with_our_own_line_below_it() -> None:
    posted: list[str] = []

    def answer(call: Call) -> tuple[int, Any]:
        if call.method == "GET":
            return 200, {"id": "9"} if call.path == "/users/@me" else []
        posted.append(call.message["content"])
        return 200, {"id": str(len(posted))}

    origin = Origin(channel="discord", container="1/2", item="3")
    with serving_calls(answer) as url:
        account = {"token": "t", "url": url}
        client = discord.messenger(Settings.model_validate({"discord": account}))
        assert client is not None
        client.post(origin, "word " * 1_000, UUID(int=7))

    assert len(posted) == 3
    assert all(len(one) <= CONTENT_CHARS_MAX for one in posted)
    assert discord.messenger(Settings()) is None
