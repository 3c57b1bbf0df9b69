"""What is asked for goes the way of what is delivered: kept once, and the cursor after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from connectors.blobs import FolderBlobs
from connectors.channel import Delivery
from connectors.inbox import Inbox
from connectors.poll_cursors import PollCursors
from connectors.poller import Batch, Cursor
from schemas.errors import FatalError, LimitedError, TransientError, UserError
from schemas.raw import Origin
from streams.polling import RETRY_S_MAX, Polling
from streams.receiving import accept, inbound_of


def found(number: int, meaning: str = "one") -> Delivery:
    origin = Origin(channel="github", container="acme/shop", item=str(number))
    return Delivery(
        origin=origin,
        delivery_id=f"poll/{number}/{meaning}",
        sender="github:ann",
        author="github:ann",
        entity=origin.key,
        meaning=meaning.ljust(64, "0"),
        kind="issues",
        body=b"{}",
    )


@dataclass
class Numbers:
    """Finds the next two numbers at each round, and may fail between them."""

    fails: Exception | None = None
    asked: list[Cursor | None] = field(default_factory=list)
    name: str = "numbers"
    route: str = "github"
    every_s: float = 0.01

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        self.asked.append(cursor)
        first = int(cursor["next"]) if cursor else 1
        yield Batch([found(first)], {"next": first + 1})
        if self.fails is not None:
            raise self.fails
        yield Batch([found(first + 1)], {"next": first + 2})

    def wait(self, stop: threading.Event, seconds: float) -> None:
        stop.wait(seconds)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    inbox = Inbox.open(tmp_path / "inbox.sqlite")
    yield inbox
    inbox.close()


def polling(inbox: Inbox, tmp_path: Path, *pollers: Numbers) -> Polling:
    return Polling(pollers, inbox, FolderBlobs(tmp_path / "blobs"), PollCursors(inbox.engine))


def test_a_round_that_breaks_off_goes_on_where_it_was(inbox: Inbox, tmp_path: Path) -> None:
    numbers = Numbers(fails=TransientError("away"))
    asking = polling(inbox, tmp_path, numbers)

    pause_s = asking.round(numbers)
    numbers.fails = None
    went_well = asking.round(numbers) is None

    assert pause_s is not None
    assert went_well
    assert numbers.asked == [None, {"next": 2}]
    assert [row.delivery_id for row in reversed(inbox.rows())] == [
        f"poll/{number}/one" for number in (1, 2, 3)
    ]
    [polled] = asking.cursors.all()
    assert (polled.found, polled.error) == (3, None)


def test_what_a_webhook_brought_is_not_brought_again(inbox: Inbox, tmp_path: Path) -> None:
    numbers = Numbers()
    asking = polling(inbox, tmp_path, numbers)
    asking.round(numbers)
    asking.cursors.save("numbers", {"next": 1}, found=0)

    asking.round(numbers)

    assert sum(row.status == "waiting" for row in inbox.rows()) == 2
    assert asking.cursors.all()[0].found == 2


@pytest.mark.parametrize("knows_it", [True, False])
def test_what_came_in_while_we_asked_is_newer_than_what_we_were_told(
    inbox: Inbox, tmp_path: Path, knows_it: bool
) -> None:
    """The provider answers 'one', and before that is kept its webhook says 'two'."""
    asking = polling(inbox, tmp_path)

    def tell(meaning: str) -> None:
        delivery = replace(found(1, meaning), delivery_id=f"webhook/{meaning}")
        accept(inbox, asking.blobs, inbound_of(delivery, route="github"))

    class Overtaken(Numbers):
        def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
            if self.asked:
                tell("two")
            self.asked.append(cursor)
            yield Batch([found(1)], {"next": 1})

    numbers = Overtaken(asked=[] if not knows_it else [None])
    if knows_it:
        tell("one")
        asking.round(numbers)
        told = ["webhook/one", "webhook/two"]
    else:
        asking.round(numbers)
        asking.round(numbers)
        told = ["poll/1/one", "webhook/two"]

    assert [row.delivery_id for row in reversed(inbox.rows())] == told
    assert [row.status for row in inbox.rows()] == ["waiting", "waiting"]


@pytest.mark.parametrize(
    ("error", "at_least_s"),
    [(LimitedError("slow down", retry_after_s=120.0), 120.0), (UserError("no such user"), 1.0)],
)
def test_a_failure_is_noted_and_waited_for(
    inbox: Inbox, tmp_path: Path, error: Exception, at_least_s: float
) -> None:
    numbers = Numbers(fails=error)
    asking = polling(inbox, tmp_path, numbers)

    first_s, later_s = asking.round(numbers), asking.round(numbers, failures=1000)

    assert first_s is not None
    assert first_s >= at_least_s
    assert later_s == RETRY_S_MAX
    assert asking.cursors.all()[0].error == str(error)


def test_it_asks_until_it_is_stopped(inbox: Inbox, tmp_path: Path) -> None:
    numbers, stop = Numbers(), threading.Event()
    thread = threading.Thread(target=polling(inbox, tmp_path, numbers).run, args=(stop,))
    thread.start()
    give_up = time.monotonic() + 20
    while len(numbers.asked) < 3 and time.monotonic() < give_up:
        time.sleep(0.01)
    stop.set()
    thread.join(20)

    assert not thread.is_alive()
    assert len(numbers.asked) >= 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_our_own_ends_the_process(inbox: Inbox, tmp_path: Path) -> None:
    numbers = Numbers(fails=ZeroDivisionError("a fault"))

    with pytest.raises(FatalError, match="numbers"):
        polling(inbox, tmp_path, numbers).run(threading.Event())
