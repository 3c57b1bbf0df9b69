"""No token goes where anybody could read it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from schemas.accounts.account import Account
from schemas.accounts.discord import DiscordAccount
from schemas.accounts.github import GitHubAccount
from schemas.accounts.jira import JiraAccount
from schemas.accounts.mailbox import OAuth
from schemas.accounts.monitoring import AlertmanagerAccount, SentryAccount
from schemas.accounts.slack import SlackAccount

ACCOUNTS = (
    DiscordAccount,
    GitHubAccount,
    JiraAccount,
    SentryAccount,
    SlackAccount,
    AlertmanagerAccount,
)
MORE = {SentryAccount: {"organization": "acme"}}


def made(kind: type[Account], url: str) -> Account:
    return kind.model_validate({"url": url, "token": "t", **MORE.get(kind, {})})


@pytest.mark.parametrize("kind", ACCOUNTS)
@pytest.mark.parametrize(
    "url",
    [
        "http://provider.example",
        "provider.example",
        "",
        "ftp://x",
        "https://t@provider.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
    ],
)
def test_a_token_goes_over_https_only(kind: type[Account], url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        made(kind, url)
    with pytest.raises(ValidationError, match="url"):
        OAuth.model_validate({"token_url": url, "client_id": "c", "client_secret": "s"})


@pytest.mark.parametrize("kind", ACCOUNTS)
@pytest.mark.parametrize("url", ["https://provider.example/api", "http://127.0.0.1:80/"])
def test_https_and_this_very_machine_are_fine(kind: type[Account], url: str) -> None:
    assert made(kind, url)
