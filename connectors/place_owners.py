"""Who owns the places where a fault may be: `Ownership` over the projects' mirrors.

Git is asked for a short time only. What it cannot tell is of unknown hand, with the reason.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from connectors.agent_trace import NOTES_REF
from connectors.checkouts import FETCH, GitCheckouts
from connectors.git_command import Git, GitError, checked_url
from connectors.ownership import LINES_MAX, Owned, Said, owners
from schemas.errors import PoisonError, TransientError
from schemas.places import Hand, HandEvidence, Location, OwnedPlace, Owner, Person
from schemas.projects import Project

PLACES_MAX = 10
ALL_S_MAX = 60.0
"""For all places together; what is left then is unknown."""
NOTES_S_MAX = 20.0
SHOWN_MAX = 3
"""People, models and conversations of one place."""
COMMITS_SHOWN_MAX = 5
_T = TypeVar("_T")
_NAMED = re.compile(r"(.*?)\s*<([^<>\s]{1,200})>")
_BEST: tuple[HandEvidence, ...] = ("trace", "trailer", "author", "shallow", "none")


class GitOwnership:
    """`Ownership` that reads the mirrors of the projects."""

    def __init__(
        self, checkouts: GitCheckouts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read the mirrors of `checkouts`; `clock` counts seconds."""
        self._checkouts = checkouts
        self._clock = clock

    def of(
        self, project: Project, commit: str, places: Sequence[Location]
    ) -> tuple[OwnedPlace, ...]:
        """Return whose each of the first `PLACES_MAX` places is, in their order. Never raises."""
        try:
            git = self._checkouts.git_with(project, commit)
        except (PoisonError, TransientError) as error:
            return tuple(_untold(str(error)) for _ in places[:PLACES_MAX])
        except OSError as error:
            return tuple(_untold(error.strerror or "disk error") for _ in places[:PLACES_MAX])
        self._fetch_notes(project)
        return owners_of(git, commit, places, self._clock)

    def _fetch_notes(self, project: Project) -> None:
        """Bring the Agent Trace notes here, as far as the remote has any and answers soon."""
        with (
            suppress(PoisonError, TransientError, GitError, OSError),
            self._checkouts.locked(project) as git,
        ):
            url = checked_url(project.git_url, project.id)
            hurried = replace(git, command_s_max=NOTES_S_MAX)
            hurried(*FETCH, "--", url, f"+{NOTES_REF}:{NOTES_REF}")


class NoOwnership:
    """`Ownership` where there is no repository to ask: everything is of unknown hand."""

    def of(
        self, project: Project, commit: str, places: Sequence[Location]
    ) -> tuple[OwnedPlace, ...]:
        """Return that nothing is known of any place."""
        del project, commit
        return tuple(_untold("nobody was asked") for _ in places[:PLACES_MAX])


def owners_of(
    git: Git,
    commit: str,
    places: Sequence[Location],
    clock: Callable[[], float] = time.monotonic,
) -> tuple[OwnedPlace, ...]:
    """Return whose each of the first `PLACES_MAX` places is, within about `ALL_S_MAX`.

    A place without lines is its whole file, of which the first `LINES_MAX` lines count.
    """
    said: dict[str, Said] = {}
    found: list[OwnedPlace] = []
    ends_at = clock() + ALL_S_MAX
    for place in places[:PLACES_MAX]:
        left_s = ends_at - clock()
        if left_s <= 0:
            found.append(_untold(f"git took over {ALL_S_MAX:.0f} s for the places before"))
            continue
        start, end = place.line_start or 1, place.line_end or LINES_MAX
        try:
            hurried = replace(git, command_s_max=left_s)
            found.append(_place(owners(hurried, commit, place.path, start, end, said)))
        except TransientError as error:
            found.append(_untold(str(error)))
    return tuple(found)


def _untold(reason: str) -> OwnedPlace:
    return OwnedPlace(owner=Owner(hand="unknown", evidence="unavailable", reason=reason[:300]))


def _place(found: Sequence[Owned]) -> OwnedPlace:
    """Return what holds of all the lines together."""
    if not found:
        return _untold("git knows no such lines in that commit")
    commits = _most((one.commit, one) for one in found)
    people = _most(((one.author, one.mail), one) for one in found if one.author or one.mail)
    reviewed = [one for one in found if one.reviewer]
    is_shallow = any(one.by == "shallow" for one in found)
    return OwnedPlace(
        owner=Owner(
            hand=_hand({one.hand for one in found}),
            evidence=min((one.by for one in found), key=_BEST.index),
            reason="the history of this copy is cut off" if is_shallow else "",
            commits=tuple(commits[:COMMITS_SHOWN_MAX]),
            models=tuple(_most((one.model, one) for one in found if one.model)[:SHOWN_MAX]),
            conversations=tuple(
                _most((one.conversation, one) for one in found if one.conversation)[:SHOWN_MAX]
            ),
        ),
        people=tuple(Person(name=name, mail=mail) for name, mail in people[:SHOWN_MAX]),
        reviewer=_person(max(reviewed, key=lambda one: one.at).reviewer) if reviewed else None,
    )


def _hand(hands: set[Hand]) -> Hand:
    """Return `mixed` where a program wrote some of it; unknown lines make no human ones."""
    if len(hands) == 1:
        return next(iter(hands))
    return "mixed" if hands & {"ai", "mixed"} else "unknown"


def _most(found: Iterable[tuple[_T, Owned]]) -> list[_T]:
    """Return each once, that of most lines first."""
    counted: Counter[_T] = Counter()
    for what, one in found:
        counted[what] += one.end - one.start + 1
    return [what for what, _ in counted.most_common()]


def _person(written: str) -> Person:
    named = _NAMED.match(written)
    return Person(name=named[1], mail=named[2]) if named else Person(name=written)
