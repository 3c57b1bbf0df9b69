"""Who is told what, and when: the table `[tell]` of the settings."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Moment = Literal[
    "received",
    "duplicate",
    "approval",
    "verified",
    "deployment",
    "fixed",
    "could_not",
    "not_verified",
    "abandoned",
    "rejected",
]
"""What there is to tell. All but the first five are how the work on a bug ended."""
Other = Literal["assignee", "team"]
Audience = Literal["reporter", Other]
"""The reporter is told where the report came from, the others where `contacts` and `team` of the
project say."""


class Tell(BaseModel):
    """For each moment, who is told. An empty list: nobody.

    What was received is told to the reporter alone, what is under way to the others alone; how it
    ended to whoever is named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    received: tuple[Literal["reporter"], ...] = ("reporter",)
    """The report is a bug now, and has a name."""
    duplicate: tuple[Literal["reporter"], ...] = ("reporter",)
    """The report is about a bug that is known already."""
    approval: tuple[Other, ...] = ("assignee", "team")
    """A person has to decide before it goes on."""
    verified: tuple[Other, ...] = ("assignee", "team")
    """A patch passed every check: the report on them."""
    deployment: tuple[Other, ...] = ("assignee", "team")
    """Where the fix is: on a branch, on its way to users, back again."""
    fixed: tuple[Audience, ...] = ("reporter",)
    could_not: tuple[Audience, ...] = ("reporter",)
    not_verified: tuple[Audience, ...] = ("reporter",)
    abandoned: tuple[Audience, ...] = ("reporter",)
    rejected: tuple[Audience, ...] = ("reporter",)

    def whom(self, moment: Moment) -> tuple[Audience, ...]:
        """Return who is told of `moment`, each once."""
        audiences: tuple[Audience, ...] = getattr(self, moment)
        return tuple(dict.fromkeys(audiences))
