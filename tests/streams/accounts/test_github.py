"""What our account at GitHub is for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.github_forge import GitHubForge
from connectors.github_messenger import GitHubTracker
from connectors.github_reviewers import ReviewedOwnership
from connectors.place_owners import NoOwnership
from schemas.projects import Project
from schemas.raw import Origin
from streams.accounts import github
from streams.config import Settings
from tests.processors.effects import FakeForge


def conf(**account: Any) -> Settings:
    shop = {"id": "shop", "sources": ["github:acme/Shop", "github:acme/*", "jira:SHOP"]}
    till = {"id": "till", "sources": ["GitHub:acme/till"]}
    known = {"token": "t", "repositories": ["ACME/shop", "acme/docs"]}
    return Settings.model_validate({"project": [shop, till], "github": known | account})


def test_each_repository_that_the_settings_name_is_asked_once() -> None:
    names = [poller.name for poller in github.pollers(conf())]

    assert sorted(names) == ["github/acme/docs", "github/acme/shop", "github/acme/till"]
    assert github.pollers(Settings()) == github.pollers(conf(backfill=False)) == []


def test_github_is_asked_who_reviewed_only_where_we_have_an_account() -> None:
    git = NoOwnership()

    assert github.ownership(Settings(), git) is git
    assert isinstance(github.ownership(conf(), git), ReviewedOwnership)


def test_deliveries_are_asked_for_again_where_the_settings_say_what_is_ours() -> None:
    url = "https://bugs.example/webhooks/github"
    names = [poller.name for poller in github.pollers(conf(webhook_url=url))]

    assert len(names) == 6
    assert "github/acme/till/redeliveries" in names


def test_a_repository_is_written_with_its_owner() -> None:
    with pytest.raises(ValidationError, match="repositories"):
        conf(repositories=["shop"])


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({}, "set either token, or app_id and private_key"),
        ({"token": "t", "app_id": "7", "private_key": "k"}, "set either token"),
        ({"app_id": "7"}, "both app_id and private_key"),
        ({"token": "t", "labels": {"fixed": "x" * 51}}, "1 to 50 characters"),
        ({"token": "t", "labels": {"fixed": ""}}, "1 to 50 characters"),
    ],
)
def test_who_we_are_at_github_is_said_once_and_wholly(account: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate({"github": account})


def test_a_bug_is_shown_by_labels_unless_the_settings_want_none() -> None:
    assert isinstance(github.labels(conf()), GitHubTracker)
    assert github.labels(conf(labels={})) is github.labels(Settings()) is None


def test_only_what_has_a_number_is_answered_at_github() -> None:
    known = Origin(channel="github", container="acme/shop", item="7")

    assert github.answers(known)
    for changes in ({"item": "delivery/7"}, {"item": "٧"}, {"container": "unknown"}):
        assert not github.answers(known.model_copy(update=changes))


def test_with_an_account_a_fix_is_offered_at_github_and_without_one_only_pushed() -> None:
    git = FakeForge()
    forge = github.forge(conf(pull_requests=False), git)

    assert github.forge(Settings(), git) is git
    assert isinstance(forge, GitHubForge)
    assert not forge.pull_requests
    shop = Project(id="shop", git_url="git@github.com:acme/shop.git")
    assert forge.repository_of(shop) == "acme/shop"
