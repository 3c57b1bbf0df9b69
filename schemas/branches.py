"""The names of our own branches: what release pushes, and what is known when it comes back."""

from __future__ import annotations

import re

BRANCH_PREFIX = "bugstream/"
_OURS = re.compile(r"bugstream/(?P<name>bug-\d{4}-[0-9a-hjkmnp-tv-z]{5})/a[1-9]\d{0,3}", re.ASCII)


def branch_name(name: str, attempt: int) -> str:
    """Return the one branch of an attempt at the bug `name`: `bugstream/bug-2026-7f3k2/a1`."""
    return f"{BRANCH_PREFIX}{name.lower()}/a{attempt}"


def bug_of(branch: str) -> str | None:
    """Return the name of the bug that `branch` is for, `BUG-2026-7F3K2`; None: not one of ours."""
    found = _OURS.fullmatch(branch)
    return found["name"].upper() if found else None
