"""What ports pass across: values and refusals that deciding code and adapters both know.

They stand here, below both, because adapters may not import the code that uses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from schemas.fixes import Oracle, Proposal
from schemas.places import Location
from schemas.projects import Project
from schemas.reports import BugReport


class ErasedError(Exception):
    """The subject's key was destroyed: the content is gone for good, on purpose."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to do to the world, at most once to the eye of the world."""

    key: UUID
    """uuid5(triggering event, what): the idempotency key."""
    kind: Literal["model.call", "git.push", "message.post", "item.mark", "attachment.fetch"]
    project: str
    bug_id: UUID
    attempt: int
    request_sha256: str
    """Of what is asked: the same key with another request is a programming error."""
    reserve_usd_micros: int = 0
    """The most it can cost. Refused (`BudgetExceededError`) when it does not fit."""
    budget_usd_micros: int | None = None
    """The bug's budget; None: the effect costs nothing."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an effect: `result` is JSON, kept in the ledger and returned on every replay."""

    result: Mapping[str, Any]
    cost_usd_micros: int = 0


@dataclass(frozen=True, slots=True)
class EffectOutcome:
    """A `Done` with its time; `reused` when nothing was done because it was done before."""

    result: Mapping[str, Any]
    cost_usd_micros: int
    occurred_at: datetime
    reused: bool


class BudgetExceededError(Exception):
    """The most the call can cost does not fit into what is left of the budget."""


@dataclass(frozen=True, slots=True)
class Release:
    """What was pushed, as the remote shows it."""

    branch: str
    commit: str
    remote: str
    trace_id: UUID
    url: str | None = None
    """Where people read and take it, a pull request; None: the branch is all there is."""
    note: str | None = None
    """What else was wanted and refused, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What people read where a verified patch is offered to them."""

    title: str
    body: str
    """Markdown."""
    conclusion: Literal["success", "failure", "neutral"]
    """Of the verification; `neutral`: what it saw is not known here."""
    summary: str
    """The same in one line."""


SANDBOX_WORKDIR = "/sandbox"
"""Where the working directory appears inside: a path no interpreter is installed under."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What a run may use; over it the whole process tree is killed."""

    wall_s: float = 120.0
    cpu_s: int = 120
    memory_mb: int = 2048
    processes: int = 64
    tmp_mb: int = 256
    file_mb: int = 64
    disk_mb: int = 512
    """How large it may make `workdir`."""
    output_bytes: int = 1_000_000
    """Of stdout and of stderr each; the rest is dropped and `truncated` is set."""


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """One command in the sandbox. `workdir` is the only writable place besides /tmp."""

    argv: tuple[str, ...]
    workdir: Path
    """A folder of ours on the host. Appears as `SANDBOX_WORKDIR`, and is the working directory."""
    python: Path | None = None
    """Interpreter to make visible (its prefix, and its venv), read-only at its own path."""
    readable: tuple[Path, ...] = ()
    """More folders to show read-only at their own path."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment besides PATH, HOME, LANG and PYTHON* of ours; nothing is inherited."""
    stdin: bytes = b""
    limits: SandboxLimits = field(default_factory=SandboxLimits)


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """How the command ended, and what it printed."""

    exit_code: int | None
    """None when it was killed."""
    ended: Literal["exited", "wall_timeout", "disk_limit", "signal"]
    stdout: bytes
    stderr: bytes
    wall_s: float
    cpu_s: float
    truncated: bool = False


class SandboxUnavailableError(Exception):
    """The sandbox cannot be set up here. The text says what is missing and how to get it."""


@dataclass(frozen=True, slots=True)
class FixTask:
    """Everything a proposer gets. It may read and run things in `tree`, through the sandbox."""

    bug_id: UUID
    attempt: int
    cause: UUID
    """Event id of the `fix.requested`: effects derive their keys from it."""
    project: Project
    python: Path
    tree: Path
    """A private copy of the base commit without `.git`; the proposer may change it at will."""
    report: BugReport
    locations: Sequence[Location]
    oracle: Oracle | None
    """Red at the base commit, as the fix stage has seen; None when there is none."""
    failing_output: str
    """What the oracle printed at the base commit."""
    budget_usd_micros: int
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One paid call, for `budget.spent`."""

    effect_key: UUID
    model: str
    cost_usd_micros: int
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class Declined:
    """No patch, and why: shown to people."""

    reason: str
    candidates_tried: int = 0
    detail: str = ""
    calls: tuple[ModelCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposed:
    """A patch, and what it cost."""

    proposal: Proposal
    calls: tuple[ModelCall, ...] = ()
