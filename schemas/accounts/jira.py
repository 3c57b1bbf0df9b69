"""Our account at Jira Cloud."""

from __future__ import annotations

from pydantic import Field, SecretStr

from schemas.accounts.account import Account


class JiraAccount(Account):
    """`[jira]`."""

    url: str = Field(pattern=r"^https?://[!-~]{1,300}$")
    """Such as https://acme.atlassian.net."""
    email: str = ""
    """Of the account whose API token `token` is; empty: it is a bearer token."""
    token: SecretStr
