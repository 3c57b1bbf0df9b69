"""A mail as a bug tracker sees it: who, about what, in which thread, in which words."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime

from processors.mail import mime
from processors.mail.html import HTML_CHARS_MAX, text_of
from processors.mail.mime import Header, Part

TEXT_CHARS_MAX = 1024 * 1024
REFERENCES_MAX = 100
RECIPIENTS_MAX = 100
ID_CHARS_MAX = 500
NAME_CHARS_MAX = 200
SUBJECT_CHARS_MAX = 1_000
REPORT_CHARS_MAX = 64 * 1024
ATTACHED_CHARS_MAX = 64 * 1024

_ID = re.compile(rf"<([^<>\s]{{1,{ID_CHARS_MAX}}})>")
_PREFIX = re.compile(
    r"\s*(?:re|aw|sv|vs|antw|antwort|res|odp|odpowied[źz]|ref|rif|ynt|回复|回覆|答复|答覆|返信|отв|ответ|"
    r"fwd?|wg|tr|rv|enc|pd|vb|vl|doorst|i|r|转发|轉寄|转寄|轉發|転送|пересл)"
    r"\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s*[:：]\s*",
    re.IGNORECASE,
)
_SHORT = re.compile(r"\s*[ir]\s*[:：]", re.IGNORECASE)
_PREFIXES_MAX = 50
_REPORTS = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/feedback-report",
        "message/disposition-notification",
        "message/rfc822",
        "text/rfc822-headers",
    }
)
_TEXTS = frozenset(
    {"text/plain", "text/markdown", "text/x-log", "text/x-python", "text/csv", "application/json"}
)
_TEXT_NAME = re.compile(
    r"\.(?:log|txt|out|err|trace|traceback|md|json|ya?ml|toml|ini|cfg|conf|csv|patch|diff|py|js|ts|"
    r"java|go|rs|rb|php|cs|c|h|cpp|sh)(?:\.\d{1,3})?\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Address:
    """A name as written, and the account in lower case: `local@domain`."""

    name: str
    account: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """What was attached; its bytes stay in the raw mail."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    text: str = ""
    """The beginning of what can be read as it is, such as a log; of all else nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """A part that a machine wrote for machines: a delivery status, the headers of another mail."""

    media_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, read as far as it can be read."""

    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    thread_root: str
    subject: str
    subject_as_sent: str
    sender: Address | None
    to: tuple[Address, ...]
    date: datetime | None
    text: str
    attachments: tuple[Attachment, ...]
    headers: tuple[Header, ...]
    reports: tuple[Report, ...]
    raw_sha256: str
    cut: bool

    def header(self, name: str) -> str:
        """Return the decoded value of the first header of this name, or nothing."""
        return mime.decoded(mime.first(self.headers, name.lower()))

    def has(self, name: str) -> bool:
        return any(header.name == name.lower() for header in self.headers)


def parse(raw: bytes) -> Mail:
    """Return `raw` as a mail: whatever is broken in it is left out, and nothing is raised."""
    headers, parts, cut = mime.split(raw)
    text, text_cut = _text(parts)
    raw_sha256 = hashlib.sha256(raw).hexdigest()
    ids = _ids(mime.first(headers, "message-id"))
    answered = _ids(mime.first(headers, "in-reply-to"))
    references = _ids(mime.first(headers, "references"))[:REFERENCES_MAX]
    subject = mime.decoded(mime.first(headers, "subject"))[:SUBJECT_CHARS_MAX]
    senders = addresses(mime.first(headers, "from"))
    return Mail(
        message_id=ids[0] if ids else None,
        in_reply_to=answered[0] if answered else None,
        references=references,
        # Without any id the mail is a thread of its own, the same one whenever it is read.
        thread_root=next(iter((*references, *answered, *ids)), f"{raw_sha256}@sha256.invalid"),
        subject=bare_subject(subject, is_reply=bool(answered or references)),
        subject_as_sent=subject,
        sender=senders[0] if senders else None,
        to=tuple(
            address
            for header in headers
            if header.name in {"to", "cc"}
            for address in addresses(header.value)
        )[:RECIPIENTS_MAX],
        date=_date(mime.first(headers, "date")),
        text=text,
        attachments=tuple(_attachment(part) for part in parts if _is_attached(part)),
        headers=headers,
        reports=tuple(
            Report(part.media_type, _part_text(part)[:REPORT_CHARS_MAX])
            for part in parts
            if part.media_type in _REPORTS
        ),
        raw_sha256=raw_sha256,
        cut=cut or text_cut,
    )


def bare_subject(subject: str, *, is_reply: bool = False) -> str:
    """Return `subject` without the prefixes of replies and forwards, in many languages.

    The one-letter prefixes of Italian clients count only on a reply: `R: cannot install` may be
    about the language.
    """
    subject = subject[:SUBJECT_CHARS_MAX]
    for _ in range(_PREFIXES_MAX):
        if not is_reply and _SHORT.match(subject):
            break
        prefix = _PREFIX.match(subject)
        if prefix is None or prefix.end() == len(subject):
            break
        subject = subject[prefix.end() :]
    return subject.strip()


def addresses(value: str) -> tuple[Address, ...]:
    """Return the addresses in a header's value. Never raises."""
    try:
        # Taken apart before encoded words are read: a name may decode to `,` or `<`.
        pairs = getaddresses([" ".join(value[: mime.HEADER_CHARS_MAX].split())])
    except (ValueError, IndexError, TypeError, RecursionError):
        # The library calls itself for each open comment and each empty address.
        return ()
    return tuple(
        Address(mime.decoded(name)[:NAME_CHARS_MAX], _lower(account.strip())[:ID_CHARS_MAX])
        for name, account in pairs[:RECIPIENTS_MAX]
        if "@" in account.strip("@")
    )


def _lower(account: str) -> str:
    """Return `account` in small letters, unless that makes somebody else of it: see Kelvin's k."""
    lower = account.lower()
    return lower if account.isascii() or not lower.isascii() else account


def _ids(value: str) -> tuple[str, ...]:
    """Return message ids without their brackets, each once; some clients forget the brackets."""
    found = _ID.findall(value) or [word for word in value.split()[:1] if "@" in word]
    return tuple(dict.fromkeys(found))


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value[:NAME_CHARS_MAX])
        # `-0000` says that the zone is unknown, and parses without one.
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _name(part: Part) -> str:
    name = part.parameter("filename", header="content-disposition") or part.parameter("name")
    # The last step of a path: a name leads nowhere.
    return re.split(r"[/\\]", name)[-1].strip()[:NAME_CHARS_MAX]


def _is_attached(part: Part) -> bool:
    disposition = part.header("content-disposition").split(";", 1)[0].strip().lower()
    if part.media_type in {"text/plain", "text/html"}:
        return disposition == "attachment" or (disposition != "inline" and bool(_name(part)))
    return part.media_type not in _REPORTS or disposition == "attachment" or bool(_name(part))


def _attachment(part: Part) -> Attachment:
    body = mime.content(part)
    name, sha256 = _name(part), hashlib.sha256(body).hexdigest()
    text = ""
    is_text = part.media_type in _TEXTS or bool(_TEXT_NAME.search(name))
    if is_text and b"\0" not in body[:ATTACHED_CHARS_MAX]:
        start = body[:ATTACHED_CHARS_MAX]
        # Not through the middle of a sign.
        start = start if len(start) == len(body) else start.rpartition(b"\n")[0] or start
        text = mime.text_of(start, part.parameter("charset")).replace("\r\n", "\n")
    return Attachment(name, part.media_type, len(body), sha256, text)


def _part_text(part: Part) -> str:
    # Four bytes are the most that a character takes.
    body = mime.content(part)[: 4 * TEXT_CHARS_MAX]
    return mime.text_of(body, part.parameter("charset"))


def _text(parts: tuple[Part, ...]) -> tuple[str, bool]:
    """Return the words of a mail, of each choice the plain ones, and whether some were cut."""
    texts: list[str] = []
    left = TEXT_CHARS_MAX
    html_left = HTML_CHARS_MAX
    plain = {
        part.choice
        for part in parts
        if part.choice is not None and part.media_type == "text/plain" and part.body.strip()
    }
    for part in parts:
        if _is_attached(part) or part.media_type not in {"text/plain", "text/html"}:
            continue
        if part.media_type == "text/html":
            if part.choice in plain:
                continue
            html = _part_text(part)[:html_left]
            html_left -= len(html)
            text = text_of(html)
        else:
            text = _unflowed(part, _part_text(part)[:left])
        texts.append(text[:left])
        left -= len(texts[-1])
    return "\n\n".join(text.strip("\n") for text in texts if text.strip()), left <= 0


def _unflowed(part: Part, text: str) -> str:
    """Join the soft line ends of `format=flowed` (RFC 3676), which would tear up a trace."""
    if part.parameter("format").lower() != "flowed":
        return text
    glue = "" if part.parameter("delsp").lower() == "yes" else " "
    lines: list[str] = []
    soft = False
    depth = 0
    for line in text.split("\n"):
        quotes = len(line) - len(line.lstrip(">"))
        words = line[quotes:].removeprefix(" ")
        if soft and quotes == depth and words != "-- ":
            lines.append(glue + words.rstrip(" "))
        else:
            lines.append(
                ("\n" if lines else "") + (">" * quotes + " " if quotes else "") + words.rstrip(" ")
            )
        soft = words.endswith(" ") and words != "-- "
        depth = quotes
    return "".join(lines)
