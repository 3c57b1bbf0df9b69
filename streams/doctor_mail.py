"""Signs in to every mailbox and its way out, and says what a person has to put right."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.accounts.mailbox import Mailbox
from schemas.errors import BugstreamError
from streams.config import Settings
from streams.doctor_kafka import Check


def check_mailboxes(settings: Settings) -> Iterator[Check]:
    """Yield for each mailbox whether its mail can be read and answered; a minute each at most."""
    for box in settings.mailbox:
        if box.imap_host and box.backfill:
            yield _mail_in(box)
        if box.answers and box.smtp_host_used:
            yield _mail_out(box)
        if not box.authserv_id:
            yield Check(
                f"mailbox {box.address} senders",
                "note",
                "authserv_id is not set: no sender is proven, so nobody is trusted",
                "Set authserv_id to the name your mail server writes in Authentication-Results.",
            )


def _mail_in(box: Mailbox) -> Check:
    from connectors.imap import ImapSession
    from streams.accounts.mail import oauth_of

    name = f"mailbox {box.address} mail in"
    try:
        session = ImapSession(box, oauth_of(box))
        try:
            found = session.open_folder(box.folder)
        finally:
            session.leave()
    except BugstreamError as error:
        return Check(name, "missing", str(error), f"Correct it under [[mailbox]] {box.address}.")
    return Check(name, "ok", f"{box.folder} at {box.imap_host}, {found.exists} mails in it")


def _mail_out(box: Mailbox) -> Check:
    from connectors.mail_messenger import check
    from streams.accounts.mail import oauth_of

    name = f"mailbox {box.address} mail out"
    try:
        where = check(box, oauth_of(box))
    except BugstreamError as error:
        return Check(name, "missing", str(error), f"Correct it under [[mailbox]] {box.address}.")
    return Check(name, "ok", f"signed in to {where}, nothing sent")
