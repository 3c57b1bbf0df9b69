"""The work tree an agent changes, beside a copy of how it was: what changed, and what was red."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from schemas.fixes import FileEdit
from schemas.target_tests import is_test, runs_by_itself
from schemas.trees import FILE_BYTES_MAX, UnsafePathError, read_file, safe_path, write_file
from schemas.values import SANDBOX_WORKDIR

EDITS_MAX = 20
EDITED_CHARS_MAX = 400_000
"""Of all changed files, before and after."""
FILES_MAX = 100_000
_JUNK_FOLDERS = frozenset(
    {".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox"}
)
_JUNK_SUFFIXES = (".pyc", ".pyo", ".egg-info", ".orig", ".rej")
_JUNK_FILES = frozenset({".coverage", "nohup.out"})
_CONFIGURATION = frozenset({"pytest.ini", "tox.ini", "noxfile.py", ".coveragerc"})


class TreeError(Exception):
    """The tree, or the path given, is not what is asked for. The text is for the agent."""


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The tree at work (`now`), and the base commit's (`base`), which no command ever sees."""

    now: Path
    base: Path
    hidden: frozenset[str] = field(default_factory=frozenset)
    """Files of the oracle: in the tree, and no part of the patch."""

    def read(self, path: str) -> str:
        """Return the text of a file. Raises `TreeError`."""
        text = _text(self.now, relative(path))
        if text is None:
            raise TreeError(f"{path}: there is no such file")
        return text

    def has(self, path: str) -> bool:
        """Tell whether there is anything at `path`."""
        try:
            return _text(self.now, relative(path)) is not None
        except TreeError:
            return True

    def read_base(self, path: str) -> str | None:
        """Return the text a file had at the base commit; None when there was none."""
        return _text(self.base, relative(path))

    def write(self, path: str, text: str) -> None:
        """Make `path` a file with `text`. Raises `TreeError`."""
        try:
            write_file(self.now, relative(path), text.encode())
        except (UnsafePathError, UnicodeEncodeError, OSError) as error:
            raise TreeError(f"{path} cannot be written: {error}") from error

    @contextmanager
    def at_base(self, files: Mapping[str, str]) -> Iterator[Path]:
        """Yield a throw-away copy of the base commit's tree with `files` added."""
        with _scratch() as folder:
            copy = folder / "tree"
            shutil.copytree(self.base, copy, symlinks=True)
            for path, text in files.items():
                write_file(copy, path, text.encode())
            yield copy

    def changes(self) -> tuple[FileEdit, ...]:
        """Return what differs from the base commit, by path, without `hidden` and litter.

        Raises `TreeError` for what a patch cannot hold: too much, or files that are not text.
        """
        before, after = _files(self.base), _files(self.now)
        edits: list[FileEdit] = []
        for path in sorted(before.keys() | after.keys()):
            if path in self.hidden or (path not in before and _is_litter(path)):
                continue
            if self._same(before.get(path), after.get(path), path):
                continue
            edits.append(
                FileEdit(path=path, before=_text(self.base, path), after=_text(self.now, path))
            )
            if len(edits) > EDITS_MAX:
                names = ", ".join(edit.path for edit in edits[:5])
                raise TreeError(f"more than {EDITS_MAX} files differ ({names}, ...): remove litter")
        if sum(len(edit.before or "") + len(edit.after or "") for edit in edits) > EDITED_CHARS_MAX:
            raise TreeError("the changed files are too large for a patch: remove litter")
        return tuple(edits)

    def _same(self, before: int | None, after: int | None, path: str) -> bool:
        if before is None or after is None or before != after:
            return False
        if before > FILE_BYTES_MAX:
            return True  # Too large to be proposed; whether it differs makes no difference.
        return read_file(self.base, path) == read_file(self.now, path)


@contextmanager
def work_tree(tree: Path, oracle_files: Mapping[str, str]) -> Iterator[WorkTree]:
    """Yield `tree` as a `WorkTree`, with the oracle's files added; the copy goes at the end."""
    with _scratch() as folder:
        base = folder / "base"
        shutil.copytree(tree, base, symlinks=True)
        opened = WorkTree(now=tree, base=base, hidden=frozenset(oracle_files))
        for path, text in oracle_files.items():
            opened.write(path, text)
        yield opened


def relative(path: str) -> str:
    """Return the path below the tree that an agent means by `path`. Raises `TreeError`."""
    try:
        return safe_path(path.removeprefix(f"{SANDBOX_WORKDIR}/"))
    except UnsafePathError as error:
        raise TreeError(str(error)) from error


def decides_tests(path: str) -> bool:
    """Tell whether a file, being there, changes how tests run or what they import."""
    name = PurePosixPath(path).name
    return (
        runs_by_itself(path) or name in _CONFIGURATION or (name == "__init__.py" and is_test(path))
    )


@contextmanager
def _scratch() -> Iterator[Path]:
    # What strangers' code left there may refuse to be removed; that must not end the attempt.
    with tempfile.TemporaryDirectory(prefix="agent-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _files(folder: Path) -> dict[str, int]:
    """Return path -> size of the plain files below `folder`; links are not followed."""
    found: dict[str, int] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _JUNK_FOLDERS]
        for name in names:
            path = Path(parent, name)
            try:
                status = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                found[path.relative_to(folder).as_posix()] = status.st_size
        if len(found) > FILES_MAX:
            raise TreeError(f"the tree has more than {FILES_MAX} files: remove litter")
    return found


def _text(folder: Path, path: str) -> str | None:
    try:
        return read_file(folder, path).decode()
    except FileNotFoundError:
        return None
    except (UnsafePathError, UnicodeDecodeError, OSError) as error:
        raise TreeError(f"{path} is not a text file: {error}") from error


def _is_litter(path: str) -> bool:
    pure = PurePosixPath(path)
    return (
        pure.name in _JUNK_FILES
        or pure.name.endswith(_JUNK_SUFFIXES)
        or any(part.endswith(".egg-info") for part in pure.parts)
    )
