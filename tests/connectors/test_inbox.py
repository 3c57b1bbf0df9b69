"""The durable inbox."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import pytest
from sqlalchemy import text

from connectors.database import open_engine
from connectors.inbox import REFUSALS_KEPT_MAX, ConflictError, Entry, Inbox
from schemas.codec import decode
from schemas.errors import TransientError
from schemas.event import NAMESPACE, Actor
from schemas.raw import Origin, RawReceived

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def entry(
    content: str, *, delivery: str | None = None, item: str = "1", entity: str | None = "x"
) -> Entry:
    delivery = delivery or str(uuid4())
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    event_id = uuid5(NAMESPACE, f"{delivery}/{sha256}")
    event = RawReceived(
        event_id=event_id,
        project="unassigned",
        actor=Actor.stage("test"),
        occurred_at=NOW,
        correlation_id=event_id,
        origin=Origin(channel="http", container="tool", item=item),
        route="test",
        delivery_id=delivery,
        content_type="text/plain",
        body=content,
        content_sha256=sha256,
        authenticated=True,
    )
    return Entry(
        route="test",
        delivery_id=delivery,
        content_sha256=sha256,
        account="test:me",
        event=event,
        entity=entity and f"{entity}/{item}",
        meaning=sha256,
    )


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    opened = Inbox.open(tmp_path / "inbox.sqlite")
    yield opened
    opened.close()


def events(inbox: Inbox) -> list[UUID]:
    inbox.number(10_000)
    return [row.event_id for row in inbox.numbered(1, 10_000)]


def test_an_accepted_entry_comes_back_byte_for_byte(inbox: Inbox) -> None:
    given = entry("düster \x00 text")

    receipt = inbox.accept(given)
    inbox.number(10)
    (row,) = inbox.numbered(1, 10)

    assert receipt.status == "accepted"
    assert decode(row.event) == given.event


def test_the_same_delivery_is_kept_once(inbox: Inbox) -> None:
    first = inbox.accept(entry("a", delivery="d1"))
    inbox.accept(entry("b", delivery="d2"))
    again = inbox.accept(entry("a", delivery="d1"))

    assert (again.status, again.event_id) == ("duplicate", first.event_id)
    assert len(events(inbox)) == 2


def test_another_delivery_that_says_the_same_is_kept_once(inbox: Inbox) -> None:
    first = inbox.accept(entry("a", delivery="d1"))
    twin = inbox.accept(entry("a", delivery="d2"))

    assert (twin.status, twin.event_id) == ("duplicate", first.event_id)
    assert events(inbox) == [first.event_id]


def test_an_edit_that_is_taken_back_is_news(inbox: Inbox) -> None:
    for content in ("a", "b", "a"):
        inbox.accept(entry(content))

    assert len(events(inbox)) == 3


def test_a_late_repetition_of_a_twin_is_not_news(inbox: Inbox) -> None:
    inbox.accept(entry("a", delivery="d1"))
    inbox.accept(entry("a", delivery="d2"))
    inbox.accept(entry("b", delivery="d3"))
    late = inbox.accept(entry("a", delivery="d2"))

    assert late.status == "duplicate"
    assert len(events(inbox)) == 2


def test_the_same_words_about_another_item_are_news(inbox: Inbox) -> None:
    inbox.accept(entry("a", item="1"))
    inbox.accept(entry("a", item="2"))

    assert len(events(inbox)) == 2


def test_an_id_that_comes_with_another_body_loses_neither(inbox: Inbox) -> None:
    """A sender that counts its deliveries from one again after a restart must not lose any."""
    inbox.accept(entry("a", delivery="1"))
    inbox.accept(entry("b", delivery="1"))

    assert len(events(inbox)) == 2


def test_a_reused_idempotency_key_is_a_conflict(inbox: Inbox) -> None:
    from dataclasses import replace

    inbox.accept(replace(entry("a", delivery="k", entity=None), one_body_per_id=True))

    with pytest.raises(ConflictError, match="'k'"):
        inbox.accept(replace(entry("b", delivery="k", entity=None), one_body_per_id=True))


@pytest.mark.parametrize("same_delivery", [True, False])
def test_many_at_once_are_kept_once(tmp_path: Path, same_delivery: bool) -> None:
    inboxes = [Inbox.open(tmp_path / "inbox.sqlite") for _ in range(2)]
    with ThreadPoolExecutor(16) as pool:
        receipts = list(
            pool.map(
                lambda n: inboxes[n % 2].accept(
                    entry("a", delivery="d" if same_delivery else f"d{n}")
                ),
                range(40),
            )
        )

    assert [r.status for r in receipts].count("accepted") == 1
    assert len({r.event_id for r in receipts}) == 1
    assert len(events(inboxes[0])) == 1
    for opened in inboxes:
        opened.close()


def test_numbers_are_dense_and_keep_the_order(inbox: Inbox) -> None:
    given = [inbox.accept(entry(str(n))).event_id for n in range(7)]

    counts = [inbox.number(3) for _ in range(4)]
    rows = inbox.numbered(1, 100)

    assert counts == [3, 3, 1, 0]
    assert [row.relay_seq for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.event_id for row in rows] == given
    assert inbox.highest_seq() == 7
    assert [row.relay_seq for row in inbox.numbered(4, 2)] == [4, 5]


def test_two_numbering_at_once_give_no_number_twice(tmp_path: Path) -> None:
    inboxes = [Inbox.open(tmp_path / "inbox.sqlite") for _ in range(2)]
    for n in range(60):
        inboxes[0].accept(entry(str(n)))
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda n: inboxes[n % 2].number(3), range(30)))

    assert sum(counts) == 60
    assert [row.relay_seq for row in inboxes[0].numbered(1, 100)] == list(range(1, 61))
    for opened in inboxes:
        opened.close()


def test_waiting_counts_what_has_no_second_mark(inbox: Inbox) -> None:
    for n in range(5):
        inbox.accept(entry(str(n)))
    inbox.number(4)
    before = inbox.any_relayed()
    inbox.mark_relayed(4, NOW)

    assert not before
    assert inbox.any_relayed()
    assert inbox.waiting() == 2
    inbox.forget_relayed()
    assert inbox.waiting() == 5


def test_a_row_number_is_never_given_again(tmp_path: Path) -> None:
    """A plain SQLite key would reuse the number of a removed newest row, below the position."""
    inbox = Inbox.open(tmp_path / "inbox.sqlite")
    inbox.accept(entry("a"))
    engine = open_engine(tmp_path / "inbox.sqlite")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM inbox_rows"))
    inbox.accept(entry("b"))
    with engine.begin() as connection:
        row_id = connection.execute(text("SELECT id FROM inbox_rows")).scalar_one()

    assert row_id == 2
    engine.dispose()
    inbox.close()


def test_the_database_keeps_its_own_id(tmp_path: Path) -> None:
    first = Inbox.open(tmp_path / "inbox.sqlite")
    again = Inbox.open(tmp_path / "inbox.sqlite")
    other = Inbox.open(tmp_path / "other.sqlite")

    assert first.database_id == again.database_id != other.database_id
    for opened in (first, again, other):
        opened.close()


def test_only_the_newest_refusals_are_kept(inbox: Inbox) -> None:
    for n in range(REFUSALS_KEPT_MAX + 3):
        inbox.refuse(route="r", delivery_id=str(n), reason="signature", at=NOW)

    kept = inbox.refusals()

    assert len(kept) == REFUSALS_KEPT_MAX
    assert kept[0] == ("r", str(REFUSALS_KEPT_MAX + 2), "signature")


def test_a_full_disk_is_a_transient_error_and_passes(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "inbox.sqlite")
    inbox = Inbox(engine)
    with engine.begin() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages + 3}"))

    accepted: list[UUID] = []
    with pytest.raises(TransientError, match="full"):
        accepted.extend(inbox.accept(entry(str(n) * 900)).event_id for n in range(100))

    assert inbox.waiting() > 0
    assert events_without_numbering(inbox) == inbox.waiting()
    with engine.begin() as connection:
        connection.execute(text("PRAGMA max_page_count=1000000"))
    assert inbox.accept(entry("later")).status == "accepted"
    inbox.close()


def events_without_numbering(inbox: Inbox) -> int:
    with inbox._engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM inbox_rows")).scalar_one())


def test_a_damaged_file_is_a_transient_error(tmp_path: Path) -> None:
    (tmp_path / "inbox.sqlite").write_bytes(b"not a database, but long enough to look at" * 50)

    with pytest.raises(TransientError, match="inbox cannot be used"):
        Inbox.open(tmp_path / "inbox.sqlite")


_WRITER = """
import sys
from tests.connectors.test_inbox import Inbox, entry
inbox = Inbox.open(sys.argv[1])
n = 0
while True:
    inbox.accept(entry(f"{sys.argv[2]}-{n}", delivery=f"{sys.argv[2]}-{n}", entity=None))
    n += 1
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
"""


def test_what_was_accepted_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path), name],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for name in ("a", "b")
    ]
    for writer in writers:
        assert writer.stdout is not None
        for _ in range(5):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
    acknowledged = 0
    for writer in writers:
        rest, _ = writer.communicate()
        acknowledged += 5 + rest.count(b"\n")

    inbox = Inbox.open(path)
    kept = len(events(inbox))
    inbox.close()

    # Killed between commit and acknowledgement, each may have kept one more.
    assert acknowledged <= kept <= acknowledged + 2


def test_what_was_asked_for_before_a_newer_row_came_does_not_take_it_back(inbox: Inbox) -> None:
    inbox.accept(entry("one"))
    newer = inbox.accept(entry("two"))
    first, second = (row.id for row in reversed(inbox.rows()))

    overtaken = inbox.accept(replace(entry("one"), asked_at=first))
    assert (overtaken.status, overtaken.event_id) == ("duplicate", newer.event_id)
    assert len(inbox.rows()) == 2
    assert inbox.accept(replace(entry("one"), asked_at=second)).status == "accepted"
