"""A pushed branch becomes one pull request with one check, by real git and a played GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connectors.checkouts import GitCheckouts
from connectors.forge import GitForge
from connectors.github_client import GitHubClient
from connectors.github_forge import CHECK, GitHubForge, repository_of
from connectors.github_http import GitHubHttp
from connectors.github_sign_in import App, SignIn, Token
from processors.ports import Forge
from schemas.errors import LimitedError, PoisonError, TransientError
from schemas.projects import Project
from schemas.raw import is_ours
from schemas.values import Offer, Release
from tests.connectors.fakes import github_server
from tests.connectors.fakes.github_app import pem, public_key
from tests.connectors.fakes.github_site import TOKEN, RefusedError, Repo, Site
from tests.connectors.git_servers import askpass
from tests.connectors.repositories import git, make_remote
from tests.connectors.test_forge import BRANCH, FILES, MESSAGE, TRACE, WHEN, proposed

OFFER = Offer("Fix BUG-2026-7F3K2 in shop/cart.py", "**A fix.**\n", "success", "Checks: 2 passed")


@dataclass
class Place:
    """A GitHub with one repository, real git behind it, and a forge that pushes there."""

    site: Site
    project: Project
    base: str
    git_forge: GitForge

    @property
    def repo(self) -> Repo:
        return self.site.repos["acme/shop"]

    def forge(self, **more: Any) -> GitHubForge:
        http = GitHubHttp(self.site.base_url)
        sign_in: SignIn = Token(TOKEN)
        if self.site.app_key:
            sign_in = App(http, app_id="123", private_key=pem())
        client = GitHubClient(http, sign_in)

        def repository(project: Project) -> str | None:
            return repository_of(project, self.site.base_url)

        return GitHubForge(self.git_forge, client, repository, **more)

    def release(self, offer: Offer | None = OFFER, **more: Any) -> Release:
        forge: Forge = self.forge(**more)
        return forge.release(
            self.project,
            branch=BRANCH,
            base_commit=self.base,
            proposal=proposed(),
            message=MESSAGE,
            when=WHEN,
            trace_id=TRACE,
            offer=offer,
        )

    def wrote(self) -> list[str]:
        calls = [(method, target) for method, target, _ in self.site.calls if method != "GET"]
        return [target.rpartition("/acme/shop/")[2] for _, target in calls]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    work = tmp_path / "repositories" / "acme"
    work.mkdir(parents=True)
    bare, base = make_remote(work, FILES)
    bare = bare.rename(work / "shop.git")
    git(bare, "config", "http.receivepack", "true")
    site = Site()
    site.add_repo("acme/shop", bare=bare)
    with github_server.serve(site, tmp_path / "repositories") as address:
        project = Project(id="shop", git_url=f"{address}/acme/shop.git", branch="main")
        environment = askpass(tmp_path, TOKEN)
        git_forge = GitForge(GitCheckouts(tmp_path / "mirrors", environment=environment))
        yield Place(site, project, base, git_forge)


@pytest.fixture
def as_app(place: Place) -> Place:
    place.site.app_key, place.site.installations = public_key(), {"acme/shop": 7}
    return place


def test_a_branch_is_pushed_and_offered_as_a_pull_request(place: Place) -> None:
    made = place.release()

    (pull,) = place.repo.pulls.values()
    assert made.url == pull["html_url"] == "https://github.example/acme/shop/pull/1"
    assert made.note is None
    assert pull["title"] == OFFER.title
    assert pull["body"].startswith("**A fix.**\n\n<!-- ")
    assert is_ours(pull["body"], TRACE)
    assert (pull["head"]["ref"], pull["base"]["ref"]) == (BRANCH, "main")
    assert pull["head"]["sha"] == made.commit == place.repo.tip(BRANCH)


def test_with_a_token_the_commit_has_a_status(place: Place) -> None:
    made = place.release()

    (status,) = place.repo.statuses[made.commit]
    assert (status["state"], status["context"]) == ("success", CHECK)
    assert status["description"] == "Checks: 2 passed"
    assert status["target_url"] == made.url
    assert place.repo.checks == []


def test_an_app_writes_a_check_run(as_app: Place) -> None:
    made = as_app.release()

    (run,) = as_app.repo.checks
    assert (run["name"], run["head_sha"]) == (CHECK, made.commit)
    assert (run["status"], run["conclusion"]) == ("completed", "success")
    assert run["external_id"] == str(TRACE)
    assert run["output"]["title"] == "Checks: 2 passed"
    assert as_app.repo.statuses == {}


@pytest.mark.parametrize("is_app", [False, True])
def test_doing_it_again_changes_nothing(place: Place, *, is_app: bool) -> None:
    if is_app:
        place.site.app_key, place.site.installations = public_key(), {"acme/shop": 7}
    made = place.release()
    wrote = place.wrote()

    assert place.release() == made
    assert place.forge().find(place.project, BRANCH) == made
    assert len(place.repo.pulls) == 1
    again = [target for target in place.wrote()[len(wrote) :] if "access_tokens" not in target]
    assert again == []


def test_what_a_crash_left_out_is_not_found_and_then_made(place: Place) -> None:
    pushed = place.git_forge.release(
        place.project,
        branch=BRANCH,
        base_commit=place.base,
        proposal=proposed(),
        message=MESSAGE,
        when=WHEN,
        trace_id=TRACE,
    )
    assert place.forge().find(place.project, BRANCH) is None
    made = place.release()
    assert made.commit == pushed.commit
    place.repo.statuses.clear()

    assert place.forge().find(place.project, BRANCH) is None
    assert place.release() == made
    assert len(place.repo.pulls) == 1


def test_a_pull_request_that_was_closed_is_not_opened_again(place: Place) -> None:
    made = place.release()
    place.repo.pulls[1]["state"] = "closed"

    assert place.release().url == made.url
    assert len(place.repo.pulls) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"head": {"ref": "topic", "repo": {"full_name": "acme/shop"}}},
        {"head": {"ref": BRANCH, "repo": {"full_name": "mallory/shop"}}},
        {"head": {"ref": BRANCH, "repo": None}},
        {"head": {"ref": BRANCH, "repo": {"full_name": "acme/shop"}}, "base": {"ref": "old"}},
    ],
)
def test_the_pull_request_of_another_branch_is_not_taken_for_ours(
    place: Place, other: dict[str, Any]
) -> None:
    listed = {"html_url": "https://github.example/acme/shop/pull/9", "base": {"ref": "main"}}
    place.site.troubles = [(200, {}, [listed | other])]  # As where the filter is passed over.

    assert place.release().url == "https://github.example/acme/shop/pull/1"


def test_somebody_who_opens_it_first_is_no_trouble(place: Place) -> None:
    place.release()
    # Not seen when looked for, there when it is to be opened.
    place.site.troubles = [(200, {}, [])]

    assert place.release().url == "https://github.example/acme/shop/pull/1"
    assert len(place.repo.pulls) == 1


def test_what_github_refuses_is_noted_and_the_branch_stands(place: Place) -> None:
    no = RefusedError(422, "Validation Failed", {"message": "No commits between main and it"})
    place.site.troubles = [(200, {}, []), no.answer, (200, {}, [])]
    made = place.release()

    assert made.commit == place.repo.tip(BRANCH)
    assert made.url is None
    assert made.note is not None
    assert made.note.startswith("No pull request could be opened: GitHub cannot do what was asked")
    assert "No commits between main and it" in made.note
    assert len(place.repo.statuses[made.commit]) == 1


def test_a_token_that_may_not_look_or_write_leaves_a_note(place: Place) -> None:
    no = RefusedError(403, "Resource not accessible by personal access token").answer
    place.site.troubles = [no, no]
    made = place.release()

    assert made.note is not None
    assert made.note.count("does not let our account") == 2
    place.site.troubles = [no]
    assert place.forge().find(place.project, BRANCH) is None


def test_trouble_that_may_pass_is_raised(place: Place) -> None:
    place.site.troubles = [(502, {}, None)]
    with pytest.raises(TransientError):
        place.release()
    place.site.troubles = [(429, {"Retry-After": "3"}, None)]
    with pytest.raises(LimitedError):
        place.release()

    assert place.release().url


def test_what_was_not_seen_is_no_green_status(place: Place) -> None:
    made = place.release(replace(OFFER, conclusion="neutral"))

    assert made.url
    assert place.repo.statuses == {}


def test_an_app_says_that_it_is_neutral(as_app: Place) -> None:
    as_app.release(replace(OFFER, conclusion="neutral"))

    assert as_app.repo.checks[0]["conclusion"] == "neutral"


def test_pull_requests_can_be_left_to_people(place: Place) -> None:
    made = place.release(pull_requests=False)

    assert made.url is None
    assert place.repo.pulls == {}
    assert len(place.repo.statuses[made.commit]) == 1
    assert place.forge(pull_requests=False).find(place.project, BRANCH) == made


def test_a_project_that_is_elsewhere_is_only_pushed(place: Place) -> None:
    forge = replace(place.forge(), repository_of=lambda _: None)
    made = forge.release(
        place.project,
        branch=BRANCH,
        base_commit=place.base,
        proposal=proposed(),
        message=MESSAGE,
        when=WHEN,
        trace_id=TRACE,
        offer=OFFER,
    )

    assert made == forge.find(place.project, BRANCH)
    assert place.site.calls == []


def test_a_push_that_is_refused_offers_nothing(place: Place) -> None:
    place.base = "0" * 40
    with pytest.raises(PoisonError):
        place.release()

    assert place.site.calls == []


GITHUB, OURS = "https://api.github.com", "https://git.acme.example/api/v3"


@pytest.mark.parametrize(
    ("git_url", "sources", "api", "name"),
    [
        ("https://github.com/acme/shop.git", (), GITHUB, "acme/shop"),
        ("https://github.com/acme/shop", ("github:acme/other",), GITHUB, "acme/shop"),
        ("git@github.com:acme/shop.git", (), GITHUB, "acme/shop"),
        ("ssh://git@ssh.github.com:443/acme/shop.git", (), GITHUB, "acme/shop"),
        ("ssh://git@git.acme.example/acme/shop.git", (), OURS, "acme/shop"),
        ("https://acme.ghe.com/acme/shop", (), "https://api.acme.ghe.com", "acme/shop"),
        ("https://github.com/acme/shop.git", ("github:acme/shop",), OURS, None),
        ("https://gitlab.example/acme/shop.git", ("github:acme/shop",), GITHUB, None),
        ("https://github.com/acme/group/shop.git", (), GITHUB, None),
        ("/srv/shop.git", ("github:acme/shop",), GITHUB, "acme/shop"),
        ("file:///srv/shop.git", ("github:acme/shop",), GITHUB, "acme/shop"),
        ("git@work:acme/shop.git", ("github:acme/shop", "jira:SHOP"), GITHUB, "acme/shop"),
        ("/srv/shop.git", ("github:acme/shop", "github:acme/other"), GITHUB, None),
        ("/srv/shop.git", ("github:acme/*",), GITHUB, None),
        ("/srv/shop.git", ("jira:SHOP",), GITHUB, None),
        (None, (), GITHUB, None),
    ],
)
def test_which_repository_a_project_has(
    git_url: str | None, sources: tuple[str, ...], api: str, name: str | None
) -> None:
    assert repository_of(Project(id="shop", git_url=git_url, sources=sources), api) == name
