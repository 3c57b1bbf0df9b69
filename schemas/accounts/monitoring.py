"""Monitoring systems that can be asked what they have."""

from __future__ import annotations

from pydantic import Field, SecretStr

from schemas.accounts.account import Account


class AlertmanagerAccount(Account):
    """`[alertmanager]`."""

    url: str = Field(pattern=r"^https?://[!-~]{1,300}$")
    token: SecretStr | None = None


class SentryAccount(Account):
    """`[sentry]`."""

    url: str = Field(default="https://sentry.io", pattern=r"^https?://[!-~]{1,300}$")
    organization: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    token: SecretStr
