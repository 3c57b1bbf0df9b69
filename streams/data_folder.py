"""The data folder belongs to one `bugstream up` at a time, and to what that one left behind."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from schemas.errors import UserError

_POLL_S = 0.1
_LOG = logging.getLogger(__name__)


@contextmanager
def alone(data_dir: Path, *, leftovers_s_max: float) -> Iterator[int]:
    """Hold `data_dir`. Yields a descriptor that children are to inherit: they hold it too.

    Processes of an owner that was killed are waited for: they are ending, and what they still do
    must not meet what their successors do. Raises `UserError` when another owner runs, or when
    such processes do not end within `leftovers_s_max`.
    """
    with (
        _opened(data_dir / "supervisor.lock") as owner,
        _opened(data_dir / "children.lock") as children,
    ):
        if not _taken(owner):
            owner.seek(0)
            raise UserError(
                f"`bugstream up` already runs on {data_dir} (process {owner.read()}). End that one,"
                " or give another folder with BUGSTREAM_DATA_DIR."
            )
        owner.truncate(0)
        owner.write(str(os.getpid()))
        owner.flush()
        give_up_s = time.monotonic() + leftovers_s_max
        is_told = False
        while not _taken(children):
            if not is_told:
                _LOG.warning("waiting for processes that a killed owner left behind")
                is_told = True
            if time.monotonic() > give_up_s:
                raise UserError(
                    f"Processes of an earlier `bugstream up` on {data_dir} have not ended within"
                    f" {leftovers_s_max:.0f} s: end those that have {children.name} open."
                )
            time.sleep(_POLL_S)
        yield children.fileno()


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}. Set data_dir (BUGSTREAM_DATA_DIR) to a"
            " folder that can be."
        ) from error


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
