"""The shipped fake speaks the wire format that the SDK and we understand."""

from __future__ import annotations

import anthropic
import pytest

from connectors.scripted_model import (
    Breaks,
    Fails,
    Garbles,
    Reply,
    Says,
    ScriptedModel,
    by_step,
    call,
    text,
    thinking,
)


def _client(*replies: Reply) -> anthropic.Anthropic:
    model = ScriptedModel(replies)
    return anthropic.Anthropic(api_key="k", max_retries=0, http_client=model.http_client())


def _ask(client: anthropic.Anthropic, answers: int = 0) -> anthropic.types.Message:
    turn = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]
    messages = [*(turn * answers), {"role": "user", "content": "?"}]
    return client.messages.create(model="claude-sonnet-5-5", max_tokens=9, messages=messages)  # type: ignore[arg-type]


def test_the_sdk_reads_its_answers() -> None:
    blocks = [thinking("hm"), text("Hi"), call("view", path="a.py")]

    message = _ask(_client(Says(blocks)))

    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert message.stop_reason == "tool_use"
    assert message.usage.input_tokens > 0
    assert message.model == "claude-sonnet-5-5"


def test_an_answer_without_a_tool_ends_the_turn_unless_it_says_otherwise() -> None:
    client = _client(Says([text("Hi")]), Says([text("H")], "max_tokens"))

    assert _ask(client).stop_reason == "end_turn"
    assert _ask(client).stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Fails(529), anthropic.APIStatusError),
        (Fails(429), anthropic.RateLimitError),
        (Fails(401), anthropic.AuthenticationError),
        (Fails(400), anthropic.BadRequestError),
        (Breaks(sent=True), anthropic.APIConnectionError),
        (Breaks(sent=False), anthropic.APIConnectionError),
    ],
)
def test_the_sdk_raises_its_own_errors(reply: Reply, error: type[Exception]) -> None:
    with pytest.raises(error):
        _ask(_client(reply))


def test_a_garbled_body_arrives_as_it_is() -> None:
    client = _client(Garbles(b"{"))

    response = client.messages.with_raw_response.create(
        model="claude-sonnet-5-5", max_tokens=9, messages=[{"role": "user", "content": "?"}]
    )

    assert response.http_response.content == b"{"


def test_a_script_by_step_answers_the_same_conversation_the_same_way() -> None:
    script = by_step([Says([text("one")]), Says([text("two")])])
    for _ in range(2):
        model = ScriptedModel(script)
        client = anthropic.Anthropic(api_key="k", max_retries=0, http_client=model.http_client())

        assert _ask(client, answers=1).content[0].text == "two"  # type: ignore[union-attr]
        assert _ask(client, answers=0).content[0].text == "one"  # type: ignore[union-attr]


def test_a_script_that_is_over_says_so() -> None:
    with pytest.raises(anthropic.BadRequestError, match="no further answer"):
        _ask(_client())


def test_a_proof_can_count_requests_before_they_are_answered() -> None:
    seen: list[str] = []
    model = ScriptedModel([Fails(529)], on_request=lambda body: seen.append(body["model"]))
    client = anthropic.Anthropic(api_key="k", max_retries=0, http_client=model.http_client())

    with pytest.raises(anthropic.APIStatusError):
        _ask(client)

    assert seen == ["claude-sonnet-5-5"]


def test_the_same_call_has_the_same_id() -> None:
    assert call("view", path="a") == call("view", path="a")
    assert call("view", path="a")["id"] != call("view", path="b")["id"]
