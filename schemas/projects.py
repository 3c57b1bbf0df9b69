"""What settings say about one project: where its reports come from and how its code is tested."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.raw import Origin

TEAM_ITEM = "-"
"""Item of a place where nothing is replied to: a message there stands alone."""
_NAMED = re.compile(r"([a-z][a-z0-9-]{0,19}):.+", re.IGNORECASE | re.DOTALL)


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
    locate_runs_tests: bool = True
    """Whether the tests that show a member's bug are run to find its place, where `python` is
    set: for at most two minutes, in the sandbox. Fix runs them again."""
    members: tuple[str, ...] = ()
    """`channel:account` of people whose reports go on to a fix without approval."""
    release_approvals: int = Field(default=0, ge=0, le=2)
    """How many people must approve a verified fix before its branch is pushed."""
    budget_usd_per_bug: float = Field(default=2.0, ge=0)
    attempts_max: int = Field(default=2, ge=1, le=10)
    regression_after_days: int = Field(default=14, ge=0, le=3650)
    """From so long after a fix on, a report of the same fault opens a bug of its own: it is back.
    So it does from when the fix is known to be merged or live."""
    team: tuple[str, ...] = ()
    """Where the team is told, as `channel:container`, such as `slack:T01/C02` or
    `email:team@acme.org`."""
    contacts: dict[str, str] = Field(default_factory=dict)
    """Where an assignee is told: account, such as `github:ann` -> `channel:container`."""
    answer_url: str | None = None
    """Where answers are posted as JSON, for channels that we have no account in."""
    proposer: Literal["auto", "template", "anthropic"] = "auto"
    """`auto`: the template engine first, then the model where a key is set."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, one, _ in self.named():
            if not _NAMED.fullmatch(one):
                raise ValueError(f"{name}: {one[:80]!r} names nothing; write it as channel:NAME")
        return self

    def named(self) -> Iterator[tuple[str, str, str]]:
        """Yield what is named in which setting, and of which channel it is."""
        everything = "*"
        for name, written in (
            ("sources", [one for one in self.sources if one != everything]),
            ("members", self.members),
            ("team", self.team),
            ("contacts", [*self.contacts, *self.contacts.values()]),
        ):
            for one in written:
                yield name, one, one.partition(":")[0].casefold()

    def places_of(self, accounts: tuple[str, ...]) -> tuple[Origin, ...]:
        """Return where the people with these accounts are told, as far as `contacts` says."""
        known = {account.casefold(): place for account, place in self.contacts.items()}
        found = (known.get(account.casefold()) for account in accounts)
        return tuple(_place(place) for place in dict.fromkeys(found) if place)

    @property
    def team_places(self) -> tuple[Origin, ...]:
        """Return where the team is told."""
        return tuple(_place(place) for place in dict.fromkeys(self.team))


def _place(place: str) -> Origin:
    channel, _, container = place.partition(":")
    where = {"channel": channel.casefold(), "container": container, "item": TEAM_ITEM}
    return Origin.model_validate(where)
