"""What the deciding code needs of the world. Adapters are bound in `streams/wiring.py` only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from schemas.event import BlobRef
from schemas.fixes import Proposal
from schemas.places import Location, OwnedPlace
from schemas.projects import Project
from schemas.raw import Origin
from schemas.values import (
    BudgetExceededError,
    Declined,
    Done,
    Effect,
    EffectOutcome,
    ErasedError,
    FixTask,
    ModelCall,
    Offer,
    Proposed,
    Release,
    SandboxLimits,
    SandboxResult,
    SandboxSpec,
    SandboxUnavailableError,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from processors.locating.call_graph import CallGraph
    from processors.locating.code_index import CodeIndex
    from processors.locating.failing import NotRun, Spectrum
    from processors.locating.history import History
    from processors.locating.line_history import Span, Touch
    from schemas.reports import BugReport

__all__ = [
    "Attachments",
    "Blobs",
    "BudgetExceededError",
    "Checkouts",
    "Clock",
    "Declined",
    "Done",
    "Effect",
    "EffectOutcome",
    "Embedder",
    "ErasedError",
    "FixTask",
    "Forge",
    "Ledger",
    "LineHistory",
    "Messenger",
    "ModelCall",
    "Offer",
    "Ownership",
    "PatchProposer",
    "Progress",
    "Proposed",
    "Release",
    "Sandbox",
    "SandboxLimits",
    "SandboxProcess",
    "SandboxResult",
    "SandboxSpec",
    "SandboxUnavailableError",
    "Spectra",
    "SymbolIndex",
    "Tracker",
    "VectorIndex",
    "VectorIndexes",
]


class Blobs(Protocol):
    """Content-addressed bytes, encrypted with a key per subject."""

    def put(self, content: bytes, *, media_type: str, subject: str) -> BlobRef:
        """Store `content` durably for `subject`; the same two always give the same ref."""

    def get(self, ref: BlobRef) -> bytes:
        """Return the content.

        Raises `ErasedError` once its key is destroyed, `PoisonError` if
        the bytes are missing or do not match their hash.
        """


class Clock(Protocol):
    """The time, passed in."""

    def now(self) -> datetime:
        """Return the aware UTC time."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""


# --- effects ---


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


class Checkouts(Protocol):
    """Read access to the projects' repositories: one bare mirror each, work copies by archive."""

    def base_commit(self, project: Project) -> str:
        """Fetch, and return the commit at the tip of the project's branch."""

    def work_copy(self, project: Project, commit: str) -> AbstractContextManager[Path]:
        """Yield a private folder with the tree of `commit`, without `.git`."""

    def files(self, project: Project, commit: str) -> Mapping[str, bytes]:
        """Return path -> content of the text files of `commit` (size-capped), for ranking."""


class SymbolIndex(Protocol):
    """Knows the code of a project's commits: its functions and classes, and the words in them."""

    def at(self, project: Project, commit: str) -> tuple[CodeIndex, History]:
        """Return the code of `commit`, and the commits that led to it.

        Raises `PoisonError` when there is no such commit, and `TransientError`.
        """

    def calls(self, project: Project, commit: str) -> CallGraph:
        """Return who calls whom in the code and the tests of `commit`. Raises like `at`."""


class Ownership(Protocol):
    """Knows who wrote lines of a project's code, and whether a person or a program did."""

    def of(self, project: Project, commit: str, places: Sequence[Location]) -> Sequence[OwnedPlace]:
        """Return whose the first places are, in their order. Never raises: unknown is said."""


class LineHistory(Protocol):
    """Knows which commits changed which lines of a project's code."""

    def touched(
        self, project: Project, commit: str, spans: Sequence[Span]
    ) -> Mapping[Span, Sequence[Touch]]:
        """Return the last commits that changed the lines of `spans`. Never raises."""


class Spectra(Protocol):
    """Runs the tests that show a report's bug: for reports of people who are trusted alone."""

    def of(
        self, project: Project, commit: str, report: BugReport, locations: Sequence[Location]
    ) -> Spectrum | NotRun:
        """Return which lines those tests ran, and others; or why nothing is known. Never raises."""


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
        offer: Offer | None = None,
    ) -> Release:
        """Commit and push, with the Agent Trace note. Doing it again changes nothing.

        Where people can be offered the branch, such as by a pull request, they read `offer`.
        """


class Attachments(Protocol):
    """Fetches files that reports name, from where the settings allow."""

    def allows(self, url: str) -> bool:
        """Return whether the settings allow to fetch it at all."""

    def fetch(self, url: str) -> tuple[bytes, str]:
        """Return the content and no reason, or nothing and the reason. Never raises."""


class Messenger(Protocol):
    """Answers a report where it came from."""

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the receipt of an earlier message with this idempotency key."""

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Post `text` once and return the receipt. Raises `TransientError`."""


class Tracker(Protocol):
    """Shows on an item of the outside world itself how its bug stands: by a label, a status."""

    def mark(self, origin: Origin, outcome: str) -> str | None:
        """Show `outcome`, such as `fixed`, on the item, and return what is shown there now.

        Doing it again changes nothing. None: nothing is shown for this outcome. Raises
        `TransientError`, and `PoisonError` where the item can never be marked.
        """


# --- matching ---


class Embedder(Protocol):
    """Turns texts into vectors: the more alike two texts, the nearer to one their product."""

    @property
    def model_id(self) -> str:
        """Return which model it is: vectors of two models cannot be compared."""

    @property
    def dim(self) -> int:
        """Return how many numbers a vector has."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a row of length one for each text: bit for bit the same, whatever is beside it."""


class VectorIndex(Protocol):
    """Vectors of length one under numbers, and which of them are nearest."""

    @property
    def clusters(self) -> bytes | None:
        """Return what it has learnt of its vectors; None while it looks at all of them."""

    def add(self, key: int, vector: NDArray[np.float32]) -> None:
        """Take a vector; one that is known under `key` is replaced."""

    def remove(self, key: int) -> None:
        """Forget a vector; one that is not known is none."""

    def nearest(self, vector: NDArray[np.float32], count: int) -> Sequence[int]:
        """Return the keys of the nearest, nearest first; of equals the smaller key."""


class VectorIndexes(Protocol):
    """Makes indexes and keeps snapshots of them. What they hold is known elsewhere."""

    def learns(self, count: int) -> bool:
        """Return whether an index of so many vectors looks by clusters, which it learns then."""

    def open(
        self, name: str, dim: int, *, clusters: bytes | None, vectors: Mapping[int, bytes]
    ) -> VectorIndex:
        """Return an index of just `vectors` (halves), by `clusters` if some were learnt."""

    def keep(self, name: str, index: VectorIndex) -> None:
        """Keep a snapshot, so that the index is opened sooner. Never raises."""


# --- sandbox ---


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


class PatchProposer(Protocol):
    """Writes patches. Its word decides nothing; verify does."""

    @property
    def name(self) -> str:
        """Return what it is called in events."""

    def propose(self, task: FixTask) -> Proposed | Declined:
        """Return a patch within the task's budget. Raises `TransientError`."""


class Progress(Protocol):
    """Told how far long work is, for people who wait."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """`done` of `total` steps; `what` in plain words."""
