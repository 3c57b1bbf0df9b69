"""One bug from report to verified patch in one process: the same wiring on the in-memory log."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from git import InvalidGitRepositoryError, NoSuchPathError, Repo
from git.exc import BadName, GitCommandError

from connectors.bare_view import NO_FETCH
from connectors.checkouts import FETCH
from connectors.git_command import Git, GitError
from connectors.target_python import target_python
from processors.ports import Blobs, Progress, Sandbox, SandboxUnavailableError
from processors.pytest_runs import wrong_command
from processors.quoting import one_line
from schemas import topics
from schemas.bugs import ApprovalRequested, NotifyRequested
from schemas.codec import decode
from schemas.errors import FatalError, UserError
from schemas.event import Event
from schemas.projects import Project
from schemas.received import ReceivedReport
from schemas.values import SandboxSpec
from streams.config import Settings
from streams.dead_letters import DeadLetters
from streams.environment import git_env
from streams.failures import ERROR_TEXT
from streams.log import Log, Record, partitions_of
from streams.memory_log import MemoryLog
from streams.receiving import accept_report
from streams.relay import Relay
from streams.story import Fact, Story
from streams.wiring import NO_EMBEDDER, Parts, Stepper, stepper

PROJECT = "local"
DETACHED = "HEAD"
"""No branch: what is checked out is a commit."""
SENDER = "os:user"
STAGES = ("normalize", "dedupe", "lifecycle", "locate", "fix", "verify", "release")
"""All but notify: whoever ran the command reads the answer."""
BASE = "checked-out"
"""Name of that branch in the copy that is made then."""
SAID_CHARS_MAX = 500
_PROBE = "import importlib.util as util; print('found' if util.find_spec('pytest') else 'absent')"
IDLE_ROUNDS = 3
WAIT_S = 0.02
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be fixed, and with what."""

    repo: Path
    branch: str
    """`DETACHED` where none is checked out, as in most CI jobs."""
    commit: str
    """Where the branch stood when the command was typed."""
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
            # What a partial copy lacks would be fetched by a program that its settings name.
            opened.git.update_environment(**NO_FETCH)
            if not opened.heads and not opened.head.is_valid():
                raise UserError(f"--repo {repo}: the repository has no commit yet")
            names = [head.name for head in opened.heads]
            if branch is None and opened.head.is_detached:
                branch = DETACHED
            found = branch or opened.active_branch.name
            if found not in (*names, DETACHED):
                there = ", ".join(names) or "none"
                raise UserError(f"--branch {found}: there is none; there are: {there}")
            commit = opened.commit("HEAD" if found == DETACHED else f"refs/heads/{found}").hexsha
            root = Path(opened.working_tree_dir or opened.git_dir).absolute()
    except (InvalidGitRepositoryError, NoSuchPathError, GitCommandError) as error:
        raise UserError(f"--repo {repo}: not a git repository") from error
    except (BadName, ValueError) as error:
        raise UserError(
            f"--repo {repo}: its newest commit cannot be read: it is damaged (see `git fsck`), or"
            " named by SHA-256, which is not supported"
        ) from error
    if found == DETACHED and pushes:
        raise UserError("--push: the repository has no branch checked out; name one with --branch")
    return Target(
        repo=root,
        branch=found,
        commit=commit,
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
    is_detached = target.branch == DETACHED
    project = Project(
        id=PROJECT,
        sources=("http:*",),
        git_url=(_with_branch(target, data_dir) if is_detached else target.repo).as_uri(),
        branch=BASE if is_detached else target.branch,
        python=target.python,
        test_command=target.test_command,
        members=(f"http:{PROJECT}",),
        release_approvals=0 if target.pushes else 1,
    )
    return base.model_copy(
        update={"data_dir": data_dir, "project": (project,), "kafka": None, "database_url": None}
    )


def _with_branch(target: Target, data_dir: Path) -> Path:
    """Return a copy of our own, in which the commit that is checked out has a branch."""
    git = Git(data_dir / "detached.git", git_env())
    try:
        git("init", "--quiet", "--bare", "--template=", str(git.git_dir))
        git(*FETCH, "--", target.repo.as_uri(), f"+HEAD:refs/heads/{BASE}")
    except GitError as error:
        raise error.explained("reading --repo") from error
    return git.git_dir


def _check_tools(sandbox: Sandbox, python: Path, work_root: Path) -> None:
    """Raise `UserError` where no test could run: that is an error, and no answer about the bug."""
    with tempfile.TemporaryDirectory(dir=work_root) as folder:
        spec = SandboxSpec((str(python), "-c", _PROBE), Path(folder), python=python)
        try:
            result = sandbox.run(spec)
        except SandboxUnavailableError as error:
            raise UserError(str(error)) from error
    if result.stdout.strip() == b"absent":
        raise UserError(
            f"--python {python}: it has no pytest: install it there, or name the interpreter that"
            " has it and the project's packages"
        )
    if result.stdout.strip() != b"found":
        said = one_line(result.stderr.decode(errors="replace"), chars_max=SAID_CHARS_MAX)
        raise UserError(f"--python {python}: it does not run as a Python does: {said or 'silent'}")


@contextmanager
def fixed(
    settings: Settings, report: ReceivedReport, progress: Progress
) -> Iterator[tuple[Story, Blobs]]:
    """Take `report` through every stage, and yield the bug's story while its blobs are open."""
    # In the run's own folder: an interrupted run leaves no copies of the tree behind.
    work_root = settings.data_path / "work"
    work_root.mkdir(parents=True)
    # One report is like no other: no model has to be loaded for that.
    settings = settings.model_copy(update={"embedder": NO_EMBEDDER})
    with MemoryLog() as log, Parts(settings, log, progress=progress, work_root=work_root) as parts:
        python = settings.project[0].python
        _check_tools(parts.sandbox, python or Path(sys.executable), work_root)
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
        if story is None or not story.verified:
            _refuse_failure(log, settings.app)
        if story is None:
            raise FatalError("the report did not become a bug")
        yield story, parts.blobs


def _refuse_failure(log: Log, app: str) -> None:
    """Raise `FatalError` when a stage gave up: that too is an error, and no answer."""
    for letter in DeadLetters(log, app=app).list():
        text = one_line(letter.header(ERROR_TEXT), chars_max=SAID_CHARS_MAX)
        raise FatalError(f"the stage {letter.stage} failed: {text}")


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
