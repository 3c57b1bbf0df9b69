"""Reads a mailbox: every mail once, whatever happens to server, connection or this program.

Where it stands is (UIDVALIDITY, UID). Where the server has numbered the folder anew, the folder is
read again, and mails are known by what they say.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

from connectors.channel import UNKNOWN, Delivery, digest
from connectors.imap import ImapSession, Selected
from connectors.mail_threads import REPLY, REPORT, Letter, MailThreads
from connectors.oauth_token import OAuthToken
from connectors.poller import Batch, Cursor
from schemas.accounts.mailbox import Mailbox
from schemas.errors import BugstreamError, TransientError
from schemas.raw import Origin

BATCH_MAILS_MAX = 50
BATCH_BYTES_MAX = 16 * 1024 * 1024
UIDS_ASKED_MAX = 50_000
"""Numbers in one search: the answer is one line, and the library reads a megabyte of it."""
SPARSE = 1_000
BEGINNING_BYTES_MAX = 1024 * 1024
"""Read of a mail that is too large."""
PAUSE_S_MAX = 5.0
CUT_HEADER = "X-Bugstream-Cut"
"""Says on top of a mail that was too large how many bytes it has."""
CONTENT_TYPE = "message/rfc822"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """The cursor."""

    uidvalidity: int
    uid: int
    """All up to it are kept."""
    since: str
    """No mail from before this day is read from a folder that is new, or numbered anew."""
    scan_to: int
    """Below this number `since` holds: what came later is new, however old it says it is."""

    @classmethod
    def of(cls, cursor: Cursor | None) -> _Place | None:
        try:
            if cursor is None:
                return None
            numbers = (int(cursor["uidvalidity"]), int(cursor["uid"]))
            since = date.fromisoformat(str(cursor["since"])).isoformat()
            return cls(*numbers, since, int(cursor["scan_to"]))
        except (KeyError, ValueError, TypeError):
            return None


class ImapPoller:
    """A `Poller` of one folder of one mailbox."""

    route = "email"

    def __init__(
        self,
        box: Mailbox,
        threads: MailThreads,
        read: Callable[[bytes], Letter],
        *,
        token: OAuthToken | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`read` says of a mail who wrote it, why, and whether our server vouches for them."""
        self._box = box
        self._threads = threads
        self._read = read
        self._token = token
        self._now = now
        self._session: ImapSession | None = None
        self._seen: Selected | None = None

    @property
    def name(self) -> str:
        """Return the name of the cursor."""
        return f"email/{self._box.container}/{self._box.folder}"[:300]

    @property
    def every_s(self) -> float:
        """Return how often it is asked at least; it says by itself what is new."""
        return float(self._box.poll_every_s)

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield the mails that came since `cursor`, oldest first, in batches of bounded size."""
        session, folder = self._opened()
        try:
            place = self._start(_Place.of(cursor), folder)
            for uids in self._new(session, place, folder):
                place = replace(place, uid=uids[-1][0])
                yield Batch(self._deliveries(session, uids), asdict(place), CONTENT_TYPE)
            yield Batch((), asdict(place), CONTENT_TYPE)
            self._seen = folder
        except GeneratorExit:
            raise
        except BaseException:
            self._drop()
            raise

    def _start(self, place: _Place | None, folder: Selected) -> _Place:
        """Return where to begin: at the cursor, or with a folder that is new or numbered anew."""
        scan_to = folder.uidnext or 2**32
        if place is None:
            day = self._now().date() - timedelta(days=self._box.backfill_days)
            return _Place(folder.uidvalidity, 0, day.isoformat(), scan_to)
        if place.uidvalidity != folder.uidvalidity:
            _LOG.warning(
                "The folder was numbered anew and is read again", extra={"poller": self.name}
            )
            return _Place(folder.uidvalidity, 0, place.since, scan_to)
        return place

    def _new(
        self, session: ImapSession, place: _Place, folder: Selected
    ) -> Iterator[Sequence[tuple[int, int]]]:
        """Yield what has a number above the cursor's, a bounded number and weight at once."""
        # The server's day is not ours.
        since = date.fromisoformat(place.since) - timedelta(days=1)
        first, step = place.uid + 1, UIDS_ASKED_MAX
        while folder.uidnext is None or first < folder.uidnext:
            is_scan = first < place.scan_to
            last = None
            if folder.uidnext is not None:
                last = min(first + step, folder.uidnext) - 1
                last = min(last, place.scan_to - 1) if is_scan else last
            found = session.uids(first, last, since=since if is_scan else None)
            yield from _batches(found, session.sizes(found))
            if last is None:
                return
            # Some servers number by the clock: what nobody has is passed in ever larger steps.
            step = step * 2 if len(found) < SPARSE else UIDS_ASKED_MAX
            first = last + 1

    def _opened(self) -> tuple[ImapSession, Selected]:
        """Return the connection with the folder open; an old one may be dead, so try twice."""
        if self._session is not None:
            try:
                return self._session, self._session.open_folder(self._box.folder)
            except TransientError:
                self._drop()
        session = ImapSession(self._box, self._token)
        self._session = session
        try:
            return session, session.open_folder(self._box.folder)
        except BaseException:
            self._drop()
            raise

    def _deliveries(
        self, session: ImapSession, uids: Sequence[tuple[int, int]]
    ) -> Sequence[Delivery]:
        whole = [uid for uid, size in uids if size <= self._box.mail_bytes_max]
        mails = session.mails(whole)
        for uid, size in uids:
            if size > self._box.mail_bytes_max:
                beginning = session.beginning(uid, BEGINNING_BYTES_MAX)
                if beginning is not None:
                    mails[uid] = f"{CUT_HEADER}: {size}\r\n".encode() + beginning
        return [self._delivery(mails[uid]) for uid, _ in uids if uid in mails]

    def _delivery(self, mail: bytes) -> Delivery:
        letter = self._read(mail)
        placed = self._threads.place(
            self._box.container,
            letter,
            at=self._now(),
            per_sender_per_day_max=self._box.mails_per_sender_per_day_max,
        )
        if placed.kind not in {REPORT, REPLY}:
            _LOG.info(
                "A mail makes no report",
                extra={"poller": self.name, "kind": placed.kind, "reason": letter.reason[:200]},
            )
        name = digest(letter.meaning, letter.verified)
        return Delivery(
            origin=Origin(channel="email", container=self._box.container, item=placed.item),
            delivery_id=f"{name}/{letter.message_id[:200]}",
            sender=f"email:{letter.account or UNKNOWN}",
            author=f"email:{letter.account or UNKNOWN}",
            entity=f"email:{self._box.container}/{digest(letter.message_id)}",
            meaning=name,
            kind=placed.kind,
            body=mail,
            author_verified=letter.verified,
        )

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait until `seconds` are over, or `stop`, or the server says that something is new."""
        session = self._session
        if session is None:
            stop.wait(seconds)
            return
        try:
            # What came while the last round was under way is told by no IDLE: only what comes
            # after the folder was opened is.
            again = session.open_folder(self._box.folder)
            if again.uidnext is None:
                session.wait(stop, min(seconds, PAUSE_S_MAX))
            elif self._seen == replace(again, exists=self._seen.exists if self._seen else 0):
                session.wait(stop, seconds)
        except BugstreamError as error:
            self._drop()
            if not stop.is_set():
                _LOG.info(
                    "The connection to a mailbox was lost",
                    extra={"poller": self.name, "error": str(error)[:300]},
                )
                stop.wait(min(seconds, PAUSE_S_MAX))

    def close(self) -> None:
        """Let the connection go; may be called while another thread waits on it."""
        session = self._session
        if session is not None:
            session.shut()
        self._threads.close()

    def _drop(self) -> None:
        if self._session is not None:
            self._session.shut()
            self._session = None


def _batches(uids: Sequence[int], sizes: dict[int, int]) -> Iterator[Sequence[tuple[int, int]]]:
    """Yield `uids` in order with their sizes, a bounded number and weight at once."""
    batch: list[tuple[int, int]] = []
    weight = 0
    for uid in uids:
        size = sizes.get(uid, 0)
        if batch and (len(batch) >= BATCH_MAILS_MAX or weight + size > BATCH_BYTES_MAX):
            yield batch
            batch, weight = [], 0
        batch.append((uid, size))
        weight += size
    if batch:
        yield batch
