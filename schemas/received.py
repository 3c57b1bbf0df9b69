"""What any tool may post to `/api/v1/bugs/receive`, and what a report typed by hand becomes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from schemas.raw import WebUrl
from schemas.reports import Severity


def _one_line(name: str) -> str:
    # A name is part of keys: PostgreSQL refuses NUL, and a line break would split what is printed.
    if not all(char.isprintable() for char in name):
        raise ValueError("must be one line without control or direction characters")
    return name


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_one_line),
]


class ReceivedReport(BaseModel):
    """One bug report. Unknown fields are refused, so that a misspelt one is not lost unseen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: Name
    """Who sends it; settings map `http:<tool>` to a project."""
    id: Name
    """The tool's own id of the report: sent again with the same id, it is an update."""
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
    description: str = Field(default="", max_length=1_000_000)
    severity: Severity = Severity.UNKNOWN
    stack_trace: str = Field(default="", max_length=200_000)
    reproduction_steps: tuple[str, ...] = Field(default=(), max_length=100)
    environment: dict[str, str] = Field(default_factory=dict, max_length=100)
    labels: tuple[str, ...] = Field(default=(), max_length=100)
    reporter: str = Field(default="", max_length=200)
    url: WebUrl = None
    """Where people find it. Anything but an http or https address is dropped."""
    created_at: AwareDatetime | None = None
