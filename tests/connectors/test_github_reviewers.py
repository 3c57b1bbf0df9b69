"""Who reviewed, as GitHub tells: what counts as a review, what is asked at most, what may fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from connectors import github_reviewers
from connectors.github_client import GitHubClient
from connectors.github_http import GitHubHttp
from connectors.github_reviewers import (
    ALL_S_MAX,
    COMMITS_MAX,
    REVIEW_PAGES_MAX,
    GitHubReviewers,
    ReviewedOwnership,
)
from connectors.github_sign_in import App, Token
from connectors.governor import Governor
from schemas.places import Location, OwnedPlace, Owner, Person
from schemas.projects import Project
from tests.connectors.fakes.github_app import pem, public_key
from tests.connectors.fakes.github_described import URL
from tests.connectors.fakes.github_site import TOKEN, Answer, Site

REPO = "acme/shop"
SHOP = Project(id="shop")
C, D, E = "c" * 40, "d" * 40, "e" * 40
BO, CY = (Person(name=name, account=f"github:{name}") for name in ("bo", "cy"))
LIMITED: Answer = (
    403,
    {"Retry-After": "30"},
    {"message": "You have exceeded a secondary rate limit, @bo."},
)


def place(*commits: str, reviewer: Person | None = None, reason: str = "") -> OwnedPlace:
    owner = Owner(hand="unknown", evidence="none", commits=commits, reason=reason)
    return OwnedPlace(owner=owner, reviewer=reviewer)


@dataclass
class Git:
    """Knows of each place what it was told."""

    told: Sequence[OwnedPlace] = ()

    def of(self, project: Project, commit: str, places: Sequence[Location]) -> Sequence[OwnedPlace]:
        return self.told


@dataclass
class Asked:
    """A GitHub with one repository, and ourselves who ask it."""

    site: Site = field(default_factory=Site)
    repository: str | None = REPO
    clock: Callable[[], float] = lambda: 0.0
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.site.add_repo(REPO)
        http = GitHubHttp(URL, transport=self.site.transport())
        sign_in = Token(TOKEN)
        self.over(GitHubClient(http, sign_in))

    def over(self, client: GitHubClient) -> None:
        governor = Governor("GitHub", 60, monotonic_s=lambda: self.now_s)
        reviewers = GitHubReviewers(client, governor, self.clock)
        self.git = Git()
        self.ownership = ReviewedOwnership(self.git, reviewers, lambda _: self.repository)

    def of(self, *told: OwnedPlace) -> tuple[OwnedPlace, ...]:
        self.git.told = told
        return self.ownership.of(SHOP, "a" * 40, ())

    def reviewer(self, commit: str = C) -> Person | None:
        [found] = self.of(place(commit))
        assert found.owner.reason == ""
        return found.reviewer

    @property
    def paths(self) -> list[str]:
        return [target.partition(f"{REPO}/")[2] for _, target, _ in self.site.calls]


@pytest.fixture
def asked() -> Asked:
    return Asked()


# --- who it is ---


def test_who_approved_the_pull_request_of_a_commit_reviewed_it(asked: Asked) -> None:
    asked.site.review(REPO, asked.site.merged(REPO, D, C), "bo")

    first, second = asked.of(place(C, D), place(D))

    assert first.reviewer == second.reviewer == BO
    assert first.owner == place(C, D).owner


def test_what_the_message_says_goes_first_and_nobody_is_asked(asked: Asked) -> None:
    told = place(C, reviewer=Person(name="Dee", mail="dee@example.org"))

    assert asked.of(told) == (told,)
    assert asked.site.calls == []


def test_the_newest_approval_counts_whatever_was_said_since(asked: Asked) -> None:
    number = asked.site.merged(REPO, C)
    for who, state in (
        ("dee", "CHANGES_REQUESTED"),
        ("cy", "APPROVED"),
        ("bo", "APPROVED"),
        ("cy", "COMMENTED"),
    ):
        asked.site.review(REPO, number, who, state)

    assert asked.reviewer() == BO


def test_the_order_is_that_of_the_times(asked: Asked) -> None:
    number = asked.site.merged(REPO, C)
    asked.site.review(REPO, number, "cy")
    asked.site.review(REPO, number, "bo")
    asked.site.repos[REPO].reviews[number].reverse()

    assert asked.reviewer() == BO


def test_of_two_in_the_same_second_the_later_one_counts(asked: Asked) -> None:
    number = asked.site.merged(REPO, C)
    for who in ("cy", "bo"):
        asked.site.review(REPO, number, who)
    for review in asked.site.repos[REPO].reviews[number]:
        review["submitted_at"] = "2026-01-02T03:04:05Z"

    assert asked.reviewer() == BO


@pytest.mark.parametrize("state", ["CHANGES_REQUESTED", "COMMENTED"])
def test_without_an_approval_who_said_something_last_reviewed_it(asked: Asked, state: str) -> None:
    number = asked.site.merged(REPO, C, by="ann")
    asked.site.review(REPO, number, "cy", "COMMENTED")
    asked.site.review(REPO, number, "bo", state)
    asked.site.review(REPO, number, "ANN", "COMMENTED")

    assert asked.reviewer() == BO


@pytest.mark.parametrize(
    ("who", "state"),
    [
        ("ann", "APPROVED"),
        ("Ann", "COMMENTED"),
        ("renovate[bot]", "APPROVED"),
        ("copilot[bot]", "COMMENTED"),
        ("cy", "DISMISSED"),
        ("cy", "PENDING"),
        (None, "APPROVED"),
    ],
)
def test_such_a_review_says_nothing(asked: Asked, who: str | None, state: str) -> None:
    number, other = asked.site.merged(REPO, C, by="Ann"), asked.site.merged(REPO, D, by="Ann")
    asked.site.review(REPO, other, "bo", "COMMENTED")
    for each in (number, other):
        asked.site.review(REPO, each, who, state)

    assert asked.reviewer(C) is None
    assert asked.reviewer(D) == BO


def test_a_thousand_reviews_are_read_to_the_last(asked: Asked) -> None:
    number = asked.site.merged(REPO, C)
    for _ in range(999):
        asked.site.review(REPO, number, "cy")
    asked.site.review(REPO, number, "bo")

    assert asked.reviewer() == BO
    assert len(asked.site.calls) == 1 + REVIEW_PAGES_MAX


def test_of_more_than_that_none_is_taken_for_the_last(asked: Asked) -> None:
    number = asked.site.merged(REPO, C)
    for _ in range(1_001):
        asked.site.review(REPO, number, "cy")

    [found] = asked.of(place(C))

    assert found.reviewer is None
    assert "more than 10 pages" in found.owner.reason
    assert len(asked.site.calls) == 1 + REVIEW_PAGES_MAX


def test_the_pull_request_that_was_merged_first_brought_the_commit(asked: Asked) -> None:
    first, back = asked.site.merged(REPO, C), asked.site.merged(REPO, C)
    asked.site.review(REPO, first, "bo")
    asked.site.review(REPO, back, "cy")

    assert asked.reviewer() == BO


@pytest.mark.parametrize("change", [{"merged_at": None}, {"base": {"full_name": "bo/fork"}}])
def test_what_brought_nothing_here_is_not_looked_at(asked: Asked, change: dict[str, Any]) -> None:
    number = asked.site.merged(REPO, C)
    asked.site.review(REPO, number, "bo")
    pull = asked.site.repos[REPO].pulls[number]
    if "base" in change:
        change = {"base": {**pull["base"], "repo": {**pull["base"]["repo"], **change["base"]}}}
    pull |= change

    assert asked.reviewer() is None
    assert len(asked.site.calls) == 1


def test_an_app_asks_too() -> None:
    asked = Asked(Site(app_key=public_key(), installations={REPO: 7}))
    http = GitHubHttp(URL, transport=asked.site.transport())
    asked.over(GitHubClient(http, App(http, app_id="123", private_key=pem())))
    asked.site.review(REPO, asked.site.merged(REPO, C), "bo")

    assert asked.reviewer() == BO


# --- what is asked at most ---


def test_of_each_place_the_commit_of_most_lines_is_asked_first(asked: Asked) -> None:
    shas = [f"{number:040x}" for number in range(2 * COMMITS_MAX)]
    for sha in shas:
        asked.site.review(REPO, asked.site.merged(REPO, sha), "bo")
    told = [place(*shas[:2]), place(shas[0], shas[2]), *(place(sha) for sha in shas[3:])]

    found = asked.of(*told)

    commits = [path.split("/")[1] for path in asked.paths if path.startswith("commits/")]
    assert commits == [shas[0], *shas[3 : 3 + COMMITS_MAX - 1]]
    assert [one.reviewer for one in found] == [BO] * (1 + COMMITS_MAX) + [None] * 3
    assert all(one.owner.reason == "" for one in found)


def test_where_nobody_reviewed_the_first_commit_the_next_one_tells(asked: Asked) -> None:
    asked.site.merged(REPO, C)
    asked.site.review(REPO, asked.site.merged(REPO, D), "bo")

    [found] = asked.of(place(C, D))

    assert found.reviewer == BO


def test_what_is_known_is_not_asked_again(asked: Asked) -> None:
    asked.site.review(REPO, asked.site.merged(REPO, C), "bo")
    asked.site.merged(REPO, D)
    before = asked.of(place(C), place(D))
    calls = len(asked.site.calls)

    assert asked.of(place(C), place(D)) == before
    assert len(asked.site.calls) == calls


def test_what_is_known_is_bounded(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_reviewers, "KNOWN_COMMITS_MAX", 1)
    for sha in (C, D):
        asked.site.review(REPO, asked.site.merged(REPO, sha), "bo")

    assert asked.reviewer(C) == asked.reviewer(D) == asked.reviewer(C) == BO
    assert len(asked.site.calls) == 6


def test_who_has_no_repository_at_github_or_half_a_history_is_not_asked_about(asked: Asked) -> None:
    cut = place(C, reason="the history of this copy is cut off")
    assert asked.of(cut, place()) == (cut, place())
    asked.repository = None
    assert asked.of(place(C)) == (place(C),)

    assert asked.site.calls == []


def test_when_time_is_up_nothing_more_is_asked() -> None:
    ticks = count(0, ALL_S_MAX / 2.5)
    asked = Asked(clock=lambda: float(next(ticks)))
    for sha in (C, D):
        asked.site.review(REPO, asked.site.merged(REPO, sha), "bo")

    first, second = asked.of(place(C), place(D))

    assert (first.reviewer, first.owner.reason) == (BO, "")
    assert second.reviewer is None
    assert f"over {ALL_S_MAX:.0f} s" in second.owner.reason
    assert len(asked.site.calls) == 2


# --- what may fail ---

TROUBLES: dict[str, tuple[Answer, str]] = {
    "not found": ((404, {}, {"message": "Not Found @bo"}), "refused with 404"),
    "unknown commit": ((422, {}, {"message": "No commit found @bo"}), "refused with 422"),
    "no permission": ((403, {}, {"message": "not accessible @bo"}), "refused with 403"),
    "moved": ((301, {"Location": "https://evil.example"}, {}), "refused with 301"),
    "not known": ((401, {}, {"message": "Bad credentials @bo"}), "does not know our account"),
    "limit": (LIMITED, "asks to wait 30 s"),
    "broken": ((500, {}, {"message": "@bo"}), "answered 500"),
    "no list": ((200, {}, {"message": "@bo"}), "holds no list"),
    "no objects": ((200, {}, "@bo"), "holds no list"),
    "other host": ((200, {"Link": '<https://evil.example/?a=1>; rel="next"'}, []), "another host"),
    "no link": ((200, {"Link": '<https://[::1/?a=1>; rel="next"'}, []), "link to the next"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_failure_is_told_in_words_and_asked_again_next_time(
    asked: Asked, trouble: str, *, is_first: bool
) -> None:
    answer, words = TROUBLES[trouble]
    asked.site.review(REPO, asked.site.merged(REPO, C), "bo")
    pulls: Answer = (200, {}, list(asked.site.repos[REPO].pulls.values()))
    asked.site.troubles = [answer] if is_first else [pulls, answer]

    [found] = asked.of(place(C))

    assert found.reviewer is None
    assert words in found.owner.reason
    assert "@bo" not in found.owner.reason
    assert found.owner.commits == (C,)
    asked.now_s = 31.0
    assert asked.reviewer() == BO


@pytest.mark.parametrize(
    "pull",
    [
        {},
        {"merged_at": 7, "number": "../../user", "base": []},
        {
            "merged_at": "x",
            "number": 1,
            "user": {"login": "ann"},
            "base": {"repo": {"full_name": "ACME/Shop"}},
        },
    ],
)
def test_odd_answers_name_nobody(asked: Asked, pull: dict[str, Any]) -> None:
    reviews = [
        {},
        {"state": "APPROVED"},
        {"state": ["APPROVED"], "user": {"login": "bo", "type": "User"}},
        {"state": "APPROVED", "user": {"login": "../bo\n@all", "type": "User"}},
        {"state": "APPROVED", "user": {"login": "x" * 101, "type": "User"}},
        {"state": "APPROVED", "user": {"login": 7, "type": "User"}, "submitted_at": 7},
    ]
    asked.site.troubles = [(200, {}, [pull, "odd"]), (200, {}, reviews)]

    [found] = asked.of(place(C))

    assert found.reviewer is None


def test_a_pull_request_without_a_number_is_not_asked_for(asked: Asked) -> None:
    merged = {"merged_at": "2026-01-02T03:04:05Z", "base": {"repo": {"full_name": REPO}}}
    asked.site.troubles = [(200, {}, [merged | {"number": "../../user"}])]

    [found] = asked.of(place(C))

    assert "without a number" in found.owner.reason
    assert len(asked.site.calls) == 1


def test_a_github_that_is_broken_is_not_asked_about_the_next(asked: Asked) -> None:
    asked.site.review(REPO, asked.site.merged(REPO, D), "bo")
    asked.site.troubles = [(500, {}, {})]

    found = asked.of(place(C), place(D))

    assert [one.owner.reason.rpartition(": ")[2] for one in found] == ["GitHub answered 500"] * 2
    assert len(asked.site.calls) == 1


def test_a_commit_that_github_lacks_does_not_keep_it_from_the_next(asked: Asked) -> None:
    asked.site.review(REPO, asked.site.merged(REPO, D), "bo")

    asked.site.merged(REPO, E)

    lacking, known, nobody = asked.of(place(C), place(D), place(E))

    assert (known.reviewer, known.owner.reason) == (BO, "")
    assert nobody == place(E)
    assert lacking.owner.reason == "GitHub did not tell who reviewed it: it refused with 422"


def test_a_github_that_asks_to_wait_is_left_alone_until_then(asked: Asked) -> None:
    asked.site.troubles = [LIMITED]
    for number in range(3):
        asked.of(place(C), place(D))
        asked.now_s = 10.0 * number

    assert len(asked.site.calls) == 1
    asked.now_s = 31.0
    asked.of(place(C))
    assert len(asked.site.calls) == 2
