"""The edits of a patch as one unified diff: for people, and for `git apply`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from io import StringIO

from schemas.fixes import FileEdit


def unified(edits: Iterable[FileEdit]) -> str:
    """Return `edits` as a diff in git's form."""
    return "".join(line for edit in edits for line in _diff(edit))


def _diff(edit: FileEdit) -> Iterator[str]:
    lines = difflib.unified_diff(
        _lines(edit.before),
        _lines(edit.after),
        "/dev/null" if edit.before is None else f"a/{edit.path}",
        "/dev/null" if edit.after is None else f"b/{edit.path}",
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str | None) -> list[str]:
    """Return the lines as git counts them; `splitlines` also cuts at form feeds and the like."""
    return list(StringIO(text or "", newline="\n"))
