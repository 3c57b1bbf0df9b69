"""Files in a folder that strangers' code may have written to: no link is ever followed.

A plain `open` there follows a symlink that the sandbox left behind, to any file of the host.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

FILE_BYTES_MAX = 4_000_000


class UnsafePathError(Exception):
    """The path leaves the folder, runs through a link, or is not a plain file of fitting size."""


def safe_path(relative: str) -> str:
    """Return `relative` normalised. Raises `UnsafePathError` if it could leave its folder."""
    path = PurePosixPath(relative)
    bad = not path.parts or path.is_absolute() or ".." in path.parts
    if bad or "\0" in relative or "\\" in relative:
        raise UnsafePathError(f"{relative!r} is not a plain path below the folder")
    return str(path)


def read_file(folder: Path, relative: str, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """Return the content of the plain file `relative` below `folder`.

    Raises `FileNotFoundError`, and `UnsafePathError` for a link, a device or pipe, a path that
    leaves the folder, or more than `bytes_max` bytes.
    """
    with _parent_of(folder, relative) as (parent, name):
        try:
            # Without O_NONBLOCK, opening a pipe would wait for its other end for ever.
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise UnsafePathError(f"{relative!r}: {error.strerror}") from error
        with os.fdopen(file, "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > bytes_max:
                raise UnsafePathError(f"{relative!r} is no plain file of at most {bytes_max} bytes")
            return stream.read(bytes_max)


def write_file(folder: Path, relative: str, content: bytes) -> None:
    """Make `relative` below `folder` a plain file with `content`; folders are made on the way.

    What stood there is replaced, not written through: neither a link nor a hard link can lead
    the bytes elsewhere. Its mode bits are kept. Raises `UnsafePathError`.
    """
    with _parent_of(folder, relative, make=True) as (parent, name):
        mode = 0o644
        try:
            before = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISREG(before.st_mode):
                mode = stat.S_IMODE(before.st_mode) & 0o777
            os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise UnsafePathError(f"{relative!r}: {error.strerror}") from error
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(name, flags, mode, dir_fd=parent), "wb") as stream:
            stream.write(content)


def remove_file(folder: Path, relative: str) -> None:
    """Remove the file or link `relative`, if it is there. Raises `UnsafePathError`."""
    try:
        with _parent_of(folder, relative) as (parent, name):
            os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError) as error:
        raise UnsafePathError(f"{relative!r}: {error.strerror}") from error


@contextmanager
def _parent_of(folder: Path, relative: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    *parts, name = PurePosixPath(safe_path(relative)).parts
    # `folder` itself is ours and may be reached through links; nothing below it may.
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=here)
            try:
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise UnsafePathError(f"{relative!r}: {part!r} is not a plain folder") from error
            os.close(here)
            here = below
        yield here, name
    finally:
        os.close(here)
