"""The one place where ports meet adapters, and stages meet the runners that run them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Event as StopEvent
from typing import TYPE_CHECKING, Protocol, Self

from connectors.blobs import FolderBlobs
from connectors.checkouts import GitCheckouts
from connectors.database import open_engine
from connectors.inbox import Inbox
from processors.base import Processor, Stage, Task
from processors.ports import (
    Ledger,
    PatchProposer,
    Progress,
    Sandbox,
    SandboxProcess,
    SymbolIndex,
)
from schemas.errors import UserError
from schemas.event import Event
from schemas.topics import SOURCES, STAGES
from schemas.values import SandboxResult, SandboxSpec, SandboxUnavailableError
from streams.clock import SystemClock
from streams.config import ACCOUNTS, Settings
from streams.environment import git_env
from streams.log import Log
from streams.long_tasks import LongTaskRunner
from streams.metrics import EFFECTS
from streams.runner import Runner

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from processors.attached import Attach
    from processors.similarity.features import Spaces

RELAY, PROJECTOR, GATEWAY, POLLERS = "relay", "projector", "gateway", "pollers"
WORKERS = (GATEWAY, POLLERS, RELAY, *STAGES, PROJECTOR)
"""Everything that `bugstream run` can run."""
NO_EMBEDDER = "none"
GROUPS: dict[str, tuple[str, ...]] = {
    "gateway": (GATEWAY,),
    "pollers": (POLLERS,),
    "short": (RELAY, "normalize", "dedupe", "lifecycle"),
    "locate": ("locate",),
    "fix": ("fix",),
    "verify": ("verify",),
    "release": ("release",),
    "notify": ("notify",),
    "projector": (PROJECTOR,),
}
"""What `bugstream up` runs in one process each: the short stages share one."""
SECRETS_OF: dict[str, tuple[str, ...]] = {
    "gateway": ("github_webhook_secrets", "webhook_secrets", "api_tokens"),
    "pollers": ACCOUNTS,
    "locate": ("github",),
    "fix": ("anthropic_api_key",),
    "release": ("github",),
    "notify": ACCOUNTS,
}
GIT_GROUPS = ("locate", "fix", "verify", "release")
"""Processes that talk to git remotes and may sign in there."""


class Worker(Protocol):
    """Something that works until it is told to stop."""

    def run(self, stop: StopEvent) -> None:
        """Work until `stop` is set, then finish what has begun and return."""


class Stepper(Worker, Protocol):
    """A worker that can also be driven step by step, for one process and one bug."""

    @property
    def idle(self) -> bool:
        """Return whether nothing that was read is still open."""

    def step(self, timeout_s: float = 0.0) -> int:
        """Do what there is to do now; return how many records were handled."""

    def close(self) -> None:
        """Give up the place in the group."""


@dataclass(frozen=True, slots=True)
class _NoSandbox:
    """Stands where no sandbox can be set up: bugs are answered with the reason, none runs."""

    reason: str

    def check(self) -> str:
        raise SandboxUnavailableError(self.reason)

    def run(self, spec: SandboxSpec) -> SandboxResult:
        del spec
        raise SandboxUnavailableError(self.reason)

    def start(self, spec: SandboxSpec) -> AbstractContextManager[SandboxProcess]:
        del spec
        raise SandboxUnavailableError(self.reason)


class Parts:
    """The adapters that settings lead to, opened when first used and closed together."""

    def __init__(
        self,
        settings: Settings,
        log: Log,
        *,
        progress: Progress | None = None,
        work_root: Path | None = None,
    ) -> None:
        """Lead to what `settings` name. `work_root` is for work copies, else the temp folder."""
        self.settings = settings
        self.log = log
        self._progress = progress
        self._work_root = work_root
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def blobs(self) -> FolderBlobs:
        """Return the blob store."""
        return FolderBlobs(self.settings.data_path / "blobs")

    @cached_property
    def inbox(self) -> Inbox:
        """Return the inbox."""
        return Inbox(self._engine("inbox"))

    @cached_property
    def views(self) -> Engine:
        """Return the database of the views."""
        return self._engine("views")

    @cached_property
    def ledger(self) -> Ledger:
        """Return the effect ledger."""
        from connectors.ledger import SqlLedger

        def count(kind: str, reused: bool) -> None:  # noqa: FBT001  # the ledger's own shape
            EFFECTS.labels(kind, str(reused).lower()).inc()

        return SqlLedger(self._engine("ledger"), on_effect=count)

    @cached_property
    def checkouts(self) -> GitCheckouts:
        """Return the projects' repositories."""
        return GitCheckouts(
            self.settings.data_path / "mirrors", environment=git_env(), work_root=self._work_root
        )

    @cached_property
    def symbols(self) -> SymbolIndex:
        """Return what is known of the code of the projects' commits."""
        from streams.symbol_index import GitSymbolIndex, store_at

        store = store_at(self.settings.data_path / "symbols.sqlite")
        return GitSymbolIndex(self.checkouts, store)

    @cached_property
    def sandbox(self) -> Sandbox:
        """Return the sandbox; where none can be set up, one that refuses with the reason."""
        from connectors.sandbox import find_sandbox

        try:
            return find_sandbox()
        except SandboxUnavailableError as error:
            return _NoSandbox(str(error))

    def proposers(self) -> tuple[PatchProposer, ...]:
        """Return who writes patches, cheapest first."""
        from processors.repair.engine import TemplateProposer

        template: PatchProposer = TemplateProposer(
            self.sandbox,
            wall_s_max=self.settings.template_wall_s_max,
            candidates_max=self.settings.template_candidates_max,
            progress=self._progress,
        )
        key = self.settings.anthropic_api_key
        if key is None:
            return (template,)
        return (template, self._anthropic(key.get_secret_value()))

    def _anthropic(self, api_key: str) -> PatchProposer:
        from connectors.anthropic_agent import AgentPlan, AnthropicProposer

        settings = self.settings
        agent = AnthropicProposer(
            api_key,
            plan=AgentPlan(
                model=settings.anthropic_model,
                model_escalated=settings.anthropic_model_escalated,
                steps_max=settings.model_steps_max,
                wall_s_max=settings.model_wall_s_max,
            ),
            ledger=self.ledger,
            blobs=self.blobs,
            sandbox=self.sandbox,
            clock=SystemClock(),
        )
        self._open.callback(agent.close)
        return agent

    def _engine(self, store: str) -> Engine:
        engine = open_engine(self.settings.store_url(store))  # type: ignore[arg-type]  # our names
        self._open.callback(engine.dispose)
        return engine


def _normalize(parts: Parts) -> Stage:
    from processors import normalize
    from streams.channels import PARSERS
    from streams.issue_templates import IssueTemplates

    projects = parts.settings.project
    templates = IssueTemplates(projects, parts.checkouts.at_hand)
    return normalize.make(parts.blobs, projects, PARSERS, templates=templates)


def spaces_of(settings: Settings) -> Spaces:
    """Return what compares texts, as the settings say. Models are loaded when first asked."""
    from connectors.embeddings import MultilingualEmbedder, embedder
    from processors.similarity.features import NO_MODEL, Spaces

    if settings.embedder == NO_EMBEDDER:
        return NO_MODEL
    return Spaces(embedder(settings.embedder), MultilingualEmbedder())


def _dedupe(parts: Parts) -> Stage:
    from connectors.vector_index import VectorIndexes
    from processors import dedupe

    spaces = spaces_of(parts.settings)
    indexes = VectorIndexes(parts.settings.data_path / "indexes", spaces.model_id)
    return dedupe.make(spaces, indexes)


def _lifecycle(parts: Parts) -> Stage:
    from processors import lifecycle

    return lifecycle.make(parts.settings.project, parts.settings.tell)


def _attach(parts: Parts) -> Attach:
    from processors.attached import FetchedOnce, nothing

    policy = parts.settings.attachments
    if not policy.allow:
        return nothing
    from connectors.attachments import WebAttachments

    return FetchedOnce(WebAttachments(policy), parts.ledger, parts.blobs)


def _locate(parts: Parts) -> Stage:
    from streams import locating

    return locating.stage(parts, _attach(parts))


def _fix(parts: Parts) -> Stage:
    from processors import fix

    return fix.make(
        parts.checkouts,
        parts.sandbox,
        parts.blobs,
        parts.proposers(),
        parts.settings.project_of,
        _attach(parts),
    )


def _verify(parts: Parts) -> Stage:
    from processors import verify

    return verify.make(parts.checkouts, parts.sandbox, parts.blobs, parts.settings.project_of)


def _release(parts: Parts) -> Stage:
    from connectors.forge import GitForge
    from processors import release
    from streams.accounts import github

    forge = github.forge(parts.settings, GitForge(parts.checkouts))
    return release.make(parts.blobs, parts.ledger, forge, parts.settings.project_of)


def _notify(parts: Parts) -> Stage:
    from processors import notify
    from streams.telling import outlets

    return notify.make(parts.blobs, parts.ledger, outlets(parts.settings))


_STAGES: dict[str, Callable[[Parts], Stage]] = {
    "normalize": _normalize,
    "dedupe": _dedupe,
    "lifecycle": _lifecycle,
    "locate": _locate,
    "fix": _fix,
    "verify": _verify,
    "release": _release,
    "notify": _notify,
}


def stage(name: str, parts: Parts) -> Stage:
    """Return the stage called `name`, bound to its adapters."""
    return _STAGES[name](parts)


def outline() -> tuple[Stage, ...]:
    """Return the stages unbound, for those who only look at what they read."""

    def nothing(event: Event) -> tuple[Event, ...]:
        del event
        return ()

    return tuple(
        Processor(name, SOURCES[name], nothing)
        if name in GROUPS["short"]
        else Task(name, SOURCES[name], (), nothing)
        for name in STAGES
    )


def stepper(name: str, parts: Parts, *, slot: int = 0) -> Stepper:
    """Return the runner of the stage called `name`."""
    made = stage(name, parts)
    app = parts.settings.app
    if isinstance(made, Task):
        return LongTaskRunner(made, parts.log, app=app, slot=slot)
    return Runner(made, parts.log, app=app, slot=slot)


@dataclass(frozen=True, slots=True)
class _Draining:
    """Long tasks that get `s_max` to end after they were told to stop."""

    tasks: LongTaskRunner
    s_max: float

    def run(self, stop: StopEvent) -> None:
        self.tasks.run(stop, drain_s_max=self.s_max)


def _polling(parts: Parts) -> Worker:
    from connectors.poll_cursors import PollCursors
    from streams.channels import pollers
    from streams.polling import Polling

    asked = pollers(parts.settings)
    if not asked:
        raise UserError("pollers: the settings name no account that could be asked")
    return Polling(asked, parts.inbox, parts.blobs, PollCursors(parts.inbox.engine))


def worker(name: str, parts: Parts, *, slot: int = 0) -> Worker:
    """Return what `bugstream run NAME` runs. Raises `UserError` for a name there is not."""
    if name == RELAY:
        from streams.relay import Relay

        return Relay(parts.inbox, parts.log, app=parts.settings.app)
    if name == PROJECTOR:
        from streams.projector import Projector

        return Projector(parts.log, parts.views)
    if name == GATEWAY:
        from streams.serving import Gateway

        return Gateway(parts, outline())
    if name == POLLERS:
        return _polling(parts)
    if name not in STAGES:
        raise UserError(f"there is no {name!r} to run; there are: {', '.join(WORKERS)}")
    made = stepper(name, parts, slot=slot)
    if isinstance(made, LongTaskRunner):
        return _Draining(made, parts.settings.drain_s_max)
    return made
