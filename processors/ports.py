"""What the deciding code needs of the world. Adapters are bound in `streams/wiring.py` only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

from schemas.bugs import Location
from schemas.event import BlobRef
from schemas.fixes import Oracle, Proposal
from schemas.projects import Project
from schemas.raw import Origin
from schemas.reports import BugReport


class Blobs(Protocol):
    """Content-addressed bytes, encrypted with a key per subject."""

    def put(self, content: bytes, *, media_type: str, subject: str) -> BlobRef:
        """Store `content` durably for `subject`; the same two always give the same ref."""

    def get(self, ref: BlobRef) -> bytes:
        """Return the content.

        Raises `ErasedError` once its key is destroyed, `PoisonError` if
        the bytes are missing or do not match their hash.
        """


class ErasedError(Exception):
    """The subject's key was destroyed: the content is gone for good, on purpose."""


class Clock(Protocol):
    """The time, passed in."""

    def now(self) -> datetime:
        """Return the aware UTC time."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""


# --- effects ---


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to do to the world, at most once to the eye of the world."""

    key: UUID
    """uuid5(triggering event, what): the idempotency key."""
    kind: Literal["model.call", "git.push", "message.post"]
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


class Ledger(Protocol):
    """Intent with a lease -> look outside -> do -> done. Replay never repeats an effect."""

    def perform(
        self, effect: Effect, *, look: Callable[[], Done | None], do: Callable[[], Done]
    ) -> EffectOutcome:
        """Return the outcome of `effect`, doing it only if neither ledger nor world has it.

        `look` asks the world whether an earlier, interrupted try got through. `do` may raise
        `TransientError`; the intent then stays charged until it is settled. Blocks while another
        owner holds the lease. Raises `BudgetExceededError`.
        """


# --- code ---


@dataclass(frozen=True, slots=True)
class Release:
    """What was pushed, as the remote shows it."""

    branch: str
    commit: str
    remote: str
    trace_id: UUID


class Checkouts(Protocol):
    """Read access to the projects' repositories: one bare mirror each, work copies by archive."""

    def base_commit(self, project: Project) -> str:
        """Fetch, and return the commit at the tip of the project's branch."""

    def work_copy(self, project: Project, commit: str) -> AbstractContextManager[Path]:
        """Yield a private folder with the tree of `commit`, without `.git`."""

    def files(self, project: Project, commit: str) -> Mapping[str, bytes]:
        """Return path -> content of the text files of `commit` (size-capped), for ranking."""


class Forge(Protocol):
    """Puts a verified patch where people can take it."""

    def find(self, project: Project, branch: str) -> Release | None:
        """Return what the remote already has under `branch`."""

    def release(
        self,
        project: Project,
        *,
        branch: str,
        base_commit: str,
        proposal: Proposal,
        message: str,
        when: datetime,
        trace_id: UUID,
    ) -> Release:
        """Commit and push, with the Agent Trace note. Doing it again changes nothing."""


class Messenger(Protocol):
    """Answers a report where it came from."""

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an earlier message with this idempotency key."""

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text` once and return the receipt. Raises `TransientError`."""


# --- sandbox ---


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What a run may use; over it the whole process tree is killed."""

    wall_s: float = 120.0
    cpu_s: int = 120
    memory_mb: int = 2048
    processes: int = 64
    tmp_mb: int = 256
    file_mb: int = 64
    output_bytes: int = 1_000_000
    """Of stdout and of stderr each; the rest is dropped and `truncated` is set."""


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """One command in the sandbox. `workdir` is the only writable place besides /tmp."""

    argv: tuple[str, ...]
    workdir: Path
    """A folder of ours on the host. Appears as /work inside, and is the working directory."""
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
    ended: Literal["exited", "wall_timeout", "signal"]
    stdout: bytes
    stderr: bytes
    wall_s: float
    cpu_s: float
    truncated: bool = False


class SandboxProcess(Protocol):
    """A running command with pipes, for a fork server: lines in, lines out."""

    def send(self, line: bytes) -> None:
        """Write one line (a newline is added) to its standard input."""

    def receive(self, timeout_s: float) -> bytes | None:
        """Return the next line of its standard output; None when it has ended or time is up."""

    def stderr_tail(self) -> bytes:
        """Return the end of what it printed to standard error."""

    def kill(self) -> None:
        """End the whole process tree. Harmless when it has ended."""


class SandboxUnavailableError(Exception):
    """The sandbox cannot be set up here. The text says what is missing and how to get it."""


class Sandbox(Protocol):
    """Runs strangers' code. It never runs anything unsandboxed: it refuses with the reason."""

    def check(self) -> str:
        """Prove by a short self-test that it isolates; return one line that describes it.

        Raises `SandboxUnavailableError`.
        """

    def run(self, spec: SandboxSpec) -> SandboxResult:
        """Run to the end, within the limits. Raises `SandboxUnavailableError`."""

    def start(self, spec: SandboxSpec) -> AbstractContextManager[SandboxProcess]:
        """Start, and kill the whole tree on exit. `limits.wall_s` holds from the start."""


# --- fixing ---


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


class PatchProposer(Protocol):
    """Writes patches. Its word decides nothing; verify does."""

    name: str

    def propose(self, task: FixTask) -> Proposed | Declined:
        """Return a patch within the task's budget. Raises `TransientError`."""


class Progress(Protocol):
    """Told how far long work is, for people who wait."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """`done` of `total` steps; `what` in plain words."""
