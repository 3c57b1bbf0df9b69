"""A patch proposer that lets a model work with tools until it submits, or a limit is reached."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import anthropic
import httpx2
from pydantic import BaseModel, ValidationError

from connectors.agent_prompt import NOT_SUBMITTED, SYSTEM, excerpt, first_message
from connectors.agent_tools import Result, Sandbox, Submission, Toolbox, tool_definitions
from connectors.agent_tree import TreeError, WorkTree, work_tree
from connectors.model_calls import (
    Answer,
    Blobs,
    CallRefusedError,
    Conversation,
    Ledger,
    ModelCaller,
    UnreadableAnswerError,
)
from connectors.model_prices import price_of
from schemas.diffs import unified
from schemas.fixes import Proposal
from schemas.values import (
    BudgetExceededError,
    Declined,
    ErasedError,
    FixTask,
    Proposed,
    SandboxUnavailableError,
)

TOOL_CALLS_MAX = 20
"""Of one answer; the rest is refused."""
REPEATS_MAX = 4
"""Of one call with one outcome, before the attempt is given up."""
MALFORMED_MAX = 5
"""Wrong tool calls in a row."""
NUDGES_MAX = 1
"""How often a model that stops without submitting is asked to go on."""
DETAIL_CHARS_MAX = 20_000
BASE_URL = "https://api.anthropic.com"

_STOPPED = {
    "max_tokens": "the model's answer was cut off at its length limit",
    "model_context_window_exceeded": "the conversation no longer fits the model's context window",
    "pause_turn": "the model paused its turn, which only tools we do not use do",
}
_CHANGING = re.compile(r"\d+\.\d+ ?m?s\b|0x[0-9a-f]+")
"""Times and addresses: what differs between two runs of the same command."""


class Clock(Protocol):
    """The time, passed in."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """Which models work on an attempt, and how long."""

    model: str
    model_escalated: str
    """From the second attempt on."""
    steps_max: int
    """Answers of the model."""
    wall_s_max: float

    def __post_init__(self) -> None:
        """Raise `UserError` for a model whose price is not known."""
        price_of(self.model)
        price_of(self.model_escalated)

    def model_for(self, attempt: int) -> str:
        """Return the model of an attempt, the first of which is 1."""
        return self.model if attempt <= 1 else self.model_escalated


class AnthropicProposer:
    """Proposes patches written by a model. Its word decides nothing; verify does."""

    name = "anthropic"

    def __init__(
        self,
        api_key: str,
        *,
        plan: AgentPlan,
        ledger: Ledger,
        blobs: Blobs,
        sandbox: Sandbox,
        clock: Clock,
        http_client: httpx2.Client | None = None,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        """Talk to the vendor with `api_key`, or to whatever `http_client` leads to."""
        self._client = anthropic.Anthropic(
            api_key=api_key,
            base_url=BASE_URL,  # Given, so that the SDK does not look into the environment.
            max_retries=0,  # A retry of the SDK's would be a call nobody reserved money for.
            http_client=http_client,
        )
        self._caller = ModelCaller(self._client, ledger, blobs, clock.monotonic_s, sleep_s)
        self._plan = plan
        self._sandbox = sandbox
        self._clock = clock

    def close(self) -> None:
        """Close the connections to the vendor."""
        self._client.close()

    def propose(self, task: FixTask) -> Proposed | Declined:
        """Return a patch within the task's budget, or why there is none.

        Raises `TransientError` when the service stays busy or answers get lost; what was answered
        until then is not paid again.
        """
        deadline_s = self._clock.monotonic_s() + self._plan.wall_s_max
        try:
            self._sandbox.check()  # Before any money is spent.
        except SandboxUnavailableError as error:
            return Declined(reason=str(error))
        oracle_files = task.oracle.files if task.oracle else {}
        with work_tree(task.tree, oracle_files) as tree:
            toolbox = Toolbox(
                task, tree, self._sandbox, lambda: deadline_s - self._clock.monotonic_s()
            )
            model = self._plan.model_for(task.attempt)
            conversation = Conversation(model=model, system=SYSTEM, tools=tool_definitions())
            attempt = _Attempt(
                task, tree, toolbox, conversation, self._caller, self._plan.steps_max, deadline_s
            )
            return attempt.run()


class _EndedError(Exception):
    """The attempt is over without a patch; the text says why, to people."""


class _ToolUse(BaseModel):
    id: str
    name: str
    input: Any = None


@dataclass(slots=True)
class _Attempt:
    """One conversation on one work tree."""

    task: FixTask
    tree: WorkTree
    toolbox: Toolbox
    conversation: Conversation
    caller: ModelCaller
    steps_max: int
    deadline_s: float
    outcomes: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    malformed: int = 0
    nudges: int = 0
    words: str = ""
    """The last the model said in plain text."""

    def run(self) -> Proposed | Declined:
        content: list[dict[str, Any]] = [{"type": "text", "text": first_message(self.task)}]
        try:
            while self.toolbox.submission is None:
                self._check_limits()
                answer = self.caller.ask(
                    self.task,
                    self.conversation,
                    content,
                    price=price_of(self.conversation.model),
                    deadline_s=self.deadline_s,
                )
                content = self._react(answer)
        except BudgetExceededError as error:
            return self._declined(f"the money for this bug is used up: {error}")
        except ErasedError:
            return self._declined("the conversation of this attempt was erased on request")
        except (
            _EndedError,
            CallRefusedError,
            UnreadableAnswerError,
            SandboxUnavailableError,
        ) as error:
            return self._declined(str(error))
        return self._proposed(self.toolbox.submission)

    def _check_limits(self) -> None:
        if self.conversation.step >= self.steps_max:
            raise _EndedError(f"no patch after {self.steps_max} steps, which is the limit")
        if self.caller.monotonic_s() >= self.deadline_s:
            raise _EndedError(f"time was up after {self.conversation.step} steps")

    def _react(self, answer: Answer) -> list[dict[str, Any]]:
        """Return what to say next. Raises `_EndedError` when there is nothing more to say."""
        words = "\n".join(
            str(block.get("text", "")) for block in answer.content if block.get("type") == "text"
        )
        self.words = words or self.words
        if answer.stop_reason not in ("tool_use", "end_turn"):
            raise _EndedError(_why_stopped(answer))
        uses = [block for block in answer.content if block.get("type") == "tool_use"]
        if uses:
            return [self._use(block, number) for number, block in enumerate(uses)]
        if self.nudges == NUDGES_MAX:
            raise _EndedError("the model gave up without a patch")
        self.nudges += 1
        return [{"type": "text", "text": NOT_SUBMITTED}]

    def _use(self, block: dict[str, Any], number: int) -> dict[str, Any]:
        try:
            use = _ToolUse.model_validate(block)
        except ValidationError as error:
            raise _EndedError("the model called a tool without saying which") from error
        if number >= TOOL_CALLS_MAX or self.toolbox.submission is not None:
            result = Result("not done: too many calls at once, or after submit", failed=True)
        else:
            result = self._noted(use, self.toolbox.use(use.name, use.input))
        return {
            "type": "tool_result",
            "tool_use_id": use.id,
            "content": result.text or "(no output)",
            "is_error": result.failed,
        }

    def _noted(self, use: _ToolUse, result: Result) -> Result:
        """Return the result, with a warning when it is the same again. Raises `_EndedError`."""
        self.malformed = self.malformed + 1 if result.malformed else 0
        if self.malformed >= MALFORMED_MAX:
            raise _EndedError(f"the model made {MALFORMED_MAX} wrong tool calls in a row")
        done = f"{use.name} {json.dumps(use.input, sort_keys=True)}"
        edited = use.name == "edit" and not result.failed
        if edited:
            self.outcomes.clear()  # On a changed tree, the same command is another question.
        else:
            done += _CHANGING.sub("", result.text)
        outcome = hashlib.sha256(done.encode("utf-8", "replace")).hexdigest()
        counter = self.edits if edited else self.outcomes
        counter[outcome] += 1
        count = counter[outcome]
        if count >= REPEATS_MAX:
            raise _EndedError(f"the model was stuck: {use.name} {count} times in the same way")
        if count == REPEATS_MAX - 1:
            warning = "This was done before, with the same outcome. Do something else."
            return Result(f"{result.text}\n\n{warning}", failed=result.failed)
        return result

    def _proposed(self, submission: Submission) -> Proposed:
        proposal = Proposal(
            proposer=AnthropicProposer.name,
            model=self.conversation.model,
            conversation=f"urn:uuid:{self.task.cause}",
            edits=submission.edits,
            diff=unified(submission.edits),
            oracle=submission.oracle,
            explanation=submission.explanation,
            candidates_tried=1,
        )
        return Proposed(proposal, calls=tuple(self.conversation.calls))

    def _declined(self, reason: str) -> Declined:
        """Return the refusal with what there is, so that a person need not start at nothing."""
        try:
            diff = unified(self.tree.changes())
        except TreeError as error:
            diff = f"(no diff: {error})"
        known = {
            "The model's last words": self.words,
            "Last tests": self.toolbox.last_tests,
            "Changes so far": diff,
        }
        detail = "\n\n".join(f"{title}:\n{text}" for title, text in known.items() if text)
        return Declined(
            reason=reason,
            detail=excerpt(detail, DETAIL_CHARS_MAX),
            calls=tuple(self.conversation.calls),
        )


def _why_stopped(answer: Answer) -> str:
    if answer.stop_reason == "refusal":
        category = (answer.stop_details or {}).get("category")
        about = f" ({category})" if isinstance(category, str) else ""
        return f"the model refused to answer{about}"
    return _STOPPED.get(
        answer.stop_reason, f"the model stopped for an unknown reason: {answer.stop_reason[:100]}"
    )
