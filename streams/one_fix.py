"""One bug from report to verified patch in one process: the same wiring on the in-memory log."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from git import InvalidGitRepositoryError, NoSuchPathError, Repo
from git.exc import GitCommandError

from connectors.target_python import target_python
from processors.ports import Blobs, Progress, SandboxUnavailableError
from processors.pytest_runs import wrong_command
from schemas import topics
from schemas.bugs import ApprovalRequested, NotifyRequested
from schemas.codec import decode
from schemas.errors import FatalError, UserError
from schemas.event import Event
from schemas.projects import Project
from schemas.received import ReceivedReport
from streams.config import Settings
from streams.log import Log, Record, partitions_of
from streams.memory_log import MemoryLog
from streams.receiving import accept_report
from streams.relay import Relay
from streams.story import Fact, Story
from streams.wiring import Parts, Stepper, stepper

PROJECT = "local"
SENDER = "os:user"
STAGES = ("normalize", "dedupe", "lifecycle", "locate", "fix", "verify", "release")
"""All but notify: whoever ran the command reads the answer."""
IDLE_ROUNDS = 3
WAIT_S = 0.02
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be fixed, and with what."""

    repo: Path
    branch: str
    python: Path
    test_command: tuple[str, ...]
    pushes: bool
    """Whether a verified patch becomes a branch of the repository."""


def target_of(
    repo: Path, *, branch: str | None, python: Path, test_command: str, pushes: bool
) -> Target:
    """Return the target. Raises `UserError` naming the option that is wrong."""
    _check_python(python)
    command = _command(test_command)
    try:
        with Repo(repo, search_parent_directories=True) as opened:
            if not opened.references:
                raise UserError(f"--repo {repo}: the repository has no commit yet")
            names = [head.name for head in opened.heads]
            found = branch or (None if opened.head.is_detached else opened.active_branch.name)
            root = Path(opened.working_tree_dir or opened.git_dir).absolute()
    except (InvalidGitRepositoryError, NoSuchPathError, GitCommandError) as error:
        raise UserError(f"--repo {repo}: not a git repository") from error
    if found is None:
        raise UserError("the repository has no branch checked out; name one with --branch")
    if found not in names:
        raise UserError(f"--branch {found}: there is none; there are: {', '.join(names)}")
    return Target(
        repo=root,
        branch=found,
        python=python.absolute(),
        test_command=command,
        pushes=pushes,
    )


def _check_python(python: Path) -> None:
    if not python.is_file():
        raise UserError(f"--python {python}: there is no such interpreter")
    try:
        target_python(python)
    except SandboxUnavailableError as error:
        raise UserError(f"--{error}") from error


def _command(text: str) -> tuple[str, ...]:
    try:
        command = tuple(shlex.split(text))
    except ValueError as error:
        raise UserError(f"--test-command {text!r}: {error}") from error
    if wrong_command(command):
        raise UserError(f"--test-command {text!r}: it must run pytest, as '-m pytest -q' does")
    return command


def settings_for(target: Target, base: Settings, data_dir: Path) -> Settings:
    """Return settings with the target as the only project, and a data folder of their own."""
    project = Project(
        id=PROJECT,
        sources=("http:*",),
        git_url=target.repo.as_uri(),
        branch=target.branch,
        python=target.python,
        test_command=target.test_command,
        members=(f"http:{PROJECT}",),
        release_approvals=0 if target.pushes else 1,
    )
    return base.model_copy(
        update={"data_dir": data_dir, "project": (project,), "kafka": None, "database_url": None}
    )


@contextmanager
def fixed(
    settings: Settings, report: ReceivedReport, progress: Progress
) -> Iterator[tuple[Story, Blobs]]:
    """Take `report` through every stage, and yield the bug's story while its blobs are open."""
    # In the run's own folder: an interrupted run leaves no copies of the tree behind.
    work_root = settings.data_path / "work"
    work_root.mkdir(parents=True)
    with MemoryLog() as log, Parts(settings, log, progress=progress, work_root=work_root) as parts:
        log.ensure_topics(topics.ALL)
        mine = report.model_copy(update={"tool": PROJECT, "reporter": PROJECT})
        accept_report(
            parts.inbox,
            parts.blobs,
            mine,
            body=mine.model_dump_json(exclude_defaults=True).encode(),
            route="http/receive",
            sender=SENDER,
        )
        relay = Relay(parts.inbox, log, app=settings.app)
        try:
            relay.step()
        finally:
            relay.close()
        with ExitStack() as running:
            steppers = [stepper(name, parts) for name in STAGES]
            for each in steppers:
                running.callback(each.close)
            run_until_idle(steppers)
        story = Story.of(_told(facts_of(log)), parts.blobs)
        if story is None:
            raise FatalError("the report did not become a bug; its dead letters say why")
        yield story, parts.blobs


def run_until_idle(steppers: list[Stepper]) -> None:
    """Step until nothing is left to do. Each task limits its own time."""
    quiet = 0
    while quiet < IDLE_ROUNDS:
        handled = sum(each.step(0.0) for each in steppers)
        busy = [each for each in steppers if not each.idle]
        if busy and not handled:
            handled = busy[0].step(WAIT_S)
        quiet = 0 if handled or busy else quiet + 1


def facts_of(log: Log) -> list[Fact]:
    """Return what the log holds about bugs, in order."""
    places = partitions_of(topics.BUGS_EVENTS)
    return [_fact(record) for record in log.read(log.begin_offsets(places))]


def _told(facts: list[Fact]) -> list[Fact]:
    # Without --push the release waits for an approval that nobody is asked for, and no answer
    # goes anywhere: whoever ran the command reads it.
    return [fact for fact in facts if not _is_for_others(fact.event)]


def _is_for_others(event: Event) -> bool:
    is_release = isinstance(event, ApprovalRequested) and event.subject == "release"
    return is_release or isinstance(event, NotifyRequested)


def _fact(record: Record) -> Fact:
    return Fact(decode(record.value), _EPOCH + timedelta(milliseconds=record.timestamp_ms))
