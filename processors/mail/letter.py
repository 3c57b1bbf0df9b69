"""What a mailbox must know of a mail before it is kept: whose it is, and whom to answer."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from processors.mail.automatic import Automatic, Own, classify
from processors.mail.message import Mail, addresses, parse
from processors.mail.mime import first
from processors.mail.rules import verdict
from processors.mail.trust import Border, sender_of

ACCOUNT = re.compile(r"[!#-'*+/-9=?A-Z^-~.-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}")
_NO_REPLY = re.compile(
    r"(?:.{0,60}[._+-])?(?:no|do[._-]?not|never)[._-]?reply(?:[._+-].{0,60})?@.*"
)
_BODY = re.compile(rb"\r?\n\r?\n")
ACCOUNT_CHARS_MAX = 200
SUBJECT_CHARS_MAX = 300
MESSAGE_ID_CHARS_MAX = 250
EARLIER_MAX = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, as the mailbox needs to know it."""

    kind: str
    reason: str
    reads_like_bug: bool
    account: str
    verified: bool
    reply_to: str
    no_answer: str
    subject: str
    message_id: str
    earlier: tuple[str, ...]
    meaning: str


def read(raw: bytes, *, own: Own, border: Border | None) -> Letter:
    """Return what `raw` is, for the mailbox whose addresses `own` names. Never raises.

    Without a `border` nobody is proven.
    """
    mail = parse(raw)
    found = classify(mail, own=own)
    trust = sender_of(mail.headers, border=border) if border else None
    verified = trust is not None and trust.verified
    account = account_of(mail)
    # Who may write anything into From may do so into Reply-To: then others would get our answers.
    reply_to = (_reply_to(mail) if verified else "") or account
    message_id = (mail.message_id or f"{mail.raw_sha256}@sha256.invalid")[:MESSAGE_ID_CHARS_MAX]
    before = [*mail.references, *([mail.in_reply_to] if mail.in_reply_to else [])]
    earlier = dict.fromkeys(one[:MESSAGE_ID_CHARS_MAX] for one in before)
    return Letter(
        kind=found.kind,
        reason="; ".join(found.reasons),
        reads_like_bug=found.kind == "generated" and verdict(mail.subject, mail.text).is_bug,
        account=account,
        verified=verified,
        reply_to=reply_to,
        no_answer=_no_answer(mail, found, reply_to, own),
        subject=" ".join(mail.subject.split())[:SUBJECT_CHARS_MAX],
        message_id=message_id,
        # The first names the thread, the last ones are the nearest.
        earlier=_bounded(tuple(one for one in earlier if one != message_id)),
        meaning=_meaning(mail, raw),
    )


def account_of(mail: Mail) -> str:
    """Return the sender's address, if it is one."""
    return _usable(mail.sender.account if mail.sender else "")


def _reply_to(mail: Mail) -> str:
    named = addresses(first(mail.headers, "reply-to"))
    return _usable(named[0].account if len(named) == 1 else "")


def _usable(account: str) -> str:
    is_one = len(account) <= ACCOUNT_CHARS_MAX and ACCOUNT.fullmatch(account) is not None
    return account if is_one else ""


def _no_answer(mail: Mail, found: Automatic, reply_to: str, own: Own) -> str:
    ours = {account.lower() for account in own.accounts}
    addressed = any(re.sub(r"\+[^@]{0,64}@", "@", address.account) in ours for address in mail.to)
    if found.kind != "person":
        return f"a program wrote it ({found.kind})"
    if not reply_to:
        return "it names no address that could be answered"
    if reply_to in ours:
        return "it comes from our own address"
    if _NO_REPLY.fullmatch(reply_to):
        return "its address takes no replies"
    if found.list_id is not None and not addressed:
        return "it was written to a mailing list, and not to us"
    return ""


def _bounded(ids: tuple[str, ...]) -> tuple[str, ...]:
    return ids if len(ids) <= EARLIER_MAX else (ids[0], *ids[-(EARLIER_MAX - 1) :])


def _meaning(mail: Mail, raw: bytes) -> str:
    """Return the hash of what the sender wrote. Servers add headers, to each copy its own."""
    begins = _BODY.search(raw)
    body = hashlib.sha256(raw[begins.end() :] if begins else raw).hexdigest()
    said = [mail.message_id, *(first(mail.headers, name) for name in ("from", "date", "subject"))]
    return hashlib.sha256(json.dumps([*said, body]).encode("utf-8", "surrogatepass")).hexdigest()
