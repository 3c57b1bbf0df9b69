"""Discord's signature, and what an interaction speaks of."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import Asked, Delivery, Post, Reply
from connectors.discord import COMMANDS, DOORS
from schemas.errors import TransientError
from tests.connectors.chat_posts import PUBLIC, discord_signed, dumped, interaction, typed

INTERACTIONS, EVENTS = DOORS
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def read(payload: object) -> Delivery | Asked:
    (one,) = INTERACTIONS.read(Post({}, dumped(payload)))
    return one


def at_once(payload: object) -> Reply:
    post = Post({}, dumped(payload))
    reply = INTERACTIONS.reply(post)
    assert reply is not None
    assert INTERACTIONS.read(post) == ()
    return reply


def test_only_the_applications_key_signs_and_only_for_a_while() -> None:
    body = dumped(interaction(1))
    post = Post(discord_signed(body, at=NOW), body)
    other = "00" * 31 + "01"

    assert INTERACTIONS.refusal(post, [PUBLIC], NOW) is None
    assert INTERACTIONS.refusal(post, [other, PUBLIC], NOW) is None
    assert INTERACTIONS.refusal(post, [other], NOW) == "signature"
    assert INTERACTIONS.refusal(Post(post.headers, body + b" "), [PUBLIC], NOW) == "signature"
    assert INTERACTIONS.refusal(post, [PUBLIC], datetime(2026, 1, 2, 1, tzinfo=UTC)) == "late"


def test_the_first_vector_of_rfc_8032_is_genuine() -> None:
    """The vector signs nothing at all; a time must be there, so it is late but not forged."""
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
        "39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    headers = {"x-signature-ed25519": signature, "x-signature-timestamp": ""}

    assert INTERACTIONS.refusal(Post(headers, b""), [public], NOW) == "late"
    assert INTERACTIONS.refusal(Post(headers, b"x"), [public], NOW) == "signature"


@pytest.mark.parametrize("signature", ["", "zz" * 64, "00" * 64, "0" * 127])
def test_what_is_no_signature_is_refused(signature: str) -> None:
    headers = {"x-signature-ed25519": signature, "x-signature-timestamp": "1"}

    assert INTERACTIONS.refusal(Post(headers, b""), [PUBLIC], NOW) == "signature"


def test_a_setting_that_is_no_key_is_our_trouble() -> None:
    body = dumped(interaction(1))
    with pytest.raises(TransientError, match="public key"):
        INTERACTIONS.refusal(Post(discord_signed(body, at=NOW), body), ["abc"], NOW)


def test_what_was_signed_for_one_door_is_refused_at_the_other() -> None:
    asked, told = dumped(typed("report", title="x")), dumped({"type": 1, "event": {}})

    assert EVENTS.refusal(Post(discord_signed(asked, at=NOW), asked), [PUBLIC], NOW) == "route"
    assert INTERACTIONS.refusal(Post(discord_signed(told, at=NOW), told), [PUBLIC], NOW) == "route"


def test_a_typed_report_is_an_item_of_its_own() -> None:
    found = read(typed("report", title="Wrong", text="1 + 1 = 3"))

    assert isinstance(found, Delivery)
    assert found.origin.key == found.entity == "discord:10/20#interaction/900"
    assert (found.author, found.sender, found.delivery_id) == ("discord:30", "discord:30", "900")


def test_outside_a_server_the_person_stands_elsewhere() -> None:
    direct = typed("report", title="Wrong") | {"guild_id": None, "member": None}
    found = read(direct | {"user": {"id": "31"}})

    assert isinstance(found, Delivery)
    assert found.origin.container == "@me/20"
    assert found.author == "discord:31"


def test_options_without_a_subcommand_are_understood_too() -> None:
    def bare(**values: str) -> dict[str, Any]:
        options = [{"name": one, "type": 3, "value": value} for one, value in values.items()]
        return interaction(data={"name": "bug", "type": 1, "options": options})

    assert isinstance(read(bare(title="Wrong")), Delivery)
    assert isinstance(read(bare(text="It is wrong")), Delivery)
    wish = read(bare(text="retry BUG-2026-7F3K2"))
    assert isinstance(wish, Asked)
    assert (wish.verb, wish.bug) == ("retry", "BUG-2026-7F3K2")


@pytest.mark.parametrize("is_label", [False, True])
def test_a_form_that_was_sent_is_a_report(is_label: bool) -> None:
    inputs = [
        {"type": 4, "custom_id": "title", "value": "Wrong"},
        {"type": 4, "custom_id": "text", "value": "1 + 1 = 3"},
    ]
    rows = [{"component": one} if is_label else {"components": [one]} for one in inputs]
    found = read(interaction(5, data={"custom_id": "bug", "components": rows}))

    assert isinstance(found, Delivery)


def pointed(author: str = "77") -> dict[str, Any]:
    message = {"id": "55", "content": "it broke", "author": {"id": author}}
    resolved = {"messages": {"55": message}}
    data = {"name": "Report a bug", "type": 3, "target_id": "55", "resolved": resolved}
    return interaction(data=data)


def test_a_message_that_is_pointed_at_is_the_item_and_keeps_its_author() -> None:
    found = read(pointed())

    assert isinstance(found, Delivery)
    assert found.origin.key == "discord:10/20#55"
    assert found.origin.url == "https://discord.com/channels/10/20/55"
    assert (found.sender, found.author) == ("discord:30", "discord:77")


def test_our_own_message_is_no_report() -> None:
    assert at_once(pointed(author="1")).body["type"] == 4


def test_a_wish_is_asked_by_the_person() -> None:
    found = read(typed("reject", bug="BUG-2026-7F3K2", note=" no "))

    assert found == Asked("reject", "BUG-2026-7F3K2", "discord:30", "900", "no")


def test_what_else_a_wish_needs_is_an_option_of_its_own() -> None:
    apart = read(typed("keep-apart", bug="BUG-2026-9QZ4M", **{"from": "bug-2026-7f3k2"}))
    split = read(typed("split", bug="BUG-2026-9QZ4M", report="github:acme/shop#12", note="tax"))

    who = ("discord:30", "900")
    assert apart == Asked("keep-apart", "BUG-2026-9QZ4M", *who, "", "BUG-2026-7F3K2")
    assert split == Asked("split", "BUG-2026-9QZ4M", *who, "tax", "github:acme/shop#12")
    for bare, asks in (("keep-apart", "Which bugs?"), ("split", "Which report?")):
        assert asks in at_once(typed(bare, bug="BUG-2026-9QZ4M")).body["data"]["content"]


def test_what_is_not_kept_is_answered_at_once() -> None:
    bare = interaction(data={"name": "bug", "type": 1})

    assert at_once(interaction(1)).body == {"type": 1}
    assert at_once(bare).body["type"] == 9
    assert at_once(typed("report")).body["type"] == 9
    assert at_once(interaction(4)).body == {"type": 8, "data": {"choices": []}}
    assert "Which bug?" in at_once(typed("approve", bug="it")).body["data"]["content"]
    for other in (typed("help"), interaction(3), interaction(99), interaction(data={"name": "x"})):
        data = at_once(other).body["data"]
        assert data["flags"] == 64
        assert data["allowed_mentions"] == {"parse": []}


def test_genuine_bytes_that_are_no_json_are_kept_for_people() -> None:
    for body in (b"\xff", b"{", b"[]"):
        (one,) = INTERACTIONS.read(Post({}, body))

        assert INTERACTIONS.reply(Post({}, body)) is None
        assert isinstance(one, Delivery)
        assert one.kind == "unreadable"


def test_names_of_commands_fit_what_discord_allows() -> None:
    for option in COMMANDS[0]["options"]:
        assert re.fullmatch(r"[a-z-]{1,32}", option["name"])
        needed = [one["required"] for one in option["options"]]
        assert needed == sorted(needed, reverse=True)
        assert 1 <= len(option["description"]) <= 100


NAMES = "type data options components component resolved messages target_id name value member user"
JSON = st.recursive(
    st.none() | st.integers(0, 6) | st.sampled_from(["bug", "approve", "5", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*NAMES.split(), "5", "author", "id"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(value=JSON, kind=st.integers(0, 6))
def test_no_json_at_all_makes_reading_fail(value: Any, kind: int) -> None:
    for payload in (value, interaction(kind, data=value)):
        post = Post({}, dumped(payload))
        INTERACTIONS.reply(post)
        INTERACTIONS.read(post)
        assert EVENTS.reply(post) == Reply(204)
        assert EVENTS.read(post) == ()


def test_the_token_of_an_interaction_is_not_kept() -> None:
    given = {**typed("report", title="it broke"), "token": "canary"}
    delivery = read(given)

    assert isinstance(delivery, Delivery)
    kept = json.loads(delivery.body or b"")
    assert kept == {name: value for name, value in given.items() if name != "token"}
