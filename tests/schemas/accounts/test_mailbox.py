"""What settings of a mailbox may say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.accounts.mailbox import Mailbox


def box(**more: Any) -> Mailbox:
    return Mailbox.model_validate({"address": "Bugs@Acme.example", "password": "p", **more})


def test_what_is_left_out_follows_from_the_rest() -> None:
    plain = box(imap_host="mail.acme.example")
    starttls = box(imap_host="imap.acme.example", smtp_security="starttls", smtp_host="smtp.x")

    assert plain.container == "bugs@acme.example"
    assert (plain.imap_port_used, plain.smtp_port_used) == (993, 465)
    assert plain.smtp_host_used == "mail.acme.example"
    assert (starttls.smtp_host_used, starttls.smtp_port_used) == ("smtp.x", 587)
    assert box(imap_host="127.0.0.1", imap_security="none").smtp_port_used == 25


@pytest.mark.parametrize("host", ["mail.acme.example", "10.0.0.1", "localhost.acme.example"])
def test_a_password_leaves_this_machine_only_encrypted(host: str) -> None:
    with pytest.raises(ValidationError, match="in the clear"):
        box(imap_host=host, imap_security="none")
    with pytest.raises(ValidationError, match="in the clear"):
        box(imap_host="127.0.0.1", smtp_host=host, smtp_security="none")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"imap_host": "m.example", "password": None}, "password: set it"),
        ({"oauth": {}}, "set `token`"),
        ({"oauth": {"token_url": "http://id.example/t", "client_id": "c"}}, "https://"),
        ({"oauth": {"token_url": "http://127.0.0.1.evil.example/t", "client_id": "c"}}, "https://"),
        ({"oauth": {"token_url": "http://127.0.0.1@evil.example/t", "client_id": "c"}}, "https://"),
        ({"address": "no address"}, "address"),
        ({"address": "a\r\nBcc: x@y.example"}, "address"),
        ({"imap_hots": "typo"}, "imap_hots"),
    ],
)
def test_what_cannot_work_is_refused_by_name(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        box(**more)


def test_tokens_may_come_from_this_machine() -> None:
    found = box(oauth={"token_url": "http://127.0.0.1:9/token", "client_id": "c"})

    assert found.oauth is not None
