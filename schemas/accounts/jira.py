"""Our account at Jira Cloud."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.accounts.account import Account, Secret, require_private
from schemas.tell import Moment


class JiraAccount(Account):
    """`[jira]`: asked for are the projects that are sources (`jira:KEY`)."""

    url: str = Field(pattern=r"^https?://[!-~]{1,300}$")
    """Such as https://acme.atlassian.net."""
    email: str = ""
    """Of the account whose API token `token` is; empty: it is a bearer token."""
    token: Secret
    transitions: dict[Moment, Literal["new", "indeterminate", "done"]] = Field(default_factory=dict)
    """Outcome -> category of the status an issue is moved to, such as `fixed = "done"`; the names
    of statuses differ from project to project, their categories do not. Empty: none is moved."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_private(self.url, "url")
        return self
