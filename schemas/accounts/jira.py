"""Our account at Jira Cloud."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.accounts.account import Secret, TokenAccount, WebAddress
from schemas.tell import Moment


class JiraAccount(TokenAccount):
    """`[jira]`: asked for are the projects that are sources (`jira:KEY`)."""

    url: WebAddress
    """Such as https://acme.atlassian.net."""
    email: str = ""
    """Of the account whose API token `token` is; empty: it is a bearer token."""
    token: Secret
    transitions: dict[Moment, Literal["new", "indeterminate", "done"]] = Field(default_factory=dict)
    """Outcome -> category of the status an issue is moved to, such as `fixed = "done"`; the names
    of statuses differ from project to project, their categories do not. Empty: none is moved."""
