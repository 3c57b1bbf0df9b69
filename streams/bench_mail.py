"""How well mails are understood: replies, bounces and odd mails of a folder, and made-up ones."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from processors.mail.automatic import Own, classify
from processors.mail.message import Mail, parse
from processors.mail.replies import trim
from processors.mail.rules import verdict
from processors.mail.trust import Border, sender_of
from streams.ordinary_mail import ordinary_mails

REPLIES_MIN = 28
REPLIES_OF = 35
BOUNCES_SHARE_MIN = 0.97
ORDINARY_MAILS = 400
ORDINARY_SEED = 20261122
FAILURES_SHOWN_MAX = 20

_BORDER = Border("mx.example.com")
_OWN = Own(accounts=("bugs@example.com",))
_FLAGGED = frozenset({"bounce", "complaint", "auto_reply"})


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, and the names of the first that were not."""

    right: int
    total: int
    missed: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        return self.right / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class MailFigures:
    """What was measured; a set of samples that is missing is None: not run, never passed."""

    replies: Share | None
    bounces: Share | None
    not_bounces: Share | None
    ordinary: Share
    mails_read: int
    crashes: tuple[str, ...]
    slowest_s: float
    not_run: tuple[str, ...] = field(default=())

    def passed(self) -> bool:
        """Tell whether all was measured, and all of it reaches its goal."""
        return (
            self.replies is not None
            and self.replies.right * REPLIES_OF >= REPLIES_MIN * self.replies.total
            and self.bounces is not None
            and self.bounces.share >= BOUNCES_SHARE_MIN
            and not self.not_run
            and self.ordinary.right == self.ordinary.total
            and (self.not_bounces is None or self.not_bounces.right == self.not_bounces.total)
            and not self.crashes
        )


def measure(folder: Path) -> MailFigures:
    """Return the figures of the samples in `folder` (`reply_trimmer`, `bounces` and others)."""
    replies = _replies(folder / "reply_trimmer")
    bounces, not_bounces = _bounces(folder / "bounces")
    read, crashes, slowest = _crashes(folder)
    sets = {"replies": replies, "bounces": bounces, "mails": read or None}
    return MailFigures(
        replies=replies,
        bounces=bounces,
        not_bounces=not_bounces,
        ordinary=_ordinary(),
        mails_read=read,
        crashes=crashes,
        slowest_s=slowest,
        not_run=tuple(name for name, figure in sets.items() if figure is None),
    )


def _share(verdicts: list[tuple[str, bool]]) -> Share | None:
    missed = tuple(name for name, right in verdicts if not right)
    if not verdicts:
        return None
    return Share(len(verdicts) - len(missed), len(verdicts), missed[:FAILURES_SHOWN_MAX])


def _replies(folder: Path) -> Share | None:
    """Return how many replies are exactly what was expected, but for empty lines around them."""
    pairs = [
        (path, folder / "trimmed" / path.name)
        for path in sorted(folder.glob("emails/*.txt"))
        if (folder / "trimmed" / path.name).is_file()
    ]
    return _share([(path.name, _words(path, trimmed=True) == _words(want)) for path, want in pairs])


def _words(path: Path, *, trimmed: bool = False) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    return (trim(text) if trimmed else text).strip()


def _bounces(folder: Path) -> tuple[Share | None, Share | None]:
    """Return how many bounces are flagged, and how many of the mails that are none are not."""
    flagged = {
        path.name: _kind(parse(path.read_bytes())) in _FLAGGED
        for path in sorted(folder.glob("*.eml"))
    }
    none = {name: not found for name, found in flagged.items() if name.startswith("not__")}
    bounces = {name: found for name, found in flagged.items() if name not in none}
    return _share(list(bounces.items())), _share(list(none.items()))


def _kind(mail: Mail) -> str:
    return classify(mail, own=_OWN).kind


def _ordinary() -> Share:
    """Return how many made-up mails are not taken for bounces or auto-replies."""
    verdicts = [
        (name, _kind(parse(raw)) not in _FLAGGED | {"own"})
        for name, raw in ordinary_mails(ORDINARY_MAILS, seed=ORDINARY_SEED)
    ]
    return _share(verdicts) or Share(0, 0)


def _crashes(folder: Path) -> tuple[int, tuple[str, ...], float]:
    """Put every file of the folder through everything; return how many, and what raised."""
    crashes: list[str] = []
    slowest = 0.0
    read = 0
    for path, raw in _files(folder):
        read += 1
        started = time.perf_counter()
        try:
            _all_of(raw)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is counted.
            crashes.append(f"{path.relative_to(folder)}: {type(error).__name__}")
        slowest = max(slowest, time.perf_counter() - started)
    return read, tuple(crashes), slowest


def _all_of(raw: bytes) -> str:
    """Return a digest of all that is made of a mail: nothing is left out because nobody asked."""
    mail = parse(raw)
    found = (
        mail,
        trim(mail.text),
        classify(mail, own=_OWN),
        sender_of(mail.headers, border=_BORDER),
        verdict(mail.subject, mail.text),
        trim(raw.decode("utf-8", "replace")),
    )
    return hashlib.sha256(repr(found).encode("utf-8", "replace")).hexdigest()


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path, path.read_bytes()
