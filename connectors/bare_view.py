"""Read somebody's repository where it lies, without its settings: those may name programs to run.

What a stranger packs as an archive may hold a `.git` of theirs: a text converter that `git blame`
starts, a checker of signatures that `git show` starts. Of such a repository we take the objects,
one commit, and the notes on who wrote what. All else stays where it is.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from connectors.agent_trace import NOTES_REF
from connectors.git_command import Git, GitError

ASKED_S_MAX = 30.0
"""For one question to git in the repository itself, which may hold what blocks a reader."""
SHALLOW_BYTES_MAX = 8 * 1024 * 1024
NO_FETCH = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
"""For git in somebody's repository: nothing is fetched, least of all by a program of its choice."""


def repository_at(folder: Path, environment: Mapping[str, str]) -> Git | None:
    """Return git on the repository that `folder` is in, for `view`; None where it is in none.

    Bare repositories, work trees and submodules are found alike.
    """
    folder = folder.absolute()
    for each in (folder, *folder.parents):
        for git_dir in (each / ".git", each):
            if git_dir.name != ".git" and not (git_dir / "HEAD").is_file():
                continue
            git = Git(git_dir, environment, command_s_max=ASKED_S_MAX)
            with suppress(GitError):
                return Git(_path(git, "--absolute-git-dir"), environment)
    return None


def commit_in(git: Git, name: str) -> str:
    """Return the commit that a person calls `name`. Raises `GitError`, and `TransientError`."""
    hurried = _hurried(git)
    wanted = ("--verify", "--end-of-options", f"{name}^{{commit}}")
    return hurried.line("rev-parse", *wanted, env=NO_FETCH)


@contextmanager
def view(git: Git, commit: str) -> Iterator[Git]:
    """Yield git on the objects of a repository, with settings of our own and `commit` as HEAD.

    Raises `GitError`, and `TransientError`.
    """
    objects = _path(git, "--git-path", "objects")
    kind = _hurried(git).line("rev-parse", "--show-object-format", env=NO_FETCH)
    shallow = _small_file(_path(git, "--git-path", "shallow"))
    with tempfile.TemporaryDirectory(prefix="bugstream-view-") as folder:
        seen = Path(folder)
        files = {
            "HEAD": f"{commit}\n".encode(),
            "config": _config(kind).encode(),
            NOTES_REF: _notes(git),
            "shallow": shallow,
        }
        (seen / "refs").mkdir()
        (seen / "objects").symlink_to(objects, target_is_directory=True)
        for name, content in files.items():
            if content:
                (seen / name).parent.mkdir(parents=True, exist_ok=True)
                (seen / name).write_bytes(content)
        yield Git(seen, git.environment)


def _hurried(git: Git) -> Git:
    return Git(git.git_dir, git.environment, command_s_max=ASKED_S_MAX)


def _path(git: Git, *asked: str) -> Path:
    printed = _hurried(git)("rev-parse", *asked, env=NO_FETCH)
    return Path("/", os.fsdecode(printed.removesuffix(b"\n")))


def _config(kind: str) -> str:
    named = f"[extensions]\n\tobjectFormat = {kind}\n" if kind != "sha1" else ""
    return f"[core]\n\trepositoryFormatVersion = {int(bool(named))}\n\tbare = true\n{named}"


def _notes(git: Git) -> bytes:
    with suppress(GitError):
        return _hurried(git)("rev-parse", "--verify", "--quiet", NOTES_REF, env=NO_FETCH)
    return b""


def _small_file(path: Path) -> bytes:
    """Return the content of a file; nothing of what is none, or is too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        content = file.read(SHALLOW_BYTES_MAX + 1)
    return content if len(content) <= SHALLOW_BYTES_MAX else b""
