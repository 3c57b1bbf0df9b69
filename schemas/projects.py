"""What settings say about one project: where its reports come from and how its code is tested."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Project(BaseModel):
    """One `[[project]]` of the settings file. Unknown keys are refused: a typo must not pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    sources: tuple[str, ...] = ()
    """`channel:container` of each source, such as `github:acme/shop`; `*` ends a prefix."""
    git_url: str | None = None
    branch: str = "main"
    python: Path | None = None
    """Interpreter with the project's packages; `--python` for one run."""
    test_command: tuple[str, ...] = ("-m", "pytest", "-q")
    """Arguments to the interpreter; must be pytest, whose results can be read test by test."""
    members: tuple[str, ...] = ()
    """`channel:account` of people whose reports go on to a fix without approval."""
    release_approvals: int = Field(default=0, ge=0, le=2)
    """How many people must approve a verified fix before its branch is pushed."""
    budget_usd_per_bug: float = Field(default=2.0, ge=0)
    attempts_max: int = Field(default=2, ge=1, le=10)
    answer_url: str | None = None
    """Where answers are posted as JSON; real channels come later."""
    proposer: Literal["auto", "template", "anthropic"] = "auto"
    """`auto`: the template engine first, then the model where a key is set."""
