"""Which report a mail belongs to, and where its answer goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from connectors.database import open_engine
from connectors.mail_threads import MailThreads, Placed
from schemas.errors import TransientError

BOX = "bugs@acme.example"
NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
KEY = UUID(int=7)


@dataclass(frozen=True)
class Mail:
    """What is known of a mail."""

    message_id: str
    earlier: tuple[str, ...] = ()
    account: str = "ann@home.example"
    kind: str = "person"
    reason: str = ""
    reads_like_bug: bool = False
    verified: bool = True
    no_answer: str = ""
    subject: str = "Crash"
    meaning: str = field(default_factory=lambda: uuid4().hex)

    @property
    def reply_to(self) -> str:
        return self.account


@pytest.fixture
def threads(tmp_path: Path) -> Iterator[MailThreads]:
    made = MailThreads(lambda: open_engine(tmp_path / "inbox.sqlite"))
    yield made
    made.close()


def place(
    threads: MailThreads, mail: Mail, *, box: str = BOX, at: datetime = NOW, most: int = 100
) -> Placed:
    return threads.place(box, mail, at=at, per_sender_per_day_max=most)


def test_the_first_mail_is_the_report_and_what_answers_it_a_reply(threads: MailThreads) -> None:
    first = place(threads, Mail("a@x"))
    reply = place(threads, Mail("b@x", ("a@x",), account="bob@x.example"))
    deeper = place(threads, Mail("c@x", ("lost@x", "b@x")))
    other = place(threads, Mail("d@x"))

    assert (first.kind, reply.kind, deeper.kind, other.kind) == (
        "report",
        "reply",
        "reply",
        "report",
    )
    assert first.item == reply.item == deeper.item != other.item
    assert "a@x" not in first.item


def test_the_same_mail_has_the_same_place_whenever_it_is_read(threads: MailThreads) -> None:
    first, reply = Mail("a@x"), Mail("b@x", ("a@x",))
    before = [place(threads, first), place(threads, reply)]

    assert [place(threads, reply), place(threads, first)] == before[::-1]
    assert place(threads, first, most=1) == before[0]


def test_who_is_brought_in_late_starts_with_a_report(threads: MailThreads) -> None:
    late = place(threads, Mail("c@x", ("a@x", "b@x")))
    next_one = place(threads, Mail("d@x", ("a@x", "b@x", "c@x")))
    cousin = place(threads, Mail("e@x", ("a@x",)))

    assert (late.kind, next_one.kind, cousin.kind) == ("report", "reply", "reply")
    assert late.item == next_one.item == cousin.item


def test_an_answer_to_our_answer_belongs_to_its_thread(threads: MailThreads) -> None:
    first = place(threads, Mail("a@x"))
    threads.note_sent(BOX, first.item, KEY, "bugstream.7@acme.example", at=NOW)

    assert place(threads, Mail("b@x", ("bugstream.7@acme.example",))) == Placed(first.item, "reply")


def test_an_answer_to_a_notice_of_ours_is_no_report(threads: MailThreads) -> None:
    threads.note_sent(BOX, "-", KEY, "bugstream.7@acme.example", at=NOW)

    assert place(threads, Mail("b@x", ("bugstream.7@acme.example",))).kind == "notice_reply"


def test_a_stolen_message_id_makes_no_second_report(threads: MailThreads) -> None:
    first = place(threads, Mail("a@x"))
    thief = place(threads, Mail("a@x", account="eve@evil.example"))
    found = threads.thread(BOX, first.item)

    assert thief == Placed(first.item, "reply")
    assert found is not None
    assert found.reply_to == "ann@home.example"


@pytest.mark.parametrize("kind", ["own", "bounce", "auto_reply", "newsletter", "complaint"])
def test_mail_of_machines_opens_no_thread(threads: MailThreads, kind: str) -> None:
    found = place(threads, Mail("a@x", kind=kind, reads_like_bug=True))

    assert found.kind == kind
    assert threads.thread(BOX, found.item) is None
    assert place(threads, Mail("b@x", ("a@x",))).kind == "report"


def test_a_machines_mail_that_speaks_of_a_bug_is_a_report_but_never_a_reply(
    threads: MailThreads,
) -> None:
    job = Mail("a@x", kind="generated", reads_like_bug=True)
    ticket = Mail("b@x", kind="generated")
    ours = place(threads, Mail("c@x"))
    receipt = Mail("d@x", ("c@x",), kind="generated", reads_like_bug=True)

    assert ours.kind == "report"
    assert [place(threads, one).kind for one in (job, ticket, receipt)] == [
        "report",
        "generated",
        "generated",
    ]


def test_one_sender_causes_only_so_much_in_a_day(threads: MailThreads) -> None:
    kinds = [place(threads, Mail(f"{n}@x"), most=2).kind for n in range(3)]
    other = place(threads, Mail("o@x", account="bob@x.example"), most=2)
    tomorrow = place(threads, Mail("t@x"), at=NOW + timedelta(days=1, seconds=1), most=2)

    assert kinds == ["report", "report", "over_limit"]
    assert (other.kind, tomorrow.kind) == ("report", "report")


def test_the_next_answer_hangs_under_the_newest_mail_of_whoever_is_answered(
    threads: MailThreads,
) -> None:
    item = place(threads, Mail("a@x", ("z@x",))).item
    place(threads, Mail("b@x", ("a@x",), account="bob@x.example"))
    place(threads, Mail("c@x", ("a@x",)))
    found = threads.thread(BOX, item)

    assert found is not None
    assert found.message_ids == ("z@x", "a@x", "c@x")
    assert (found.subject, found.no_answer, found.verified) == ("Crash", "", True)


def test_references_stay_few(threads: MailThreads) -> None:
    item = place(threads, Mail("0@x")).item
    for number in range(1, 40):
        place(threads, Mail(f"{number}@x", ("0@x",)))
    found = threads.thread(BOX, item)

    assert found is not None
    assert (len(found.message_ids), found.message_ids[0], found.message_ids[-1]) == (
        20,
        "0@x",
        "39@x",
    )


def test_mailboxes_do_not_mix(threads: MailThreads) -> None:
    place(threads, Mail("a@x"))

    assert place(threads, Mail("b@x", ("a@x",)), box="other@acme.example").kind == "report"


def test_what_was_sent_is_known_and_counted(threads: MailThreads) -> None:
    threads.note_sent(BOX, "item", KEY, "m@x", at=NOW)
    threads.note_sent(BOX, "item", KEY, "m@x", at=NOW)

    assert threads.sent(BOX, KEY) == "m@x"
    assert threads.sent("other@acme.example", KEY) is None
    assert threads.answered(BOX, "item", since=NOW - timedelta(days=1)) == 1
    assert threads.answered(BOX, "item", since=NOW + timedelta(seconds=1)) == 0


def test_an_address_can_be_erased(threads: MailThreads) -> None:
    mail = Mail("a@x")
    before = place(threads, mail)

    assert threads.forget("Ann@home.example") == 1
    assert threads.thread(BOX, before.item) is None
    # The mail itself is still known: read again it makes no second report.
    assert place(threads, mail) == before


def test_a_database_that_is_away_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    path.write_bytes(b"no database at all, and long enough to be seen as none" * 40)
    broken = MailThreads(lambda: open_engine(path))

    with pytest.raises(TransientError, match="threads of mail"):
        broken.sent(BOX, KEY)
