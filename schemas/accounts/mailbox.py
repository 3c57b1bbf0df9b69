"""A mailbox that reports come to, and the server that answers leave by."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.accounts.account import Account, Secret, is_loopback, require_private

Security = Literal["ssl", "starttls", "none"]
_HOST = r"^[A-Za-z0-9._:-]{0,253}$"
IMAP_PORTS: dict[Security, int] = {"ssl": 993, "starttls": 143, "none": 143}
SMTP_PORTS: dict[Security, int] = {"ssl": 465, "starttls": 587, "none": 25}


class OAuth(BaseModel):
    """`[mailbox.oauth]`: sign in by XOAUTH2, as Gmail and Exchange Online want it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: Secret | None = None
    """An access token that somebody else keeps fresh; else it is asked for at `token_url`."""
    token_url: str = Field(default="", pattern=r"^(https?://[!-~]{1,500})?$")
    client_id: str = Field(default="", max_length=500)
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    """Without one the client signs in for itself (`client_credentials`)."""
    scope: str = Field(default="", max_length=1000)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.token is None and not (self.token_url and self.client_id):
            raise ValueError("set `token`, or `token_url` and `client_id` with a secret")
        if self.token_url:
            require_private(self.token_url, "token_url")
        return self


class Mailbox(Account):
    """`[[mailbox]]`."""

    address: str = Field(pattern=r"^[!#-'*+/-9=?A-Z^-~.-]{1,64}@[A-Za-z0-9.-]{1,190}$")
    """What people write to; also the container of its reports, `email:ADDRESS`, in lower case."""
    display_name: str = Field(default="bugstream", max_length=100)
    """Shown as the sender of answers."""
    user: str = ""
    """To sign in with; empty: the address."""
    password: Secret | None = None
    oauth: OAuth | None = None
    tls_ca_file: Path | None = None
    """Certificates to believe instead of the system's, for a server with one of its own."""

    imap_host: str = Field(default="", pattern=_HOST)
    """Where mail is read; empty: it is not, and answers alone are sent."""
    imap_port: int = Field(default=0, ge=0, le=65535)
    """0: 993, or 143 without `ssl`."""
    imap_security: Security = "ssl"
    """`none` is for a server on this machine alone."""
    folder: str = Field(default="INBOX", min_length=1, max_length=200)
    backfill_days: int = Field(default=1, ge=0, le=3650)
    """Of a mailbox that is new to us, mails so old are still read; nothing older ever is."""
    mail_bytes_max: int = Field(default=16 * 1024 * 1024, ge=64 * 1024, le=32 * 1024 * 1024)
    """Of a larger mail the headers and the beginning are read."""
    mails_per_sender_per_day_max: int = Field(default=200, ge=1)
    """What one sender writes beyond it is kept, and makes no report: it may be a loop."""

    authserv_id: str = Field(default="", max_length=253)
    """The name our own mail server signs `Authentication-Results` with; empty: nobody is proven."""
    trusted_hosts: tuple[str, ...] = ()
    """Other hosts of ours that mail passes through: only what they wrote above is believed."""
    stamps_below: bool = False
    """Whether that server writes its result below its own `Received` (Gmail and Exchange do)."""

    smtp_host: str = Field(default="", pattern=_HOST)
    """Where answers leave; empty: `imap_host`."""
    smtp_port: int = Field(default=0, ge=0, le=65535)
    """0: 465, 587 with `starttls`, 25 with `none`."""
    smtp_security: Security | None = None
    """Empty: that of IMAP."""
    smtp_user: str = ""
    smtp_password: Secret | None = None
    """Empty: how IMAP is signed in to. A server that offers no sign-in is not asked for one."""
    sent_folder: str = Field(default="", max_length=200)
    """Where a copy of each answer is laid, and looked for before it is sent again."""
    answers: bool = True
    answer_unverified: bool = True
    """Whether senders that nobody vouches for are answered: their address may be another's."""
    answers_per_thread_per_day_max: int = Field(default=10, ge=1)
    answers_per_address_per_day_max: int = Field(default=50, ge=1)
    """Who writes in another's name has our answers sent to them: not more than these."""

    @property
    def container(self) -> str:
        """Return the address as it stands in an origin."""
        return self.address.lower()

    @property
    def imap_port_used(self) -> int:
        return self.imap_port or IMAP_PORTS[self.imap_security]

    @property
    def smtp_host_used(self) -> str:
        return self.smtp_host or self.imap_host

    @property
    def smtp_security_used(self) -> Security:
        return self.smtp_security or self.imap_security

    @property
    def smtp_port_used(self) -> int:
        return self.smtp_port or SMTP_PORTS[self.smtp_security_used]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, host, security in (
            ("imap", self.imap_host, self.imap_security),
            ("smtp", self.smtp_host_used, self.smtp_security_used),
        ):
            if host and security == "none" and not is_loopback(host):
                raise ValueError(
                    f"{name}_security: `none` would send the password in the clear to {host};"
                    " use `ssl` or `starttls`"
                )
        if self.imap_host and self.password is None and self.oauth is None:
            raise ValueError("password: set it, or the table [mailbox.oauth]")
        return self
