"""Where in a repository a fault may be: said by locate, shown to people."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.event import BlobRef, Model

Hand = Literal["human", "ai", "mixed", "unknown"]
"""Who wrote lines: a person, a program, both, or nobody knows. Who committed them says nothing."""
HandEvidence = Literal["trace", "trailer", "author", "none", "shallow", "unavailable"]
"""An Agent Trace note; the commit's message; a program's name as author; nothing; history that was
cut off; git could not tell."""


class Owner(Model):
    """Whose the lines of a place are. Holds no name: people are blobs, which can be erased."""

    hand: Hand
    """`mixed` where a program wrote some of the lines; never `human` while one is unknown."""
    evidence: HandEvidence
    """The best there is for any line."""
    reason: str = ""
    """Why it is unknown, where that is git's doing; or why the reviewer is, where the forge's."""
    commits: tuple[str, ...] = ()
    """Those that wrote most of the lines, most first."""
    models: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    people: tuple[BlobRef, ...] = ()
    """Each JSON of a `Person`: the authors of most of the lines, most first."""
    reviewer: BlobRef | None = None
    """JSON of a `Person`: who last reviewed one of the commits, as its message or else
    the forge says."""


class Person(Model):
    """Somebody whom a repository names. Personal data: never in an event."""

    name: str
    mail: str = ""
    account: str = ""
    """At the forge, such as `github:octocat`, where that is who told of them."""


class OwnedPlace(Model):
    """What git tells of a place: an `Owner` and the people that it must not hold."""

    owner: Owner
    people: tuple[Person, ...] = ()
    reviewer: Person | None = None


class Impact(Model):
    """How far a change of a place reaches, from the code alone. What is not seen is not counted."""

    callers: int
    """Functions that certainly come to it, themselves or by others; tests are counted apart."""
    callers_by_name: int
    """Functions that may: somewhere on the way the code leaves open what is called so."""
    direct: int
    """Of both, those that call it themselves."""
    tests: int
    """Tests, and what helps them, that come to it or may."""
    reached_by: tuple[str, ...]
    """The nearest of those, `path:symbol`."""
    is_public: bool
    """Whether others than the project may call the place itself."""
    public: tuple[str, ...]
    """What others may call: the place and its callers, the nearest first."""
    public_count: int
    """How many there are; `public` shows the first."""
    blast_radius: float = Field(ge=0, le=1)
    """0: nobody was found to be hit. Never less for one call more; a half is twenty callers."""
    is_cut: bool = False
    """Whether there are more than were counted."""


class Location(Model):
    """A place in the repository where the fault may be. Lines are 1-based and inclusive."""

    path: str
    line_start: int | None = None
    line_end: int | None = None
    symbol: str = ""
    score: float
    reasons: tuple[str, ...]
    impact: Impact | None = None
    """None: not asked, or not a function or class."""
    owner: Owner | None = None
    """None: not asked."""

    def bare(self) -> Location:
        """Return where it is and why, for those who need no more."""
        return self.model_copy(update={"impact": None, "owner": None})
