"""Threads of mail: which report a mail belongs to, and where its answer goes.

Addresses and subjects stand here and in no event, so that they can be erased: `forget`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from connectors.channel import digest
from connectors.database import reading
from connectors.mail_tables import MAILS, METADATA, SENT, THREADS
from schemas.errors import TransientError

REFERENCES_KEPT_MAX = 20
DAY = timedelta(days=1)
REPORT, REPLY, OVER_LIMIT, NOTICE_REPLY = "report", "reply", "over_limit", "notice_reply"
"""What becomes of a mail: the last two are kept, and make no report."""
PERSON, GENERATED = "person", "generated"


class Letter(Protocol):
    """What must be known of a mail to put it in its place. Somebody else has read it."""

    @property
    def kind(self) -> str:
        """Return `person`, or which machine wrote it."""

    @property
    def reason(self) -> str:
        """Return why it is of that kind."""

    @property
    def reads_like_bug(self) -> bool:
        """Return whether it speaks of a bug by its words."""

    @property
    def account(self) -> str:
        """Return the sender's address, in lower case; empty: it names none."""

    @property
    def verified(self) -> bool:
        """Return whether our own mail server vouches for the sender."""

    @property
    def reply_to(self) -> str:
        """Return where an answer may go; empty: nowhere."""

    @property
    def no_answer(self) -> str:
        """Return why it must not be answered; empty: it may."""

    @property
    def subject(self) -> str:
        """Return the subject without the prefixes of replies."""

    @property
    def message_id(self) -> str:
        """Return its id without brackets, the same whenever it is read."""

    @property
    def earlier(self) -> tuple[str, ...]:
        """Return the ids of the mails before it in its thread, the first one first."""

    @property
    def meaning(self) -> str:
        """Return the hash of what its sender wrote: not of what was added on the way."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a mail belongs."""

    item: str
    """Of its thread."""
    kind: str
    """`report`, `reply`, or why it is neither."""


@dataclass(frozen=True, slots=True)
class Thread:
    """What an answer needs."""

    reply_to: str
    subject: str
    message_ids: tuple[str, ...]
    """Of the mails that it answers to, the newest last."""
    no_answer: str
    """Why nobody may be answered; empty: they may."""
    verified: bool
    """Whether our server vouched for whoever is answered."""


class MailThreads:
    """The store, in the inbox's database. Thread-safe. Raises `TransientError` alone."""

    def __init__(self, open_engine: Callable[[], Engine]) -> None:
        """Use what `open_engine` returns, once it is needed; it is disposed of by `close`."""
        self._open = open_engine
        self._engine: Engine | None = None
        self._lock = Lock()

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def place(
        self, box: str, letter: Letter, *, at: datetime, per_sender_per_day_max: int
    ) -> Placed:
        """Return where `letter` belongs, the same one whenever it is asked, and remember it.

        The first mail of a thread that we see is the report, whatever it answers; what follows is
        a reply. Of a machine's mail there is no report, unless its words speak of a bug.
        """
        with self._write() as connection:
            known = connection.execute(
                select(MAILS.c.item, MAILS.c.kind).where(
                    MAILS.c.box == box, MAILS.c.meaning == letter.meaning
                )
            ).first()
            if known is not None:
                return Placed(known.item, known.kind)
            item, if_person = _thread_of(connection, box, letter)
            kind = _kind(letter, if_person)
            if kind in {REPORT, REPLY} and (
                _written(connection, box, letter.account, at) >= per_sender_per_day_max
            ):
                kind = OVER_LIMIT
            values = {
                "box": box,
                "meaning": letter.meaning,
                "message": digest(letter.message_id),
                "item": item,
                "kind": kind,
                "sender": digest(letter.account),
                "at": at.isoformat(),
            }
            connection.execute(insert(MAILS).values(values))
            if kind == REPORT:
                _open_thread(connection, box, item, letter, at)
            elif kind == REPLY:
                _continue_thread(connection, box, item, letter)
            return Placed(item, kind)

    def thread(self, box: str, item: str) -> Thread | None:
        """Return what an answer needs; None: there is no such thread, or it was erased."""
        with self._read() as connection:
            row = connection.execute(select(THREADS).where(_is(THREADS, box, item))).first()
        if row is None:
            return None
        ids = tuple(row.message_ids.split("\n"))
        return Thread(row.reply_to, row.subject, ids, row.no_answer, row.verified)

    def sent(self, box: str, key: UUID) -> str | None:
        """Return the Message-ID of the answer that was sent with `key`."""
        with self._read() as connection:
            found: str | None = connection.execute(
                select(SENT.c.message_id).where(SENT.c.box == box, SENT.c.key == str(key))
            ).scalar_one_or_none()
        return found

    def note_sent(self, box: str, item: str, key: UUID, message_id: str, *, at: datetime) -> None:
        """Remember that an answer left: what answers to it belongs to the same thread."""
        with self._write() as connection:
            connection.execute(delete(SENT).where(SENT.c.box == box, SENT.c.key == str(key)))
            connection.execute(
                insert(SENT).values(
                    box=box,
                    key=str(key),
                    item=item,
                    message=digest(message_id),
                    message_id=message_id,
                    at=at.isoformat(),
                )
            )

    def answered(self, box: str, item: str, *, since: datetime) -> int:
        """Return how many answers a thread has got `since`."""
        query = select(func.count()).where(_is(SENT, box, item), SENT.c.at >= since.isoformat())
        with self._read() as connection:
            return int(connection.execute(query).scalar_one())

    def answered_to(self, box: str, reply_to: str, *, since: datetime) -> int:
        """Return how many answers an address has got `since`, in all its threads."""
        same = (SENT.c.box == THREADS.c.box) & (SENT.c.item == THREADS.c.item)
        query = (
            select(func.count())
            .select_from(SENT.join(THREADS, same))
            .where(THREADS.c.box == box, THREADS.c.reply_to == reply_to)
            .where(SENT.c.at >= since.isoformat())
        )
        with self._read() as connection:
            return int(connection.execute(query).scalar_one())

    def forget(self, account: str) -> int:
        """Erase the threads of an address; return how many. They cannot be answered any more."""
        account = account.lower()
        where = (THREADS.c.account == account) | (THREADS.c.reply_to == account)
        with self._write() as connection:
            connection.execute(
                update(MAILS).where(MAILS.c.sender == digest(account)).values(sender="")
            )
            done = connection.execute(delete(THREADS).where(where).returning(THREADS.c.item))
            return len(done.all())

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        try:
            with self._used().begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        try:
            with reading(self._used()).begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def _used(self) -> Engine:
        with self._lock:
            if self._engine is None:
                engine = self._open()
                METADATA.create_all(engine)
                self._engine = engine
            return self._engine


def _unavailable(error: SQLAlchemyError) -> TransientError:
    reason = str(getattr(error, "orig", None) or type(error).__name__)
    return TransientError(f"the threads of mail cannot be used now: {reason}")


def _is(table: Table, box: str, item: str) -> Any:
    return (table.c.box == box) & (table.c.item == item)


def item_of(message_id: str) -> str:
    """Return the id of the thread that began with this mail.

    A hash: some programs make Message-IDs of names, and an origin is kept for ever.
    """
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _thread_of(connection: Connection, box: str, letter: Letter) -> tuple[str, str]:
    """Return the thread, and what a person's mail is in it.

    The nearest mail before it that we know decides, our own answers among them: clients drop the
    first ones from `References`.
    """
    is_notice = False
    for message_id in reversed((*letter.earlier, letter.message_id)):
        for table in (SENT, MAILS):
            row = connection.execute(
                select(table.c.item)
                .where(table.c.box == box, table.c.message == digest(message_id))
                .limit(1)
            ).first()
            if row is not None and _has_report(connection, box, row.item):
                return row.item, REPLY
            is_notice |= row is not None and table is SENT
    item = item_of(letter.earlier[0] if letter.earlier else letter.message_id)
    if _has_report(connection, box, item):
        return item, REPLY
    return item, NOTICE_REPLY if is_notice else REPORT


def _has_report(connection: Connection, box: str, item: str) -> bool:
    query = select(MAILS.c.item).where(_is(MAILS, box, item), MAILS.c.kind == REPORT).limit(1)
    return connection.execute(query).first() is not None


def _kind(letter: Letter, if_person: str) -> str:
    if letter.kind == PERSON:
        return if_person
    if letter.kind == GENERATED and if_person == REPORT and letter.reads_like_bug:
        return REPORT
    return letter.kind[:20]


def _written(connection: Connection, box: str, account: str, at: datetime) -> int:
    return int(
        connection.execute(
            select(func.count()).where(
                MAILS.c.box == box,
                MAILS.c.sender == digest(account),
                MAILS.c.at >= (at - DAY).isoformat(),
            )
        ).scalar_one()
    )


def _open_thread(connection: Connection, box: str, item: str, letter: Letter, at: datetime) -> None:
    ids = (*letter.earlier, letter.message_id)[-REFERENCES_KEPT_MAX:]
    connection.execute(
        insert(THREADS).values(
            box=box,
            item=item,
            account=letter.account[:300],
            reply_to=letter.reply_to[:300],
            subject=letter.subject,
            message_ids="\n".join(ids),
            no_answer=letter.no_answer,
            verified=letter.verified,
            opened_at=at.isoformat(),
        )
    )


def _continue_thread(connection: Connection, box: str, item: str, letter: Letter) -> None:
    """Let the next answer hang under the newest mail of whoever is answered."""
    row = connection.execute(select(THREADS).where(_is(THREADS, box, item))).first()
    if row is None or not letter.account or row.account != letter.account:
        return
    ids = list(dict.fromkeys((*row.message_ids.split("\n"), letter.message_id)))
    kept = [ids[0], *ids[1:][-(REFERENCES_KEPT_MAX - 1) :]]
    connection.execute(
        update(THREADS).where(_is(THREADS, box, item)).values(message_ids="\n".join(kept))
    )
