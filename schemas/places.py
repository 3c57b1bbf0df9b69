"""Where in a repository a fault may be: said by locate, shown to people."""

from __future__ import annotations

from schemas.event import Model


class Location(Model):
    """A place in the repository where the fault may be. Lines are 1-based and inclusive."""

    path: str
    line_start: int | None = None
    line_end: int | None = None
    symbol: str = ""
    score: float
    reasons: tuple[str, ...]
