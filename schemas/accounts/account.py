"""What every account of ours at a provider has in common."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Secret = Annotated[SecretStr, Field(min_length=1)]
"""Of an empty one nobody would know: everybody can sign with it."""
WebAddress = Annotated[str, Field(pattern=r"^https?://[!-~]{1,300}$")]


class Account(BaseModel):
    """A table of the settings file. Unknown keys are refused: a typo must not pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    messages_per_minute_max: int = Field(default=60, ge=1, le=10_000)
    """How many messages we write there at most; a provider that asks for less is obeyed."""
    poll_every_s: int = Field(default=300, ge=5, le=86_400)
    """How often we ask what was lost on its way to us; see `backfill`."""
    backfill: bool = True
    """Whether the provider is asked at all."""


class TokenAccount(Account):
    """An address and a token that goes there, over https alone."""

    url: WebAddress
    token: Secret

    @model_validator(mode="after")
    def _goes_over_https(self) -> Self:
        require_private(self.url, "url")
        return self


def require_private(url: str, setting: str) -> None:
    """Raise `ValueError` for a URL over which no token may go: anybody could read it."""
    try:
        parts = urlsplit(url)
        is_near = is_loopback(parts.hostname or "")
    except ValueError:
        raise ValueError(f"{setting}: not a URL") from None
    if parts.username or not parts.hostname:
        raise ValueError(f"{setting}: write it as https://HOST, without a name or a password")
    if parts.scheme != "https" and not is_near:
        raise ValueError(f"{setting}: a token goes there, so it must begin with https://")


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
