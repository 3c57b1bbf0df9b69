"""Our account at GitHub: a token, or an app."""

from __future__ import annotations

from pydantic import Field, SecretStr

from schemas.accounts.account import Account


class GitHubAccount(Account):
    """`[github]`."""

    url: str = Field(default="https://api.github.com", pattern=r"^https?://[!-~]{1,300}$")
    """Of the REST API; GitHub Enterprise has it at https://HOST/api/v3."""
    token: SecretStr | None = None
