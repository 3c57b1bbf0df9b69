"""What our mailboxes are for."""

from __future__ import annotations

from pathlib import Path

from connectors.mail_messenger import MailMessenger
from schemas.raw import Origin
from streams.accounts import mail
from streams.config import Settings


def test_mailboxes_are_read_and_answered_as_the_settings_say(tmp_path: Path) -> None:
    reads = {"address": "a@acme.example", "imap_host": "mail.acme.example", "password": "p"}
    sends = {"address": "b@acme.example", "smtp_host": "mail.acme.example", "password": "p"}
    silent = {**reads, "address": "c@acme.example", "answers": False, "backfill": False}
    conf = Settings.model_validate({"data_dir": tmp_path, "mailbox": [reads, sends, silent]})

    assert [one.name for one in mail.pollers(conf)] == ["email/a@acme.example/INBOX"]
    messenger = mail.messenger(conf)
    assert isinstance(messenger, MailMessenger)
    for address, says in (("c", "no mailbox of ours"), ("b", "not known here")):
        origin = Origin(channel="email", container=f"{address}@acme.example", item="1")
        assert says in (messenger.no_answer(origin) or "")
    messenger.close()
    nobody = Settings.model_validate({"data_dir": tmp_path, "mailbox": [silent]})
    assert mail.messenger(nobody) is None
