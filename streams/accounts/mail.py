"""Mail: our mailboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.mail_threads import MailThreads
    from connectors.oauth_token import OAuthToken
    from connectors.poller import Poller
    from processors.ports import Messenger
    from schemas.accounts.mailbox import Mailbox
    from streams.config import Settings


def oauth_of(box: Mailbox) -> OAuthToken | None:
    """Return what has fresh tokens for `box`; None: it signs in with a password."""
    from connectors.oauth_token import OAuthToken

    return OAuthToken(box.oauth) if box.oauth is not None else None


def messenger(settings: Settings) -> Messenger | None:
    """Return what answers mails by their mailbox's own server."""
    from connectors.mail_messenger import MailMessenger
    from processors.mail.to_html import to_html, to_plain

    answering = [box for box in settings.mailbox if box.answers and box.smtp_host_used]
    if not answering:
        return None
    boxes = {box.container: (box, oauth_of(box)) for box in answering}
    return MailMessenger(boxes, _mail_threads(settings), to_plain=to_plain, to_html=to_html)


def pollers(settings: Settings) -> list[Poller]:
    """Return what reads each mailbox; no connection is made yet."""
    from connectors.imap_poller import ImapPoller
    from processors.mail import letter
    from processors.mail.automatic import Own
    from processors.mail.trust import Border

    own = Own(accounts=tuple(box.container for box in settings.mailbox))

    def poller(box: Mailbox) -> Poller:
        border = None
        if box.authserv_id:
            border = Border(box.authserv_id, box.trusted_hosts, stamps_below=box.stamps_below)

        def read(raw: bytes) -> letter.Letter:
            return letter.read(raw, own=own, border=border)

        return ImapPoller(box, _mail_threads(settings), read, token=oauth_of(box))

    return [poller(box) for box in settings.mailbox if box.imap_host and box.backfill]


def _mail_threads(settings: Settings) -> MailThreads:
    from connectors.database import open_engine
    from connectors.mail_threads import MailThreads

    return MailThreads(lambda: open_engine(settings.store_url("inbox")))
