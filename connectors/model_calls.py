"""One conversation with a model, every call paid through the ledger.

The most a call can cost is reserved before it is made, and settled as soon as its answer is stored,
before anything of the answer is understood. A restarted attempt gets the stored questions and
answers back, byte for byte: it pays for nothing twice, and thoughts, which the vendor signs for
one conversation, stay valid although a test may print another time on its second run.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import anthropic
import httpx2
from pydantic import BaseModel, ValidationError

from connectors.model_prices import Price, Usage
from schemas.errors import RefusedError, TransientError
from schemas.event import BlobRef, derived_id, subject_id
from schemas.values import Done, Effect, EffectOutcome, FixTask, ModelCall

ANSWER_TOKENS_MAX = 16_000
"""Thoughts included. The SDK wants to stream what could take longer than ten minutes."""
CALL_WALL_S_MAX = 600.0
CALL_WALL_S_MIN = 120.0
"""What a call gets even when the attempt's time is nearly up: an answer cut off is paid for."""
TRIES_MAX = 5
"""Of one call, while the service says that it is busy."""
LOST_ANSWERS_MAX = 1
"""Of one call: how many may be lost, and paid, before the attempt is given back."""
PAUSE_S_MAX = 60.0
OVERHEAD_TOKENS = 1_000
"""What the vendor adds to a request around our texts."""

_MESSAGE_CHARS_MAX = 500
_BUSY = frozenset({409, 429})
_MAYBE_PAID = frozenset({408, 504})
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class CallRefusedError(RefusedError):
    """The service will not take this call, now or later. Nothing was spent."""


class _BusyError(Exception):
    """The service took no call now; nothing was spent."""

    def __init__(self, why: str, retry_after_s: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class UnreadableAnswerError(Exception):
    """The answer, paid for, is not what the vendor's interface promises."""


class Blobs(Protocol):
    """Where questions and answers are kept."""

    def put(self, content: bytes, *, media_type: str, subject: str) -> BlobRef:
        """Store `content` for `subject`."""

    def get(self, ref: BlobRef) -> bytes:
        """Return the content."""


class Ledger(Protocol):
    """What keeps the budget and the outcome of every call."""

    def perform(
        self, effect: Effect, *, look: Callable[[], Done | None], do: Callable[[], Done]
    ) -> EffectOutcome:
        """Return the outcome of `effect`, doing it only if it was not done before."""


class Answer(BaseModel):
    """What of a message decides how it goes on. The blocks are sent back as they came."""

    content: list[dict[str, Any]]
    stop_reason: str
    stop_details: dict[str, Any] | None = None
    usage: Usage


class _Question(BaseModel):
    """What one step adds to the conversation, as stored; the first says the frame as well."""

    system: str
    tools: list[dict[str, Any]]
    content: list[dict[str, Any]]


@dataclass(slots=True)
class Conversation:
    """What was said so far: only ever added to, so that the vendor's cache holds."""

    model: str
    system: str
    tools: list[dict[str, Any]]
    messages: list[dict[str, Any]] = field(default_factory=list)
    prompt_tokens: int = 0
    """The length of all that was said, by the vendor's own count."""
    said_sha256: str = ""
    """Of the answers so far: with task and model they are what makes a request this one."""
    calls: list[ModelCall] = field(default_factory=list)

    @property
    def step(self) -> int:
        """Return how many answers there are."""
        return len(self.calls)


@dataclass(frozen=True, slots=True)
class ModelCaller:
    """Asks, pays and remembers. One may serve many threads; a conversation belongs to one."""

    client: anthropic.Anthropic
    ledger: Ledger
    blobs: Blobs
    monotonic_s: Callable[[], float]
    sleep_s: Callable[[float], None] = time.sleep

    def ask(
        self,
        task: FixTask,
        conversation: Conversation,
        content: Sequence[Mapping[str, Any]],
        *,
        price: Price,
        deadline_s: float,
    ) -> Answer:
        """Say `content`, and return the answer; both are added to the conversation.

        Raises `BudgetExceededError` before anything is sent, `CallRefusedError` when the service
        refuses for good, `TransientError` when it stays busy or answers get lost, and
        `UnreadableAnswerError`; what was paid is in the ledger, and in `conversation.calls`, then
        as well.
        """
        question = _Question(
            system=conversation.system, tools=conversation.tools, content=[*map(dict, content)]
        )
        tokens_max = conversation.prompt_tokens + OVERHEAD_TOKENS + _bytes(question, conversation)
        most = price.most_usd_micros(
            prompt_tokens_max=tokens_max, output_tokens_max=ANSWER_TOKENS_MAX
        )
        effect = _effect(task, conversation, most)

        def do() -> Done:
            return self._call(task, conversation, question, price, most, deadline_s)

        outcome = self._perform(effect, do)
        return self._take(conversation, effect, outcome)

    def _perform(self, effect: Effect, do: Callable[[], Done]) -> EffectOutcome:
        for lost in range(LOST_ANSWERS_MAX + 1):
            try:
                return self.ledger.perform(effect, look=_cannot_look, do=do)
            except RefusedError:
                raise
            except TransientError:
                # The ledger keeps the first one charged and reserves for the second.
                if lost == LOST_ANSWERS_MAX:
                    raise
        raise AssertionError("unreachable")  # The loop returns or raises.

    def _call(
        self,
        task: FixTask,
        conversation: Conversation,
        question: _Question,
        price: Price,
        most_usd_micros: int,
        deadline_s: float,
    ) -> Done:
        subject = subject_id(task.report.reporter)
        asked = self.blobs.put(
            question.model_dump_json().encode(), media_type="application/json", subject=subject
        )
        body = self._send(conversation, question, deadline_s)
        answered = self.blobs.put(body, media_type="application/json", subject=subject)
        usage = _usage(body)
        result = {
            "question": asked.model_dump(),
            "answer": answered.model_dump(),
            "model": conversation.model,
            "tokens_in": usage.prompt_tokens if usage else 0,
            "tokens_out": usage.output_tokens if usage else 0,
        }
        # An answer that does not say what it used may have used all it could.
        return Done(result, price.cost_usd_micros(usage) if usage else most_usd_micros)

    def _send(self, conversation: Conversation, question: _Question, deadline_s: float) -> bytes:
        """Return the body of the answer, asking again while the service is busy."""
        number = 1
        while True:
            left_s = deadline_s - self.monotonic_s()
            try:
                return self._post(conversation, question, max(CALL_WALL_S_MIN, left_s))
            except _BusyError as busy:
                pause_s = max(busy.retry_after_s, min(PAUSE_S_MAX, 2.0**number))
                if number == TRIES_MAX or pause_s > min(PAUSE_S_MAX, left_s):
                    raise RefusedError(
                        f"the model's service takes no calls ({busy}; {number} tries)"
                    ) from busy
                self.sleep_s(pause_s)
                number += 1

    def _post(self, conversation: Conversation, question: _Question, wall_s_max: float) -> bytes:
        """Send the request once; only here is anything sent."""
        messages: Any = [*conversation.messages, _user(question.content)]
        tools: Any = question.tools
        try:
            response = self.client.messages.with_raw_response.create(
                model=conversation.model,
                max_tokens=ANSWER_TOKENS_MAX,
                system=question.system,
                tools=tools,
                messages=messages,
                cache_control={"type": "ephemeral"},
                service_tier="standard_only",  # Other tiers have other prices.
                timeout=min(CALL_WALL_S_MAX, wall_s_max),
            )
        except anthropic.APIStatusError as error:
            raise _recovery(error) from error
        except anthropic.APIConnectionError as error:
            if isinstance(error.__cause__, _NOT_SENT):
                raise _BusyError("it cannot be reached") from error
            raise TransientError("the model's answer was lost on its way") from error
        return bytes(response.http_response.content)

    def _take(self, conversation: Conversation, effect: Effect, outcome: EffectOutcome) -> Answer:
        """Add what was asked and answered, as stored, to the conversation."""
        result = outcome.result
        call = ModelCall(
            effect_key=effect.key,
            model=conversation.model,
            cost_usd_micros=outcome.cost_usd_micros,
            tokens_in=int(result["tokens_in"]),
            tokens_out=int(result["tokens_out"]),
        )
        conversation.calls.append(call)
        asked = self.blobs.get(BlobRef.model_validate(result["question"]))
        body = self.blobs.get(BlobRef.model_validate(result["answer"]))
        question = _Question.model_validate_json(asked)
        try:
            answer = Answer.model_validate_json(body)
        except ValidationError as error:
            raise UnreadableAnswerError(
                f"the model's answer is not a message ({error.error_count()} problems)"
            ) from error
        conversation.system, conversation.tools = question.system, question.tools
        conversation.messages.append(_user(question.content))
        if answer.content:  # An empty answer is a valid one, and not valid to send back.
            conversation.messages.append({"role": "assistant", "content": answer.content})
        conversation.prompt_tokens = answer.usage.prompt_tokens + answer.usage.output_tokens
        seen = f"{conversation.said_sha256} {hashlib.sha256(body).hexdigest()}"
        conversation.said_sha256 = hashlib.sha256(seen.encode()).hexdigest()
        return answer


def _effect(task: FixTask, conversation: Conversation, reserve_usd_micros: int) -> Effect:
    # What tools printed is left out of the hash: times differ on a second run, the request does
    # not. Another model is another conversation, so it is part of the key.
    request = f"{task.cause} {conversation.model} {conversation.step} {conversation.said_sha256}"
    return Effect(
        key=derived_id(task.cause, f"model.call/{conversation.model}", conversation.step),
        kind="model.call",
        project=task.project.id,
        bug_id=task.bug_id,
        attempt=task.attempt,
        request_sha256=hashlib.sha256(request.encode()).hexdigest(),
        reserve_usd_micros=reserve_usd_micros,
        budget_usd_micros=task.budget_usd_micros,
    )


def _cannot_look() -> None:
    """Return nothing: the vendor cannot be asked whether a call got through."""


def _bytes(question: _Question, conversation: Conversation) -> int:
    """Return the bytes not yet counted by the vendor; a token is never less than a byte."""
    frame = [] if conversation.messages else [question.system, question.tools]
    return len(json.dumps([frame, question.content], ensure_ascii=False).encode())


def _user(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _usage(body: bytes) -> Usage | None:
    class Paid(BaseModel):
        usage: Usage

    try:
        return Paid.model_validate_json(body).usage
    except ValidationError:
        return None


def _recovery(error: anthropic.APIStatusError) -> Exception:
    """Return what an error status means for us."""
    kind = f"{error.status_code} {error.type or ''}".rstrip()
    if error.status_code in _MAYBE_PAID:
        return TransientError(f"the model's answer was lost ({kind})")
    if error.status_code in _BUSY or error.status_code >= 500:
        asked = error.response.headers.get("retry-after", "")
        return _BusyError(kind, float(asked) if asked.isdecimal() else 0.0)
    message = (error.api_message or "")[:_MESSAGE_CHARS_MAX]
    return CallRefusedError(f"the model's service refuses the call: {kind}: {message}")
