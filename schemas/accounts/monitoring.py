"""Monitoring systems that can be asked what they have."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from schemas.accounts.account import (
    Account,
    Secret,
    TokenAccount,
    WebAddress,
    require_private,
)


class AlertmanagerAccount(Account):
    """`[alertmanager]`: one Alertmanager, or one cluster behind one URL.

    Asked for are the alerts of the receivers that projects name as sources
    (`monitoring:alertmanager/RECEIVER`). An alert of theirs that does not fire here is taken to be
    over: name no receiver there that posts to us from another Alertmanager.
    """

    url: WebAddress
    """Such as http://alertmanager:9093, up to where /api/v2 begins."""
    token: Secret | None = None
    """A bearer token, for a proxy that wants one."""
    answers: bool = True
    """Whether an alert is answered by another one, `BugstreamAnswer`, shown for a day. Your routes
    decide who is told of it: give it one of its own where the first one calls people at night."""

    settled_s: int = Field(default=600, ge=0, le=86_400)
    """How long an alert must be gone before we close it unasked. Longer than `group_interval` of
    your routes, for so long Alertmanager's own word may be on its way, and longer than it takes
    until an Alertmanager that was started anew is told again what fires."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.token is not None:
            require_private(self.url, "url")
        return self


class SentryAccount(TokenAccount):
    """`[sentry]`: asked for are the projects that are sources (`monitoring:sentry/SLUG`)."""

    url: WebAddress = "https://sentry.io"
    organization: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    """Its short name, as it stands in Sentry's addresses."""
    token: Secret
    """Of an internal integration, with the scope `event:read`."""
