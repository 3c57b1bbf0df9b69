"""A mailbox that reports come to, and the server that answers leave by."""

from __future__ import annotations

from pydantic import Field, SecretStr

from schemas.accounts.account import Account


class Mailbox(Account):
    """`[[mailbox]]`."""

    address: str = Field(pattern=r"^[^\s@<>]{1,64}@[^\s@<>]{1,190}$")
    """What people write to; also the container of its reports, `email:ADDRESS`."""
    user: str = ""
    """To sign in with; empty: the address."""
    password: SecretStr | None = None
