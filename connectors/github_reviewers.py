"""Who reviewed the commits that wrote a place, as GitHub tells: most projects write no trailers.

What a commit's message says goes first. GitHub is asked little and for a short time, and no failure
of it is one of locating. Who wrote a pull request is never its reviewer, nor is a program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from connectors.channel import child, text
from connectors.github_client import GitHubClient, Page, repo_path
from connectors.github_http import RefusalError
from connectors.github_payload import account, number
from connectors.governor import Governor
from schemas.errors import PoisonError, TransientError
from schemas.places import Location, OwnedPlace, Person
from schemas.projects import Project

COMMITS_MAX = 5
"""Asked about for one bug; what is known already does not count."""
ALL_S_MAX = 20.0
"""For all that is asked for one bug. What was begun by then is ended, each call in
`ANSWER_S_MAX`."""
ANSWER_S_MAX = 10.0
REVIEW_PAGES_MAX = 10
KNOWN_COMMITS_MAX = 10_000
"""Of which the answer is kept, as long as the process lives."""
_STATES = ("COMMENTED", "CHANGES_REQUESTED", "APPROVED")
"""Of a review that stands: one that was dismissed, or not sent yet, says nothing."""


class _Ownership(Protocol):
    def of(
        self, project: Project, commit: str, places: Sequence[Location]
    ) -> Sequence[OwnedPlace]: ...


class GitHubReviewers:
    """Asks who reviewed a commit, and remembers it. Thread-safe."""

    def __init__(
        self,
        client: GitHubClient,
        governor: Governor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask over `client` whenever `governor` allows it; `clock` counts seconds."""
        self._client = client
        self._governor = governor
        self._clock = clock
        self._known: dict[tuple[str, str], Person | None] = {}

    def learn(self, repository: str, commits: Iterable[str]) -> str:
        """Ask about the first `COMMITS_MAX` that are not known yet. Never raises.

        Returns why GitHub did not tell of one, in words that name nobody; empty: it told of all.
        """
        why = ""
        until_s = self._clock() + ALL_S_MAX
        new = [sha for sha in dict.fromkeys(commits) if (repository, sha) not in self._known]
        for sha in new[:COMMITS_MAX]:
            try:
                found = self._asked(repository, sha, until_s)
            except RefusalError as error:  # Of this one, such as a commit that was never pushed.
                why = f"it refused with {error.status}"
            except (PoisonError, TransientError) as error:
                # Behind the first colon GitHub's own words may stand.
                return str(error).partition(":")[0][:200]
            else:
                if len(self._known) >= KNOWN_COMMITS_MAX:
                    self._known.clear()
                self._known[repository, sha] = found
        return why

    def of(self, repository: str, commits: Iterable[str]) -> Person | None:
        """Return the reviewer of the first of `commits` of which one is known."""
        found = (self._known.get((repository, sha)) for sha in commits)
        return next((person for person in found if person), None)

    def knows(self, repository: str, commits: Iterable[str]) -> bool:
        """Tell whether GitHub has told of all of `commits`."""
        return all((repository, sha) in self._known for sha in commits)

    def of_pull(self, repository: str, pull: Mapping[str, Any], *, until_s: float) -> Person | None:
        """Return who approved it last, else who reviewed it last. Raises as a call does."""
        told = number(pull.get("number"))
        if told is None:
            raise TransientError("it names a pull request without a number")
        path = f"{repo_path(repository)}/pulls/{told}/reviews"
        return _last(self._reviews(path, until_s), author=account(child(pull, "user")))

    def _asked(self, repository: str, sha: str, until_s: float) -> Person | None:
        pulls = self._page(f"{repo_path(repository)}/commits/{sha}/pulls", until_s).items
        # GitHub also names those of forks, and those that are still open.
        merged = [
            pull
            for pull in pulls
            if text(pull.get("merged_at"))
            and text(child(pull, "base", "repo").get("full_name")).casefold()
            == repository.casefold()
        ]
        if not merged:
            return None
        first = min(merged, key=lambda pull: text(pull.get("merged_at")))
        return self.of_pull(repository, first, until_s=until_s)

    def _reviews(self, path: str, until_s: float) -> Iterator[Mapping[str, Any]]:
        for _ in range(REVIEW_PAGES_MAX):
            page = self._page(path, until_s)
            yield from page.items
            if page.following is None:
                return
            path = page.following
        raise TransientError(f"it lists more than {REVIEW_PAGES_MAX} pages of reviews")

    def _page(self, path: str, until_s: float) -> Page:
        if self._clock() >= until_s:
            raise TransientError(f"it took over {ALL_S_MAX:.0f} s")
        return self._governor.reading(lambda: self._client.page(path))


class ReviewedOwnership:
    """`Ownership` as another one has it, with the reviewers that GitHub knows."""

    def __init__(
        self,
        ownership: _Ownership,
        reviewers: GitHubReviewers,
        repository_of: Callable[[Project], str | None],
    ) -> None:
        """`repository_of` tells `owner/name`; None: the project is not there, nobody is asked."""
        self._ownership = ownership
        self._reviewers = reviewers
        self._repository_of = repository_of

    def of(
        self, project: Project, commit: str, places: Sequence[Location]
    ) -> tuple[OwnedPlace, ...]:
        """Return whose the places are. Never raises."""
        found = tuple(self._ownership.of(project, commit, places))
        repository = self._repository_of(project)
        lacking = [place.owner.commits for place in found if _lacks_reviewer(place)]
        if repository is None or not lacking:
            return found
        why = self._reviewers.learn(repository, _by_rank(lacking))
        return tuple(
            self._with_reviewer(repository, place, why) if _lacks_reviewer(place) else place
            for place in found
        )

    def _with_reviewer(self, repository: str, place: OwnedPlace, why: str) -> OwnedPlace:
        commits = place.owner.commits
        reviewer = self._reviewers.of(repository, commits)
        if reviewer is not None or not why or self._reviewers.knows(repository, commits):
            return place.model_copy(update={"reviewer": reviewer})
        reason = f"GitHub did not tell who reviewed it: {why}"
        return place.model_copy(update={"owner": place.owner.model_copy(update={"reason": reason})})


def _lacks_reviewer(place: OwnedPlace) -> bool:
    """Tell whether it is worth asking: where git gave a reason, the commits may be the wrong."""
    return place.reviewer is None and not place.owner.reason


def _by_rank(commits: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield of each place the commit that wrote most lines, then of each the second, and so on."""
    for rank in range(max(map(len, commits))):
        yield from (of_place[rank] for of_place in commits if rank < len(of_place))


def _last(reviews: Iterable[Mapping[str, Any]], *, author: str) -> Person | None:
    nobody = {author.casefold(), account({})}
    best: tuple[bool, str] = (False, "")
    found: Person | None = None
    for review in reviews:
        state, user = text(review.get("state")), child(review, "user")
        who = account(user)
        if state not in _STATES or text(user.get("type")) != "User" or who.casefold() in nobody:
            continue
        rank = (state == "APPROVED", text(review.get("submitted_at")))
        if rank >= best:
            best, found = rank, Person(name=who.partition(":")[2], account=who)
    return found
