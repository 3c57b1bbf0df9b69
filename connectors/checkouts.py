"""The projects' repositories: one bare mirror each, and private copies of their trees.

Git never runs inside a tree that strangers' code has touched: copies hold no `.git`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from connectors.git_command import Git, GitError, checked_url
from schemas.errors import PoisonError, TransientError
from schemas.projects import Project

LOCK_WAIT_S_MAX = 120.0
FILE_BYTES_MAX = 1_000_000
"""Of one file that `files` returns."""
FILES_BYTES_MAX = 64_000_000
"""Of all files that `files` returns."""
FILES_MAX = 100_000
"""Of them: what is kept of a file is larger than a small file."""
AT_HAND_FILES_MAX = 200
AT_HAND_S_MAX = 10.0
"""Whoever asks for what is at hand has something else to do."""
TREE_BYTES_MAX = 2_000_000_000
TREE_FILES_MAX = 200_000

# `git archive` obeys the repository's attributes: export-ignore would leave out the very tests we
# need, the others would change bytes. This file of ours overrules them.
_ATTRIBUTES = "* -export-ignore -export-subst -text -eol -ident -filter -working-tree-encoding\n"
# With --update-shallow: what CI jobs check out has one commit and no history.
FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class GitCheckouts:
    """`Checkouts` below one folder, shared by any number of processes."""

    def __init__(
        self,
        root: Path,
        *,
        environment: Mapping[str, str],
        work_root: Path | None = None,
    ) -> None:
        """Keep mirrors in `root`; work copies go to `work_root`, else to the system's place.

        `environment` is all that git sees: PATH, HOME, and perhaps GIT_ASKPASS, SSH_AUTH_SOCK.
        """
        self._root = root
        self._environment = dict(environment)
        self._work_root = work_root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def base_commit(self, project: Project) -> str:
        """Fetch, and return the commit at the tip of the project's branch.

        Raises `TransientError` when the remote cannot be reached, and `PoisonError` when there is
        no such repository or branch.
        """
        with self.locked(project) as git:
            return self.fetch_branch(git, project)

    @contextmanager
    def work_copy(self, project: Project, commit: str) -> Iterator[Path]:
        """Yield a private folder with the tree of `commit`, without `.git`.

        Links that lead out of the tree are left out. The folder is removed at the end.
        """
        git = self.git_with(project, commit)
        folder = Path(tempfile.mkdtemp(prefix="bugstream-tree-", dir=self._work_root))
        try:
            _archive(git, commit, folder)
            yield folder / "tree"
        finally:
            _remove(folder)

    def files(self, project: Project, commit: str) -> Mapping[str, bytes]:
        """Return path -> content of the text files of `commit`, for ranking.

        Left out: links, files above `FILE_BYTES_MAX`, files with a NUL byte, and what goes beyond
        `FILES_BYTES_MAX` in the order of their paths.
        """
        git = self.git_with(project, commit)
        wanted = list(text_blobs(git("ls-tree", "-r", "-l", "-z", "--full-tree", commit)))
        contents = read_blobs(git, [blob for _, blob in wanted])
        return {
            path: content
            for (path, _), content in zip(wanted, contents, strict=True)
            if b"\0" not in content[:8192]
        }

    def at_hand(self, project: Project, places: Sequence[str]) -> Mapping[str, bytes]:
        """Return path -> content of the files in `places` of the branch, as it was last fetched.

        Asks no remote and waits for nobody: where nothing was fetched yet there is nothing. Left
        out is what `files` leaves out, and whatever goes beyond `AT_HAND_FILES_MAX`. Raises
        `PoisonError` for settings that name no repository.
        """
        git = Git(self._mirror(project), self._environment, command_s_max=AT_HAND_S_MAX)
        ref = f"refs/heads/{project.branch}"
        try:
            found = git("ls-tree", "-r", "-l", "-z", "--full-tree", ref, "--", *places)
            wanted = list(text_blobs(found))[:AT_HAND_FILES_MAX]
            contents = read_blobs(git, [blob for _, blob in wanted])
        except GitError:
            return {}
        return {path: content for (path, _), content in zip(wanted, contents, strict=True)}

    # --- for the forge, which shares the mirrors ---

    @contextmanager
    def locked(self, project: Project) -> Iterator[Git]:
        """Yield git on the project's mirror, with the right to write to it."""
        path = self._mirror(project)
        with _lock(path.with_suffix(".lock")) as descriptor:
            git = Git(path, self._environment, inherits=(descriptor,))
            _prepare(git)
            yield git

    def fetch_branch(self, git: Git, project: Project) -> str:
        """Fetch the project's branch into the locked mirror and return its tip."""
        url = checked_url(project.git_url, project.id)
        ref = f"refs/heads/{project.branch}"
        try:
            git("check-ref-format", ref)
        except GitError as error:
            raise PoisonError(f"branch of project {project.id} is not a branch name") from error
        try:
            git(*FETCH, "--", url, f"+{ref}:{ref}")
        except GitError as error:
            if "couldn't find remote ref" in error.stderr.lower():
                raise PoisonError(
                    f"project {project.id}: its repository has no branch {project.branch!r};"
                    " set branch in its [[project]]"
                ) from error
            raise error.explained(f"fetching project {project.id}") from error
        return git.line("rev-parse", "--verify", f"{ref}^{{commit}}")

    def ensure(self, git: Git, project: Project, commit: str) -> None:
        """Fetch into the locked mirror unless it has `commit`. Raises `PoisonError` without it."""
        if not _has(git, commit):
            self.fetch_branch(git, project)
        if not _has(git, commit):
            raise PoisonError(
                f"project {project.id}: commit {commit} is no longer on branch {project.branch!r}"
            )

    def git_with(self, project: Project, commit: str) -> Git:
        """Return git on the project's mirror, to read from it: it holds `commit`.

        Raises `PoisonError` when there is no such commit, and `TransientError`.
        """
        git = Git(self._mirror(project), self._environment)
        if not git.git_dir.is_dir() or not _has(git, commit):
            with self.locked(project) as writing:
                self.ensure(writing, project, commit)
        return git

    def _mirror(self, project: Project) -> Path:
        url = checked_url(project.git_url, project.id)
        # By address, not by project: two projects in one repository share a mirror.
        return self._root / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.git"


def text_blobs(
    entries: bytes, wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, str]]:
    """Yield path and blob of the regular files that git listed.

    Only paths that are `wanted` are counted and yielded: `FILES_MAX`, up to `FILES_BYTES_MAX`.
    """
    total, count = 0, 0
    for entry in entries.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, kind, blob, size = about.split()
        # Of a blob that a partial copy lacks git says "BAD" in place of its size.
        if kind != b"blob" or mode == b"120000" or not size.isdigit():
            continue
        if int(size) > FILE_BYTES_MAX:
            continue
        with suppress(UnicodeDecodeError):
            name = path.decode()
            if not wanted(name):
                continue
            total, count = total + int(size), count + 1
            if total > FILES_BYTES_MAX or count > FILES_MAX:
                return
            yield name, blob.decode()


def _has(git: Git, commit: str) -> bool:
    if not _COMMIT.fullmatch(commit):
        raise PoisonError(f"{commit[:80]!r} is not a commit id")
    try:
        git("cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True


def _prepare(git: Git) -> None:
    attributes = git.git_dir / "info" / "attributes"
    if not attributes.exists():
        git("init", "--quiet", "--bare", "--template=", str(git.git_dir))
        attributes.parent.mkdir(exist_ok=True)
        attributes.write_text(_ATTRIBUTES, encoding="ascii")  # Last: it marks a complete mirror.
    # We hold the lock, and so would any git of ours that still ran: these are of crashed ones.
    for stale in (*git.git_dir.glob("*.lock"), *git.git_dir.glob("refs/**/*.lock")):
        stale.unlink(missing_ok=True)


@contextmanager
def _lock(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + LOCK_WAIT_S_MAX
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TransientError("another worker holds the mirror's lock") from None
                time.sleep(0.02)
        yield descriptor
    finally:
        # Closing, not unlocking: a git of ours that outlives us must keep the lock.
        os.close(descriptor)


def _archive(git: Git, commit: str, folder: Path) -> None:
    packed = folder / "tree.tar"
    tree = folder / "tree"
    try:
        git("archive", "--format=tar", f"--output={packed}", commit)
        tree.mkdir()
        with tarfile.open(packed) as archive:
            _extract(archive, tree)
    except (GitError, tarfile.TarError, OSError) as error:
        raise TransientError(f"the tree of {commit} cannot be unpacked") from error
    finally:
        packed.unlink(missing_ok=True)


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Write files first and links last: so no file can be written through a link."""
    links: list[tuple[Path, str]] = []
    files, size = 0, 0
    for member in archive:
        path = folder / checked_path(member.name)
        files, size = files + 1, size + member.size
        if files > TREE_FILES_MAX or size > TREE_BYTES_MAX:
            raise PoisonError("the repository's tree is too large to be copied")
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
        elif member.issym():
            links.append((path, member.linkname))
        elif member.isreg() and (source := archive.extractfile(member)):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, source, executable=bool(member.mode & stat.S_IXUSR))
    for path, target in links:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    root = folder.resolve()
    for path, _ in links:
        # A chain of links can lead where none of them seems to: ask the file system.
        if not Path(os.path.realpath(path)).is_relative_to(root):
            path.unlink()


def _write(path: Path, source: IO[bytes], *, executable: bool) -> None:
    mode = 0o755 if executable else 0o644
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(source, file)


def checked_path(path: str) -> PurePosixPath:
    """Return `path` if it stays inside a tree and is none of git's own, else `PoisonError`."""
    parts = path.rstrip("/").split("/")
    if "\0" in path or any(_is_bad(part) for part in parts):
        raise PoisonError(f"{path[:200]!r} is not a path inside a repository")
    return PurePosixPath(*parts)


def _is_bad(part: str) -> bool:
    # Names that some file system takes for .git: other case, trailing dots, NTFS short names and
    # streams, characters that HFS+ ignores.
    plain = "".join(char for char in part if char.isprintable()).casefold().rstrip(". ")
    return part in {"", ".", ".."} or plain.split(":")[0] in {".git", "git~1"}


def read_blobs(git: Git, blobs: list[str]) -> list[bytes]:
    """Return the content of each blob. Raises `GitError` and `TransientError`."""
    out = git("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode())
    contents, at = [], 0
    for _ in blobs:
        end = out.index(b"\n", at)
        said = out[at:end].split()[-1]
        if not said.isdigit():
            raise GitError(0, out[at:end])  # It is missing, or no name of one.
        size = int(said)
        contents.append(out[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return contents


def _remove(folder: Path) -> None:
    def open_up(remove: Callable[[str], object], path: str, _error: object) -> None:
        # What ran in the tree may have taken our rights to its own folders away.
        for each in (Path(path).parent, Path(path)):
            with suppress(OSError):
                if not each.is_symlink():
                    each.chmod(0o700)
        with suppress(OSError):
            remove(path)

    shutil.rmtree(folder, onerror=open_up)
    if folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
