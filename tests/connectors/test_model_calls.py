"""One call: reserved, made, paid, remembered. What the ledger sees of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import anthropic
import pytest

from connectors.blobs import MemoryBlobs
from connectors.model_calls import (
    ANSWER_TOKENS_MAX,
    CallRefusedError,
    Conversation,
    ModelCaller,
    UnreadableAnswerError,
)
from connectors.model_prices import price_of
from connectors.scripted_model import Fails, Garbles, Reply, Says, ScriptedModel, text
from schemas.errors import RefusedError
from schemas.event import BlobRef, subject_id
from schemas.values import Done, Effect, EffectOutcome
from streams.clock import VirtualClock
from tests.connectors.agents import make_task

HELLO = [{"type": "text", "text": "Hello"}]
PRICE = price_of("claude-sonnet-5-5")


class Notebook:
    """A ledger in memory, that writes down what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Effect] = []
        self.done: dict[UUID, tuple[str, Done]] = {}

    def perform(
        self, effect: Effect, *, look: Callable[[], Done | None], do: Callable[[], Done]
    ) -> EffectOutcome:
        self.asked.append(effect)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        reused = effect.key in self.done
        if not reused:
            assert look() is None
            self.done[effect.key] = (effect.request_sha256, do())
        request, done = self.done[effect.key]
        assert request == effect.request_sha256
        return EffectOutcome(done.result, done.cost_usd_micros, now, reused=reused)

    @property
    def last(self) -> Done:
        return list(self.done.values())[-1][1]


class Desk:
    """A caller on a scripted model."""

    def __init__(self, *replies: Reply) -> None:
        self.model = ScriptedModel(replies)
        self.ledger = Notebook()
        self.blobs = MemoryBlobs()
        self.clock = VirtualClock()
        self.conversation = Conversation("claude-sonnet-5-5", "Be brief.", [])
        client = anthropic.Anthropic(
            api_key="k", max_retries=0, http_client=self.model.http_client()
        )
        self.caller = ModelCaller(
            client, self.ledger, self.blobs, self.clock.monotonic_s, self.clock.advance
        )

    def ask(self, content: list[dict[str, Any]] = HELLO, *, deadline_s: float = 900.0) -> Any:
        return self.caller.ask(
            make_task(Path("tree")),
            self.conversation,
            content,
            price=PRICE,
            deadline_s=deadline_s,
        )


def test_the_most_a_call_can_cost_is_reserved_and_its_price_settled() -> None:
    desk = Desk(Says([text("Hi")], usage={"input_tokens": 100, "output_tokens": 10}))

    desk.ask()

    (effect,), done = desk.ledger.asked, desk.ledger.last
    assert done.cost_usd_micros == 100 * 2 + 10 * 10
    assert effect.reserve_usd_micros > ANSWER_TOKENS_MAX * 10
    assert effect.budget_usd_micros == 2_000_000
    assert effect.kind == "model.call"


def test_later_reservations_use_the_vendors_own_count_of_what_was_said() -> None:
    usage = {"input_tokens": 1_000, "cache_read_input_tokens": 9_000, "output_tokens": 500}
    desk = Desk(Says([text("x" * 100_000)], usage=usage), Says([text("Hi")]))
    desk.ask()
    desk.ask()

    second = desk.ledger.asked[1].reserve_usd_micros

    prompt = 10_500 + 1_000 + len(json.dumps([[], HELLO]))
    assert second == PRICE.most_usd_micros(
        prompt_tokens_max=prompt, output_tokens_max=ANSWER_TOKENS_MAX
    )


def test_question_and_answer_are_kept_for_the_reporter() -> None:
    desk = Desk(Says([text("Hi")]))

    desk.ask()

    result = desk.ledger.last.result
    question = json.loads(desk.blobs.get(BlobRef(**result["question"])))
    answer = json.loads(desk.blobs.get(BlobRef(**result["answer"])))
    assert question == {"system": "Be brief.", "tools": [], "content": HELLO}
    assert answer["content"] == [text("Hi")]
    assert result["question"]["subject"] == subject_id("github:ann")
    assert json.loads(json.dumps(result)) == result
    assert "Hello" not in json.dumps(result)


def test_the_request_is_known_by_the_answers_so_far_and_not_by_what_tools_printed() -> None:
    one, two, other = (Desk(Says([text(w)]), Says([text("y")])) for w in ("x", "x", "z"))
    for desk, second in ((one, "in 0.1s"), (two, "in 0.2s"), (other, "in 0.1s")):
        desk.ask()
        desk.ask([text(second)])

    hashes = [desk.ledger.asked[1].request_sha256 for desk in (one, two, other)]

    assert hashes[0] == hashes[1] != hashes[2]
    assert len({effect.key for effect in one.ledger.asked}) == 2


def test_a_restart_goes_on_with_the_stored_frame_and_questions() -> None:
    """A release in between may have changed the prompts; thoughts hold for the old ones only."""
    desk = Desk(Says([text("x")]), Says([text("y")]))
    desk.ask([text("in 0.1s")])
    told = desk.conversation
    desk.conversation = Conversation("claude-sonnet-5-5", "Be verbose.", [{"name": "new"}])

    desk.ask([text("in 0.2s")])
    same = (desk.conversation.messages, desk.conversation.system) == (told.messages, told.system)
    desk.ask([text("more")])

    assert same
    assert len(desk.model.requests) == 2
    assert desk.model.requests[1]["system"] == "Be brief."
    assert desk.model.requests[1]["messages"][0]["content"] == [text("in 0.1s")]


def test_a_busy_service_is_asked_again_with_growing_pauses() -> None:
    desk = Desk(Fails(529), Fails(529), Fails(429, retry_after_s=30), Says([text("Hi")]))

    desk.ask()

    assert desk.clock.monotonic_s() == 2 + 4 + 30
    assert len(desk.ledger.asked) == 1


@pytest.mark.parametrize(
    ("replies", "deadline_s", "asked"),
    [
        ([Fails(529)] * 9, 900, 5),
        ([Fails(529)] * 9, 5, 2),
        ([Fails(429, retry_after_s=61)] * 9, 900, 1),
        ([Fails(429, retry_after_s=10**30)] * 9, 900, 1),
    ],
)
def test_pauses_and_tries_are_bounded(replies: list[Reply], deadline_s: float, asked: int) -> None:
    desk = Desk(*replies)

    with pytest.raises(RefusedError, match=f"{asked} tries"):
        desk.ask(deadline_s=deadline_s)

    assert len(desk.model.requests) == asked
    assert desk.clock.monotonic_s() <= deadline_s


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_a_refusal_for_good_is_not_repeated(status: int) -> None:
    desk = Desk(Fails(status, "because"), Says([text("Hi")]))

    with pytest.raises(CallRefusedError, match=f"{status}.*because"):
        desk.ask()

    assert len(desk.model.requests) == 1


def test_an_unreadable_answer_is_paid_before_it_is_read() -> None:
    wire = {"usage": {"input_tokens": 100, "output_tokens": 10}, "content": "no list"}
    desk = Desk(Garbles(json.dumps(wire).encode()))

    with pytest.raises(UnreadableAnswerError):
        desk.ask()

    assert desk.ledger.last.cost_usd_micros == 300
    assert desk.conversation.calls[0].cost_usd_micros == 300
    assert desk.conversation.messages == []


def test_the_sdk_adds_no_retries_and_no_settings_of_its_own() -> None:
    desk = Desk(Says([text("Hi")]))

    desk.ask()

    assert desk.model.headers[0]["x-stainless-retry-count"] == "0"
    assert desk.model.requests[0] == {
        "model": "claude-sonnet-5-5",
        "max_tokens": ANSWER_TOKENS_MAX,
        "system": "Be brief.",
        "tools": [],
        "messages": [{"role": "user", "content": HELLO}],
        "cache_control": {"type": "ephemeral"},
        "service_tier": "standard_only",
    }
