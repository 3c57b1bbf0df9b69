"""Our account at Jira Cloud."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from schemas.accounts.account import Account
from schemas.tell import Moment


class JiraAccount(Account):
    """`[jira]`."""

    url: str = Field(pattern=r"^https?://[!-~]{1,300}$")
    """Such as https://acme.atlassian.net."""
    email: str = ""
    """Of the account whose API token `token` is; empty: it is a bearer token."""
    token: SecretStr
    transitions: dict[Moment, Literal["new", "indeterminate", "done"]] = Field(default_factory=dict)
    """Outcome -> category of the status an issue is moved to, such as `fixed = "done"`; the names
    of statuses differ from project to project, their categories do not. Empty: none is moved."""
