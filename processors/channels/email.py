"""Mail: the first one of a thread is a report, what follows are comments on it."""

from __future__ import annotations

import re

from processors.channels.parsed import Parsed
from processors.mail.automatic import Own, classify
from processors.mail.letter import account_of
from processors.mail.message import Attachment, Mail
from processors.mail.message import parse as read_mail
from processors.mail.replies import reply
from schemas.raw import RawReceived

SILENT = frozenset({"own", "bounce", "complaint", "auto_reply", "newsletter"})
"""What these mails are is no bug, whatever words they hold."""
ATTACHMENTS_NAMED_MAX = 50
ATTACHED_CHARS_MAX = 200_000
"""Of all attached texts together."""
CUT_HEADER = "x-bugstream-cut"
_FENCE = re.compile(r"`{3,}")


def parse(raw: RawReceived, body: bytes) -> Parsed | None:
    """Return what a person wrote now; nothing for mail of machines and for our own.

    The mailbox has decided by the thread what the mail is, and the route says so: `email/report`,
    `email/reply`, or what else it is. Without its word the mail alone decides.
    """
    decided = raw.route.partition("/")[2]
    if decided not in {"", "report", "reply"}:
        return None
    mail = read_mail(body)
    found = classify(mail, own=Own(accounts=(raw.origin.container,)))
    if found.kind in SILENT or (found.kind == "generated" and not decided):
        return None
    is_comment = decided == "reply" or (
        not decided and (mail.in_reply_to is not None or bool(mail.references))
    )
    text = _text(mail, is_comment=is_comment)
    title = " ".join(mail.subject.split()) or next(iter(text.split("\n")), "")[:200]
    if not text and not mail.attachments and not title:
        return None
    account = account_of(mail)
    return Parsed(
        title=title or "(no subject)",
        text=text,
        account=f"email:{account or 'unknown'}",
        created_at=mail.date.isoformat() if mail.date else None,
        comment=is_comment,
        attachments=tuple(
            one.name or one.media_type for one in mail.attachments[:ATTACHMENTS_NAMED_MAX]
        ),
    )


def _text(mail: Mail, *, is_comment: bool) -> str:
    """Return the words, then attached texts, quoted, so that traces in them are found."""
    said = reply(mail.text)
    parts = [said.text]
    if said.older and not is_comment:
        # Whoever brings us into a thread late means what stands below: it may be the bug.
        quoted = "\n".join(f"> {line}".rstrip() for line in said.older.split("\n"))
        parts.append(f"Quoted in the mail:\n\n{quoted}")
    left = ATTACHED_CHARS_MAX
    for one in mail.attachments[:ATTACHMENTS_NAMED_MAX]:
        if one.text.strip() and left > 0:
            parts.append(_quoted(one, left))
            left -= len(one.text)
    size = mail.header(CUT_HEADER)[:20]
    if mail.has(CUT_HEADER) or mail.cut:
        whole = f" ({size} bytes)" if size.isdecimal() else ""
        parts.append(f"The mail was too large{whole}: only its beginning was read.")
    return "\n\n".join(part for part in parts if part.strip())


def _quoted(attachment: Attachment, chars_max: int) -> str:
    text = attachment.text[:chars_max].rstrip()
    fence = "`" * max([3, *(len(run[0]) + 1 for run in _FENCE.finditer(text))])
    name = " ".join(attachment.name.split())[:100].replace("`", "'") or "a text"
    return f"Attached, `{name}`:\n\n{fence}\n{text}\n{fence}"
