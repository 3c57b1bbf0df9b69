"""Answers in Discord, against a Discord in memory."""

from __future__ import annotations

from uuid import UUID

import httpx2
import pytest

from connectors.discord import COMMANDS
from connectors.discord_client import CONTENT_CHARS_MAX, MARKER_CHARS_MAX, DiscordMessenger
from processors.chat_text import to_discord
from schemas.errors import LimitedError, PoisonError, TransientError
from schemas.projects import TEAM_ITEM
from schemas.raw import Origin
from tests.connectors.chat_servers import OUR_BOT, FakeDiscord

MESSAGE = Origin(channel="discord", container="10/20", item="900")
COMMAND = Origin(channel="discord", container="@me/20", item="interaction/900")
TEAM = Origin(channel="discord", container="10/20", item=TEAM_ITEM)
KEY, OTHER = UUID(int=7), UUID(int=7 << 64)


def render(markdown: str) -> tuple[str, ...]:
    return to_discord(markdown, chars_max=CONTENT_CHARS_MAX - MARKER_CHARS_MAX)


def messenger(discord: FakeDiscord) -> DiscordMessenger:
    return DiscordMessenger("t", render, transport=discord.transport)


def test_an_answer_replies_to_the_message_and_mentions_nobody() -> None:
    discord = FakeDiscord()
    client = messenger(discord)
    first = client.post(MESSAGE, "**Done.** @everyone <@30>", KEY)
    (body,) = discord.bodies

    assert first == client.find(MESSAGE, KEY) == "20/1000"
    assert body["content"].startswith("**Done.** @\u200beveryone <\u200b@30>\n-# ref ")
    assert body["allowed_mentions"] == {"parse": [], "replied_user": False}
    assert body["enforce_nonce"] is True
    assert len(body["nonce"]) <= 25
    assert body["message_reference"] == {"message_id": "900", "fail_if_not_exists": False}
    assert discord.paths[-1] == "GET /api/v10/channels/20/messages"
    assert client.find(MESSAGE, OTHER) is None


def test_an_answer_is_posted_once_also_when_the_nonce_is_long_forgotten() -> None:
    discord = FakeDiscord(lost=1)
    client = messenger(discord)
    with pytest.raises(TransientError, match="ReadTimeout"):
        client.post(MESSAGE, "x", KEY)
    discord.nonces.clear()
    for number in range(250):
        discord.say(f"talk {number}")

    assert client.post(MESSAGE, "x", KEY) == "20/1000"
    assert len(discord.bodies) == 1


def test_an_answer_is_found_behind_pages_of_talk() -> None:
    discord = FakeDiscord()
    for number in range(250):
        discord.say(f"talk {number}")
    client = messenger(discord)

    assert client.post(MESSAGE, "x", KEY) == client.post(MESSAGE, "x", KEY) == "20/1250"


def test_what_is_told_to_a_team_replies_to_nothing_and_is_found_among_the_newest() -> None:
    discord = FakeDiscord(lost=1)
    client = messenger(discord)
    with pytest.raises(TransientError):
        client.post(TEAM, "**A person has to decide.**", KEY)
    for number in range(250):
        discord.say(f"talk {number}")

    assert client.post(TEAM, "**A person has to decide.**", KEY) == "20/1000"
    assert client.find(TEAM, OTHER) is None
    [body] = discord.bodies
    assert "message_reference" not in body


def test_a_long_answer_goes_on_where_it_stopped() -> None:
    discord = FakeDiscord(lost=1)
    client = messenger(discord)
    long = "word " * 900
    with pytest.raises(TransientError):
        client.post(MESSAGE, long, KEY)
    half = client.find(MESSAGE, KEY)
    receipt = client.post(MESSAGE, long, KEY)

    assert half is None
    assert receipt == client.find(MESSAGE, KEY) == "20/1000"
    assert len(discord.messages) == len(render(long)) == 3
    assert all(len(body["content"]) <= CONTENT_CHARS_MAX for body in discord.bodies)


def test_an_answer_to_a_command_stands_in_the_channel() -> None:
    discord = FakeDiscord()
    messenger(discord).post(COMMAND, "x", KEY)

    assert "message_reference" not in discord.bodies[0]


@pytest.mark.parametrize("is_bot", [False, True])
def test_nobody_else_can_pass_a_message_off_as_ours(is_bot: bool) -> None:
    discord = FakeDiscord()
    discord.say(f"x\n-# ref {KEY.hex[:16]} 1/1", is_bot=is_bot)

    assert messenger(discord).find(MESSAGE, KEY) is None


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (404, 10003)])
def test_what_never_works_is_given_up(status: int, code: int) -> None:
    fault = httpx2.Response(status, json={"code": code, "message": "no"})
    with pytest.raises(PoisonError, match=f"{status} \\({code}: no\\)"):
        messenger(FakeDiscord(faults=[fault])).post(MESSAGE, "x", KEY)


@pytest.mark.parametrize(("status", "way_out"), [(401, "token"), (403, "let the bot")])
def test_what_a_person_can_put_right_waits_and_says_how(status: int, way_out: str) -> None:
    fault = httpx2.Response(status, json={"code": 1, "message": "no"})
    with pytest.raises(TransientError, match=way_out):
        messenger(FakeDiscord(faults=[fault])).post(MESSAGE, "x", KEY)


def test_a_limit_names_how_long_to_wait() -> None:
    fault = httpx2.Response(429, json={"retry_after": 1.5, "global": True})
    with pytest.raises(LimitedError, match=r"Discord asks to wait 1\.5 s"):
        messenger(FakeDiscord(faults=[fault])).post(MESSAGE, "x", KEY)


def test_odd_answers_places_that_are_none_and_empty_texts_do_no_harm() -> None:
    me = httpx2.Response(200, json={"id": OUR_BOT})
    fake = FakeDiscord(faults=[me, httpx2.Response(200, json=[3, {"id": "x"}, {"id": "9" * 5000}])])

    assert messenger(fake).find(MESSAGE, KEY) is None
    for container, item in (("20", "1"), ("10/20/30", "1"), ("10/20", "delivery/x")):
        place = MESSAGE.model_copy(update={"container": container, "item": item})
        with pytest.raises(PoisonError, match="no channel"):
            messenger(FakeDiscord()).find(place, KEY)
    with pytest.raises(PoisonError, match="without words"):
        messenger(FakeDiscord()).post(MESSAGE, " ", KEY)


@pytest.mark.parametrize("odd", [b"3", b'{"a": 1}', b"null", b"", b"<html>"])
def test_what_cannot_be_read_is_not_nothing_and_nothing_is_posted(odd: bytes) -> None:
    me = httpx2.Response(200, json={"id": OUR_BOT})
    for faults in ([httpx2.Response(200, content=odd)], [me, httpx2.Response(200, content=odd)]):
        discord = FakeDiscord(faults=faults)

        with pytest.raises(TransientError):
            messenger(discord).post(MESSAGE, "x", KEY)
        assert discord.bodies == []


def test_commands_are_registered_as_a_whole() -> None:
    discord = FakeDiscord()
    messenger(discord).register("1", COMMANDS)

    assert discord.paths == ["PUT /api/v10/applications/1/commands"]
    assert [one["name"] for one in discord.bodies[0]] == ["bug", "Report a bug"]
