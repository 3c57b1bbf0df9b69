"""Ask git which commits last changed some lines: a few places, not far back, not for long."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from connectors.checkouts import GitCheckouts, checked_path
from connectors.git_command import Git, GitError
from processors.locating.line_history import PLACES_MAX, TOUCHES_MAX, Span, Touch
from schemas.errors import PoisonError, TransientError
from schemas.projects import Project

COMMITS_BACK_MAX = 2_000
"""Beyond these nothing is looked at: git follows lines through every commit it may meet."""
LINES_S_MAX = 2.0
"""For all places together."""
_MARK = "\x1f"


class GitLineHistory:
    """`LineHistory` over the projects' mirrors."""

    def __init__(self, checkouts: GitCheckouts) -> None:
        """Read the mirrors of `checkouts`."""
        self._checkouts = checkouts

    def touched(
        self, project: Project, commit: str, spans: Sequence[Span]
    ) -> Mapping[Span, Sequence[Touch]]:
        """Return what changed the lines of each of `spans`; nothing where git cannot tell."""
        with suppress(PoisonError, TransientError):
            return touched(self._checkouts.git_with(project, commit), commit, spans)
        return {}


def touched(git: Git, commit: str, spans: Sequence[Span]) -> Mapping[Span, Sequence[Touch]]:
    """Return the last commits up to `commit` that changed the lines, newest first.

    Never raises: what takes longer than `LINES_S_MAX`, or is further back, is left out.
    """
    end_s = time.monotonic() + LINES_S_MAX
    found: dict[Span, Sequence[Touch]] = {}
    with suppress(GitError, TransientError):
        back = f"--skip={COMMITS_BACK_MAX}"
        oldest = git.line("rev-list", "--first-parent", back, "--max-count=1", commit)
        for span in spans[:PLACES_MAX]:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                break
            within = replace(git, command_s_max=left_s)
            found[span] = tuple(_touches(within, commit, oldest, span))
    return {span: touches for span, touches in found.items() if touches}


def _touches(git: Git, commit: str, oldest: str, span: Span) -> Iterator[Touch]:
    with suppress(GitError, PoisonError):
        lines = f"-L{span.line_start},{span.line_end}:{checked_path(span.path)}"
        out = git(
            *("log", lines, "--no-patch", f"--max-count={TOUCHES_MAX}"),
            f"--format=%H{_MARK}%cs{_MARK}%s",
            *(commit, *([f"^{oldest}"] if oldest else []), "--"),
        )
        # Not splitlines(): a title may hold what Python, and not git, takes for the end of a line.
        for line in out.decode("utf-8", "replace").split("\n")[:-1]:
            name, day, title = line.split(_MARK, 2)
            yield Touch(name, day, title)
