"""What Discord says of a bug."""

from __future__ import annotations

from typing import Any

import pytest

from processors.channels.discord import parse
from processors.channels.parsed import Parsed
from schemas.errors import PoisonError
from schemas.raw import Origin, RawReceived
from tests.connectors.chat_posts import dumped, interaction, typed
from tests.factories import raw_github

ORIGIN = Origin(channel="discord", container="10/20", item="55", url="https://discord.example/55")


def raw() -> RawReceived:
    return raw_github().model_copy(update={"origin": ORIGIN, "route": "discord/message"})


def said(payload: object) -> Parsed | None:
    return parse(raw(), dumped(payload))


def test_title_and_text_of_the_command() -> None:
    found = said(typed("report", title="Wrong", text="<@30> sees <:bug:123> in <#20>, 1 < 2"))

    assert found is not None
    assert found.title == "Wrong"
    assert found.text == "Wrong\n\n@30 sees :bug: in #20, 1 < 2"
    assert (found.account, found.url) == ("discord:30", "https://discord.example/55")


@pytest.mark.parametrize("is_label", [False, True])
def test_a_form_says_the_same(is_label: bool) -> None:
    inputs = [{"type": 4, "custom_id": n, "value": n.upper()} for n in ("title", "text")]
    rows = [{"component": one} if is_label else {"components": [one]} for one in inputs]
    found = said(interaction(5, data={"custom_id": "bug", "components": rows}))

    assert found is not None
    assert found.text == "TITLE\n\nTEXT"


def pointed(**message: Any) -> dict[str, Any]:
    one = {"id": "55", "content": "it broke", "author": {"id": "77"}, **message}
    data = {"type": 3, "target_id": "55", "resolved": {"messages": {"55": one}}}
    return interaction(data=data)


def test_a_message_that_was_pointed_at_belongs_to_who_wrote_it() -> None:
    found = said(
        pointed(timestamp="2026-01-02T03:04:05+00:00", attachments=[{"filename": "a.log"}])
    )

    assert found is not None
    assert found.account == "discord:77"
    assert found.text == "it broke\n\nAttached: a.log"
    assert found.created_at == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize("stamp", ["", "2026-99-99T00:00:00Z", "2026-01-02T03:04:05", 7])
def test_a_time_that_is_none_is_left_out(stamp: object) -> None:
    found = said(pointed(timestamp=stamp))

    assert found is not None
    assert found.created_at is None


def test_no_words_say_nothing_and_no_json_is_poison() -> None:
    assert said(pointed(content="")) is None
    assert said(interaction(data={})) is None
    for body in (b"{", b"{}", b"[" * 100_000):
        with pytest.raises(PoisonError):
            parse(raw(), body)
