"""What a little mail server holds: folders of mails in memory, and what IMAP asks of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser

Test = Callable[["Stored"], bool]


@dataclass(slots=True)
class Stored:
    """One mail in a folder."""

    uid: int
    content: bytes
    at: datetime


@dataclass(slots=True)
class Folder:
    """Mails in order. A change of `uidvalidity` says that the numbers mean other mails now."""

    uidvalidity: int = 1
    uidnext: int = 1
    mails: list[Stored] = field(default_factory=list)


@dataclass(slots=True)
class Mailstore:
    """What the server holds. Thread-safe through `changed`."""

    folders: dict[str, Folder] = field(default_factory=lambda: {"INBOX": Folder()})
    changed: threading.Condition = field(default_factory=threading.Condition)

    def append(self, content: bytes, *, folder: str = "INBOX", at: datetime | None = None) -> int:
        """Lay a mail down and tell whoever waits; return its number."""
        with self.changed:
            found = self.folders[folder]
            uid = found.uidnext
            found.mails.append(Stored(uid, content, at or datetime.now(UTC)))
            found.uidnext += 1
            self.changed.notify_all()
        return uid

    def number_anew(self, *, folder: str = "INBOX") -> None:
        """Give the same mails other numbers, as a server does that was restored."""
        with self.changed:
            found = self.folders[folder]
            found.uidvalidity += 1
            for number, mail in enumerate(found.mails, start=1):
                mail.uid = number
            found.uidnext = len(found.mails) + 1


def found(mails: Sequence[Stored], words: Sequence[str]) -> list[Stored]:
    """Return what a SEARCH with these words finds. Raises `ValueError` for one that is not ours."""
    last = mails[-1].uid if mails else 0
    tests: list[Test] = []
    asked = iter(words)
    for word in asked:
        if word.upper() == "UID":
            tests.append(_numbered(next(asked, ""), last))
        elif word.upper() == "SINCE":
            tests.append(_since(next(asked, "")))
        elif word.upper() == "HEADER":
            tests.append(_with_header(next(asked, ""), next(asked, "")))
        elif word.upper() not in {"ALL", "UNSEEN"}:
            raise ValueError(word)
    return [mail for mail in mails if all(test(mail) for test in tests)]


def item(mail: Stored, name: str) -> bytes:
    """Return what a FETCH says of `mail`. Raises `ValueError` for an item that is not ours."""
    part = re.fullmatch(r"BODY(?:\.PEEK)?\[\](?:<(\d+)\.(\d+)>)?", name.upper())
    if part is not None:
        start = int(part[1] or 0)
        content = mail.content[start : start + int(part[2])] if part[2] else mail.content
        origin = b"<%d>" % start if part[2] else b""
        return b"BODY[]%b {%d}\r\n%b" % (origin, len(content), content)
    if name.upper() == "RFC822.SIZE":
        return b"RFC822.SIZE %d" % len(mail.content)
    raise ValueError(name)


def _numbered(said: str, last: int) -> Test:
    """Return whether a number is in a set; as in IMAP, `9:*` holds the last one even if it is 3."""
    ranges = [
        [last if end == "*" else int(end) for end in part.split(":")] for part in said.split(",")
    ]
    return lambda mail: any(min(ends) <= mail.uid <= max(ends) for ends in ranges)


def _since(said: str) -> Test:
    day = datetime.strptime(said, "%d-%b-%Y").replace(tzinfo=UTC).date()
    return lambda mail: mail.at.date() >= day


def _with_header(name: str, value: str) -> Test:
    def test(mail: Stored) -> bool:
        return value in str(BytesHeaderParser().parsebytes(mail.content).get(name, ""))

    return test
