"""Fetches Apache Kafka's jars into the user's cache, checked against the sums in the lock file."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from schemas.errors import UserError
from streams.environment import cache_dir

TRIES_MAX = 3
_PAUSE_S = 1.0
_AT_ONCE = 4
_REQUEST_S_MAX = 30


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock file."""

    group: str
    artifact: str
    version: str
    sha256: str
    size_bytes: int

    @property
    def file_name(self) -> str:
        """Return its name in the cache; the sum in it keeps two versions of a lock apart."""
        return f"{self.artifact}-{self.version}-{self.sha256[:12]}.jar"


def locked_jars(lock: Path | None = None) -> tuple[Jar, ...]:
    """Return what the lock file lists."""
    jars = []
    for line in (lock or _lock_file()).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            coordinate, sha256, size_bytes = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, sha256, int(size_bytes)))
    return tuple(jars)


def jars_dir() -> Path:
    """Return the folder the jars are kept in. It may not exist yet."""
    return cache_dir() / "kafka-jars"


def missing_jars(folder: Path | None = None, lock: Path | None = None) -> tuple[Jar, ...]:
    """Return the jars that are absent from `folder` or whose bytes are not those of the lock."""
    folder = folder or jars_dir()
    return tuple(jar for jar in locked_jars(lock) if not _is_right(folder / jar.file_name, jar))


def ensure_jars(
    folder: Path | None = None, *, lock: Path | None = None, console: Console | None = None
) -> tuple[Path, ...]:
    """Return the class path: every jar of the lock, its sum checked, fetched if it was missing.

    Shows a bar on standard error (or `console`) while it downloads. Two processes at once download
    once. Raises `UserError` naming what is missing: the network, space, or a right sum.
    """
    folder = folder or jars_dir()
    jars = locked_jars(lock)
    if missing_jars(folder, lock):
        with _one_at_a_time(folder):
            # Looked at again: another process may have fetched them while this one waited.
            _fetch(missing_jars(folder, lock), folder, console or Console(stderr=True))
    return tuple(folder / jar.file_name for jar in jars)


def _lock_file() -> Path:
    here = Path(__file__).parent
    in_wheel = here / "jars.lock"
    return in_wheel if in_wheel.is_file() else here.parent / "deploy" / "kafka" / "jars.lock"


def _is_right(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"The cache folder {folder} cannot be written: {error.strerror}. Set XDG_CACHE_HOME to "
            "a folder that can."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(jars: tuple[Jar, ...], folder: Path, console: Console) -> None:
    total = sum(jar.size_bytes for jar in jars)
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    if free < total:
        raise UserError(_no_space(folder, total))
    bar = Progress(
        "{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console
    )
    with bar, tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
        task = bar.add_task(f"Apache Kafka ({len(jars)} jars, once)", total=total)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            waiting = [pool.submit(_fetch_one, jar, folder, Path(partial)) for jar in jars]
            try:
                for jar, one in zip(jars, waiting, strict=True):
                    one.result()
                    bar.advance(task, jar.size_bytes)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def _fetch_one(jar: Jar, folder: Path, partial: Path) -> None:
    for attempt in range(1, TRIES_MAX + 1):
        try:
            fetched = _download(jar, partial / f"{jar.artifact}-{attempt}")
        except (RuntimeError, OSError) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise UserError(_no_space(folder, jar.size_bytes)) from error
            if attempt == TRIES_MAX:
                raise UserError(
                    f"Kafka's {jar.artifact} {jar.version} could not be downloaded after "
                    f"{TRIES_MAX} tries: {type(error).__name__}. Check the network and try again; "
                    "or give your own Kafka with --bootstrap."
                ) from error
            time.sleep(_PAUSE_S * attempt)
        else:
            if not _is_right(fetched, jar):
                raise UserError(
                    f"Kafka's {jar.artifact} {jar.version} has not the SHA-256 of the lock file: "
                    "what was downloaded is not what was reviewed, so it is not used. Look for a "
                    "proxy or mirror that changes files."
                )
            # On the same file system, so it appears whole or not at all.
            fetched.replace(folder / jar.file_name)
            return


def _download(jar: Jar, cache: Path) -> Path:
    # Imported here: it takes 0.2 s, and is needed once per machine.
    from jgo.maven import MavenContext

    context: Any = MavenContext(repo_cache=cache, timeout=_REQUEST_S_MAX)
    project = context.project(jar.group, jar.artifact)
    return Path(project.at_version(jar.version).artifact().resolve())


def _no_space(folder: Path, needed_bytes: int) -> str:
    return (
        f"No space for Kafka's jars in {folder}: {needed_bytes / 1e6:.0f} MB are needed. Free "
        "some, or set XDG_CACHE_HOME to a folder with space."
    )
