"""The doctor signs in to mailboxes and names what a person has to put right."""

from __future__ import annotations

from pathlib import Path

from streams.config import Settings
from streams.doctor_kafka import Check
from streams.doctor_mail import check_mailboxes
from tests.connectors.mail_servers import (
    ADDRESS,
    PASSWORD,
    Postman,
    free_port,
    little_imap,
    smtp_server,
)


def checks(data_dir: Path, /, **box: object) -> dict[str, Check]:
    account = {
        "address": ADDRESS,
        "password": PASSWORD,
        "imap_host": "127.0.0.1",
        "imap_security": "none",
        **box,
    }
    settings = Settings.model_validate({"data_dir": data_dir, "mailbox": [account]})
    return {one.name.removeprefix(f"mailbox {ADDRESS} "): one for one in check_mailboxes(settings)}


def test_a_mailbox_that_works_is_said_to(tmp_path: Path) -> None:
    with little_imap() as server, smtp_server(Postman()) as port:
        found = checks(tmp_path, imap_port=server.port, smtp_port=port, authserv_id="mx.acme")

    assert {name: one.state for name, one in found.items()} == {"mail in": "ok", "mail out": "ok"}
    assert "0 mails" in found["mail in"].found


def test_what_is_wrong_is_named_with_the_way_out(tmp_path: Path) -> None:
    with little_imap() as server:
        found = checks(tmp_path, imap_port=server.port, smtp_port=free_port(), folder="None")
        wrong = checks(tmp_path, imap_port=server.port, password="not-right", answers=False)

    assert {name: one.state for name, one in found.items()} == {
        "mail in": "missing",
        "mail out": "missing",
        "senders": "note",
    }
    assert "correct folder" in found["mail in"].found
    assert ADDRESS in (found["mail out"].way_out or "")
    assert "user or password" in wrong["mail in"].found
    assert "not-right" not in str(wrong)
    assert "mail out" not in wrong
