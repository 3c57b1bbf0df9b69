"""Our account at GitHub: a token, or an app."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.accounts.account import Account, Secret, WebAddress, require_private
from schemas.raw import LABEL_PREFIX

LABELS = {
    "fixed": "bugstream:fix-ready",
    "could_not": "bugstream:could-not-fix",
    "not_verified": "bugstream:not-verified",
    "approval": "bugstream:waits-for-approval",
    "abandoned": "bugstream:stopped",
    "rejected": "bugstream:stopped",
}

RepositoryName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$")
]


class GitHubAccount(Account):
    """`[github]`: `token`, or `app_id` and `private_key`."""

    url: WebAddress = "https://api.github.com"
    """Of the REST API; GitHub Enterprise has it at https://HOST/api/v3."""
    token: Secret | None = None
    app_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.]{1,60}$")
    """The app's number or its client id."""
    private_key: Secret | None = None
    """The app's, in PEM, as GitHub made it."""
    installation_id: int | None = Field(default=None, ge=1)
    """Of the app; unset: the one of each repository."""
    labels: dict[str, str] = LABELS
    """Which label shows which outcome on an issue; an outcome without one shows none.

    One that is there already and is not called `bugstream:...` must be described as
    "Set by bugstream, a program": else it is taken for news of the bug when it comes back.
    """
    label_prefix: str = Field(default=LABEL_PREFIX, max_length=40)
    """Labels that begin so are ours to take away again; empty: only those of `labels` are."""
    pull_requests: bool = True
    """Whether a verified fix is also offered as a pull request; else its branch alone."""
    repositories: tuple[RepositoryName, ...] = ()
    """`owner/name` of those that are asked beside the projects' sources, which name theirs."""
    backfill_days: int = Field(default=1, ge=0, le=365)
    """How far back the first round looks; later ones go on where the last one ended."""
    webhook_url: str | None = Field(default=None, pattern=r"^https?://[!-~]{1,1900}$")
    """Where our webhooks lead: those that failed are asked for again; unset: none are."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_private(self.url, "url")
        is_app = self.app_id is not None or self.private_key is not None
        if is_app and (self.app_id is None or self.private_key is None):
            raise ValueError("an app needs both app_id and private_key")
        if is_app == (self.token is not None):
            raise ValueError("set either token, or app_id and private_key")
        if unknown := sorted(self.labels.keys() - LABELS.keys()):
            raise ValueError(f"labels: {unknown[0][:60]!r} is none of {', '.join(LABELS)}")
        if wrong := [name for name in self.labels.values() if not 1 <= len(name) <= 50]:
            raise ValueError(f"labels: {wrong[0][:60]!r} must have 1 to 50 characters")
        return self
