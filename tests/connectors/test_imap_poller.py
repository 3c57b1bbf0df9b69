"""Every mail once, in order, whatever the server counts like and whenever we stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors import imap_poller
from connectors.channel import Delivery
from connectors.database import open_engine
from connectors.imap_poller import ImapPoller
from connectors.mail_threads import MailThreads
from connectors.poller import Cursor
from processors.mail import letter
from processors.mail.automatic import Own
from processors.mail.trust import Border
from schemas.errors import TransientError, UserError
from streams.little_imap import LittleImap
from tests.connectors.mail_servers import ADDRESS, a_mail, little_imap, mailbox

BORDER = Border("mx.acme.example")


@pytest.fixture
def server() -> Iterator[LittleImap]:
    with little_imap() as made:
        yield made


@pytest.fixture
def threads(tmp_path: Path) -> MailThreads:
    return MailThreads(lambda: open_engine(tmp_path / "inbox.sqlite"))


def read(raw: bytes) -> letter.Letter:
    return letter.read(raw, own=Own(accounts=(ADDRESS,)), border=BORDER)


@contextmanager
def poller(server: LittleImap, threads: MailThreads, **more: object) -> Iterator[ImapPoller]:
    made = ImapPoller(mailbox(server.port, **more), threads, read)
    try:
        yield made
    finally:
        made.close()


def all_of(poller: ImapPoller, cursor: Cursor | None) -> tuple[list[Delivery], Cursor]:
    """Return what one round finds, and where the next one goes on."""
    found: list[Delivery] = []
    for batch in poller.poll(cursor):
        found += batch.items
        cursor = batch.cursor
    assert cursor is not None
    return found, cursor


def numbers(found: list[Delivery]) -> list[int]:
    return [int((one.body or b"").partition(b"<mail-")[2].partition(b"@")[0]) for one in found]


def test_a_mail_is_told_as_the_inbox_needs_it(server: LittleImap, threads: MailThreads) -> None:
    server.store.append(a_mail(1))
    with poller(server, threads) as asked:
        [found], _ = all_of(asked, None)

    assert asked.name == f"email/{ADDRESS}/INBOX"
    assert (found.origin.channel, found.origin.container) == ("email", ADDRESS)
    assert (found.sender, found.author, found.author_verified) == (
        "email:ann@home.example",
        "email:ann@home.example",
        False,
    )
    assert (found.kind, found.body) == ("report", a_mail(1))
    assert len(found.meaning) == 64
    assert len(found.delivery_id) <= 300


def test_our_servers_word_makes_the_author_verified(
    server: LittleImap, threads: MailThreads
) -> None:
    word = (
        b"Authentication-Results: mx.acme.example; dmarc=pass header.from=home.example\r\n"
        b"Received: from h.home.example (h.home.example [192.0.2.7]) by mx.acme.example; x\r\n"
    )
    server.store.append(word + a_mail(1))
    server.store.append(a_mail(1))
    with poller(server, threads) as asked:
        [proven, copy], _ = all_of(asked, None)

    assert (proven.author_verified, copy.author_verified) == (True, False)
    # Somebody else's copy of it is not taken for the same delivery.
    assert proven.entity == copy.entity
    assert proven.meaning != copy.meaning


def test_a_round_goes_on_where_the_last_one_ended(server: LittleImap, threads: MailThreads) -> None:
    for number in range(3):
        server.store.append(a_mail(number))
    with poller(server, threads) as asked:
        first, cursor = all_of(asked, None)
        nothing, cursor = all_of(asked, cursor)
        server.store.append(a_mail(3))
        news, cursor = all_of(asked, cursor)

    assert (numbers(first), nothing, numbers(news)) == ([0, 1, 2], [], [3])
    assert len(str(cursor)) < 300


def test_a_round_that_is_broken_off_costs_no_mail(
    server: LittleImap, threads: MailThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_poller, "BATCH_MAILS_MAX", 2)
    for number in range(5):
        server.store.append(a_mail(number))
    with poller(server, threads) as asked:
        batches = asked.poll(None)
        kept = next(batches)
        batches.close()
        rest, _ = all_of(asked, kept.cursor)

    assert numbers([*kept.items, *rest]) == [0, 1, 2, 3, 4]


def test_batches_are_bounded_by_weight_too(
    server: LittleImap, threads: MailThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_poller, "BATCH_BYTES_MAX", 3_000)
    for number in range(6):
        server.store.append(a_mail(number, body="x" * 1_000))
    with poller(server, threads) as asked:
        sizes = [len(batch.items) for batch in asked.poll(None)]

    assert sizes == [2, 2, 2, 0]


def test_of_a_new_mailbox_only_the_last_days_are_read(
    server: LittleImap, threads: MailThreads
) -> None:
    now = datetime.now(UTC)
    for number, days in enumerate((400, 30, 1, 0)):
        server.store.append(a_mail(number), at=now - timedelta(days=days))
    with poller(server, threads) as asked:
        found, cursor = all_of(asked, None)
        # Moved in by hand: old, and new to us.
        server.store.append(a_mail(9), at=now - timedelta(days=500))
        moved, cursor = all_of(asked, cursor)
        server.store.number_anew()
        again, cursor = all_of(asked, cursor)
        nothing, _ = all_of(asked, cursor)

    assert numbers(found) == [2, 3]
    assert numbers(moved) == [9]
    # Read again, and still not the mails from before our time.
    assert numbers(again) == [2, 3]
    assert nothing == []
    assert [one.delivery_id for one in again] == [one.delivery_id for one in found]


def test_a_mail_that_is_too_large_is_read_at_its_beginning(
    server: LittleImap, threads: MailThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap_poller, "BEGINNING_BYTES_MAX", 500)
    large = a_mail(1, body="x" * 70_000)
    server.store.append(large)
    server.store.append(a_mail(2))
    with poller(server, threads, mail_bytes_max=64 * 1024) as asked:
        [cut, whole], _ = all_of(asked, None)

    assert cut.body == f"X-Bugstream-Cut: {len(large)}\r\n".encode() + large[:500]
    assert (cut.kind, cut.author) == ("report", "email:ann@home.example")
    assert whole.body == a_mail(2)


def test_what_becomes_of_a_mail_stands_in_its_route(
    server: LittleImap, threads: MailThreads
) -> None:
    server.store.append(a_mail(1))
    server.store.append(a_mail(2, "In-Reply-To: <mail-1@home.example>"))
    server.store.append(a_mail(3, "Auto-Submitted: auto-replied"))
    server.store.append(a_mail(4, "X-Bugstream: 1"))
    server.store.append(a_mail(5))
    with poller(server, threads, mails_per_sender_per_day_max=4) as asked:
        found, _ = all_of(asked, None)

    assert [one.kind for one in found] == ["report", "reply", "auto_reply", "own", "over_limit"]
    assert found[0].origin == found[1].origin


def test_numbers_that_jump_are_no_hindrance(server: LittleImap, threads: MailThreads) -> None:
    server.store.append(a_mail(1))
    server.store.folders["INBOX"].uidnext = 3_000_000_000
    server.store.append(a_mail(2))
    with poller(server, threads) as asked:
        began_s = time.monotonic()
        found, cursor = all_of(asked, None)
        server.store.append(a_mail(3))
        news, _ = all_of(asked, cursor)

    assert (numbers(found), numbers(news)) == ([1, 2], [3])
    assert time.monotonic() - began_s < 5


def test_a_server_that_tells_no_next_number_is_read_all_the_same(threads: MailThreads) -> None:
    with little_imap(tells_uidnext=False) as server, poller(server, threads) as asked:
        server.store.append(a_mail(1))
        found, cursor = all_of(asked, None)
        server.store.append(a_mail(2))
        news, cursor = all_of(asked, cursor)
        nothing, _ = all_of(asked, cursor)

    assert (numbers(found), numbers(news), nothing) == ([1], [2], [])


def test_what_comes_while_a_round_is_under_way_is_not_waited_for(
    server: LittleImap, threads: MailThreads
) -> None:
    with poller(server, threads) as asked:
        _, cursor = all_of(asked, None)
        # No IDLE tells of it: it was there before the waiting began.
        server.store.append(a_mail(1))
        began_s = time.monotonic()
        asked.wait(threading.Event(), 30)
        waited_s = time.monotonic() - began_s
        found, _ = all_of(asked, cursor)

    assert waited_s < 5
    assert numbers(found) == [1]


def test_waiting_ends_with_the_mail_and_with_the_program(
    server: LittleImap, threads: MailThreads
) -> None:
    stop = threading.Event()
    with poller(server, threads) as asked:
        all_of(asked, None)
        for act in (lambda: server.store.append(a_mail(1)), stop.set):
            later = threading.Timer(0.3, act)
            later.start()
            began_s = time.monotonic()
            asked.wait(stop, 30)
            later.join()
            assert time.monotonic() - began_s < 5
            if not stop.is_set():
                all_of(asked, None)


def test_a_connection_that_died_between_two_rounds_is_no_failure(
    server: LittleImap, threads: MailThreads
) -> None:
    with poller(server, threads) as asked:
        _, cursor = all_of(asked, None)
        server.stop()
        server.start()
        server.store.append(a_mail(1))
        found, cursor = all_of(asked, cursor)
        server.stop()
        with pytest.raises(TransientError):
            all_of(asked, cursor)

    assert numbers(found) == [1]


def test_a_wrong_password_and_a_lost_folder_are_for_a_person(
    server: LittleImap, threads: MailThreads
) -> None:
    with poller(server, threads, password="x") as asked, pytest.raises(UserError, match="password"):
        all_of(asked, None)
    with poller(server, threads, folder="None") as asked, pytest.raises(UserError, match="folder"):
        all_of(asked, None)


@pytest.mark.parametrize("cursor", [{}, {"uidvalidity": "x"}, {"uidvalidity": 1, "uid": 1}])
def test_a_cursor_that_makes_no_sense_is_a_first_round(
    server: LittleImap, threads: MailThreads, cursor: Cursor
) -> None:
    server.store.append(a_mail(1))
    with poller(server, threads) as asked:
        found, _ = all_of(asked, cursor)

    assert numbers(found) == [1]
