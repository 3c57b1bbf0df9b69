"""Real git repositories for tests, made from a few files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from schemas.projects import Project

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def git(folder: Path, *arguments: str, stdin: str = "") -> str:
    """Run git as a person would, but with no configuration of this machine."""
    env = {
        **ENVIRONMENT,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "Ann" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "ann@example.org" for who in ("AUTHOR", "COMMITTER")},
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def make_remote(folder: Path, files: Mapping[str, str | bytes | Path]) -> tuple[Path, str]:
    """Make a bare repository whose `main` holds `files` (a `Path` is a link to it).

    Return it and the commit.
    """
    work = folder / "work"
    work.mkdir(parents=True)
    git(work, "init", "--quiet", "--initial-branch=main")
    commit = commit_files(work, files)
    bare = folder / "remote.git"
    git(folder, "clone", "--quiet", "--bare", str(work), str(bare))
    git(work, "remote", "add", "origin", str(bare))
    return bare, commit


def commit_files(work: Path, files: Mapping[str, str | bytes | Path]) -> str:
    """Add `files` to a work tree, commit, and return the commit."""
    for name, content in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            path.symlink_to(content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message=change", "--no-verify")
    return git(work, "rev-parse", "HEAD")


def project(remote: Path | str, **changes: str) -> Project:
    """Return a project whose repository is `remote`."""
    return Project.model_validate({"id": "shop", "git_url": str(remote), **changes})
