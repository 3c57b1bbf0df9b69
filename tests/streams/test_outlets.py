"""An account in the settings is enough for a channel to be answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.discord_client import DiscordMessenger
from connectors.github_forge import GitHubForge
from connectors.github_messenger import GitHubMessenger, GitHubTracker
from connectors.jira_messenger import JiraMessenger
from connectors.mail_messenger import MailMessenger
from connectors.slack_client import SlackMessenger
from schemas.projects import Project
from schemas.raw import Origin
from streams.channels import WAYS
from streams.config import Settings
from streams.outlets import github_answers, github_forge, github_pollers, mail, mail_pollers
from tests.connectors.fakes.github_app import pem
from tests.processors.effects import FakeForge

ACCOUNTS: list[tuple[str, dict[str, Any], type]] = [
    ("github", {"token": "t"}, GitHubMessenger),
    ("github", {"app_id": "7", "private_key": pem()}, GitHubMessenger),
    ("jira", {"url": "https://acme.atlassian.net", "token": "t"}, JiraMessenger),
    ("slack", {"token": "xoxb-1"}, SlackMessenger),
    ("discord", {"token": "t"}, DiscordMessenger),
]


@pytest.mark.parametrize(("channel", "account", "kind"), ACCOUNTS, ids=lambda v: str(v)[:12])
def test_with_an_account_a_channel_is_answered_and_without_one_not(
    channel: str, account: dict[str, Any], kind: type
) -> None:
    [way] = [way for way in WAYS if way.channel == channel]

    assert way.messenger(Settings()) is None
    assert isinstance(way.messenger(Settings.model_validate({channel: account})), kind)


def github_settings(**account: Any) -> Settings:
    shop = {"id": "shop", "sources": ["github:acme/Shop", "github:acme/*", "jira:SHOP"]}
    till = {"id": "till", "sources": ["GitHub:acme/till"]}
    known = {"token": "t", "repositories": ["ACME/shop", "acme/docs"]}
    return Settings.model_validate({"project": [shop, till], "github": known | account})


def test_each_repository_that_the_settings_name_is_asked_once() -> None:
    [way] = [way for way in WAYS if way.channel == "github"]
    names = [poller.name for poller in way.pollers(github_settings())]

    assert sorted(names) == ["github/acme/docs", "github/acme/shop", "github/acme/till"]
    assert way.pollers(Settings()) == way.pollers(github_settings(backfill=False)) == []


def test_deliveries_are_asked_for_again_where_the_settings_say_what_is_ours() -> None:
    url = "https://bugs.example/webhooks/github"
    names = [poller.name for poller in github_pollers(github_settings(webhook_url=url))]

    assert len(names) == 6
    assert "github/acme/till/redeliveries" in names


def test_a_repository_is_written_with_its_owner() -> None:
    with pytest.raises(ValidationError, match="repositories"):
        github_settings(repositories=["shop"])


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
    [way] = [way for way in WAYS if way.channel == "github"]

    assert isinstance(way.tracker(github_settings()), GitHubTracker)
    assert way.tracker(github_settings(labels={})) is way.tracker(Settings()) is None


def test_only_what_has_a_number_is_answered_at_github() -> None:
    known = Origin(channel="github", container="acme/shop", item="7")

    assert github_answers(known)
    for changes in ({"item": "delivery/7"}, {"item": "٧"}, {"container": "unknown"}):
        assert not github_answers(known.model_copy(update=changes))


def test_with_an_account_a_fix_is_offered_at_github_and_without_one_only_pushed() -> None:
    git = FakeForge()
    forge = github_forge(github_settings(pull_requests=False), git)

    assert github_forge(Settings(), git) is git
    assert isinstance(forge, GitHubForge)
    assert not forge.pull_requests
    shop = Project(id="shop", git_url="git@github.com:acme/shop.git")
    assert forge.repository_of(shop) == "acme/shop"


def test_mailboxes_are_read_and_answered_as_the_settings_say(tmp_path: Path) -> None:
    reads = {"address": "a@acme.example", "imap_host": "mail.acme.example", "password": "p"}
    sends = {"address": "b@acme.example", "smtp_host": "mail.acme.example", "password": "p"}
    silent = {**reads, "address": "c@acme.example", "answers": False, "backfill": False}
    conf = Settings.model_validate({"data_dir": tmp_path, "mailbox": [reads, sends, silent]})

    assert [one.name for one in mail_pollers(conf)] == ["email/a@acme.example/INBOX"]
    messenger = mail(conf)
    assert isinstance(messenger, MailMessenger)
    for address, says in (("c", "no mailbox of ours"), ("b", "not known here")):
        origin = Origin(channel="email", container=f"{address}@acme.example", item="1")
        assert says in (messenger.no_answer(origin) or "")
    messenger.close()
    nobody = Settings.model_validate({"data_dir": tmp_path, "mailbox": [silent]})
    assert mail(nobody) is None
