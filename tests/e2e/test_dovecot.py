"""A real Dovecot and our poller: every mail once, whatever happens to the server or to us."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from connectors.blobs import FolderBlobs, MemoryBlobs
from connectors.inbox import Inbox, Row
from connectors.poll_cursors import PollCursors
from connectors.poller import Batch, Cursor, Poller
from processors.normalize import normalize
from schemas.accounts.mailbox import Mailbox
from schemas.codec import decode
from schemas.raw import Origin, RawReceived
from schemas.reports import ReportCommented, ReportNormalized
from streams.accounts import mail
from streams.channels import PARSERS
from streams.config import Settings
from streams.doctor_mail import check_mailboxes
from streams.polling import Polling
from tests.connectors.mail_servers import Postman, a_mail, smtp_server
from tests.e2e.dovecot import ADDRESS, PASSWORD, Dovecot, dovecot, wait_until

SOON_S_MAX = 10.0
MAILS = 200
ROOT = Path(__file__).parent.parent.parent
KEY = UUID("0198f6a0-0000-7000-8000-000000000007")


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot() as made:
        yield made


def account(server: Dovecot, **more: object) -> dict[str, object]:
    return {
        "address": ADDRESS,
        "password": PASSWORD,
        "imap_host": "127.0.0.1",
        "imap_port": server.port,
        "imap_security": "none",
        "poll_every_s": 600,
        **more,
    }


@dataclass(slots=True)
class Receiver:
    """Our pollers in a thread, and what they kept."""

    settings: Settings
    inbox: Inbox
    blobs: FolderBlobs
    stop: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self, pollers: Sequence[Poller] | None = None) -> Iterator[None]:
        self.stop.clear()
        pollers = pollers or mail.pollers(self.settings)
        asking = Polling(pollers, self.inbox, self.blobs, PollCursors(self.inbox.engine))
        thread = threading.Thread(target=asking.run, args=(self.stop,))
        thread.start()
        try:
            yield
        finally:
            began_s = time.monotonic()
            self.stop.set()
            thread.join()
            assert time.monotonic() - began_s < 5

    def kept(self) -> list[RawReceived]:
        """Return what goes to Kafka, oldest first."""
        found = [decode(row.event) for row in reversed(self.rows()) if row.event is not None]
        return [event for event in found if isinstance(event, RawReceived)]

    def rows(self) -> list[Row]:
        return self.inbox.rows(limit=1000)

    def mails_kept(self, count: int) -> None:
        wait_until(lambda: len(self.kept()) >= count)

    def error(self) -> str:
        polled = PollCursors(self.inbox.engine).all()
        return (polled[0].error or "") if polled else ""


@pytest.fixture
def receiver(server: Dovecot, tmp_path: Path) -> Iterator[Receiver]:
    settings = Settings.model_validate({"data_dir": tmp_path, "mailbox": [account(server)]})
    made = Receiver(
        settings, Inbox.open(settings.store_url("inbox")), FolderBlobs(tmp_path / "blobs")
    )
    yield made
    made.inbox.close()


def read(event: RawReceived) -> ReportNormalized | ReportCommented | None:
    return next(iter(normalize(event, MemoryBlobs(), (), PARSERS)), None)


def test_a_mail_is_here_within_seconds_and_stays_unseen(
    server: Dovecot, receiver: Receiver
) -> None:
    server.append(a_mail(1))
    with receiver.running():
        receiver.mails_kept(1)
        took_s = []
        for number in range(2, 5):
            began_s = time.monotonic()
            server.append(a_mail(number))
            receiver.mails_kept(number)
            took_s.append(time.monotonic() - began_s)
    with server.client() as client:
        found = client.select_folder("INBOX", readonly=True)

        # Neither read nor looked at, for whoever opens the folder after us.
        assert len(client.search("UNSEEN")) == found[b"RECENT"] == 4
    # The next poll is ten minutes away: the server told of them.
    assert max(took_s) < SOON_S_MAX
    report = read(receiver.kept()[0])
    assert isinstance(report, ReportNormalized)
    assert (report.report.title, report.report.reporter) == (
        "Crash number 1",
        "email:ann@home.example",
    )
    assert report.report.origin.container == ADDRESS


@dataclass(slots=True)
class Nameless:
    """A poller that gives every find another name: the mechanism off."""

    poller: Poller

    @property
    def name(self) -> str:
        return self.poller.name

    @property
    def route(self) -> str:
        return self.poller.route

    @property
    def every_s(self) -> float:
        return self.poller.every_s

    def poll(self, cursor: Cursor | None) -> Iterator[Batch]:
        for batch in self.poller.poll(cursor):
            items = [
                dataclasses.replace(one, delivery_id=uuid4().hex, meaning=uuid4().hex)
                for one in batch.items
            ]
            yield dataclasses.replace(batch, items=items)

    def wait(self, stop: threading.Event, seconds: float) -> None:
        self.poller.wait(stop, seconds)

    def close(self) -> None:
        self.poller.close()


@pytest.mark.parametrize(("is_named", "kept"), [(True, 6), (False, 11)])
def test_a_folder_numbered_anew_is_read_again_and_nothing_doubles(
    server: Dovecot, receiver: Receiver, is_named: bool, kept: int
) -> None:
    server.append(*(a_mail(number) for number in range(5)))
    asked = mail.pollers(receiver.settings)
    pollers = asked if is_named else [Nameless(one) for one in asked]
    with receiver.running(pollers):
        receiver.mails_kept(5)
    server.number_anew()
    server.append(a_mail(5))
    with receiver.running(pollers):
        receiver.mails_kept(kept)
        wait_until(lambda: sum(row.repeats for row in receiver.rows()) == 11 - kept)

    assert len(receiver.kept()) == len(receiver.rows()) == kept


@pytest.mark.parametrize("how", [Dovecot.stop, Dovecot.kill])
def test_a_server_that_goes_and_comes_again_costs_no_mail(
    server: Dovecot, receiver: Receiver, how: Callable[[Dovecot], None]
) -> None:
    with receiver.running():
        server.append(a_mail(1))
        receiver.mails_kept(1)
        how(server)
        wait_until(lambda: receiver.error() != "")
        server.start()
        server.append(a_mail(2))
        receiver.mails_kept(2)
        wait_until(lambda: receiver.error() == "")

    assert [event.origin.container for event in receiver.kept()] == [ADDRESS] * 2


def settings_file(folder: Path, box: dict[str, object]) -> Path:
    lines = ['kafka = "127.0.0.1:1"', f"data_dir = {json.dumps(str(folder / 'data'))}"]
    lines += ["[[mailbox]]", *(f"{name} = {json.dumps(value)}" for name, value in box.items())]
    path = folder / "bugstream.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def start(config: Path) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "streams", "--config", str(config), "run", "pollers"]
    with (config.parent / "pollers.log").open("ab") as log:
        return subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)


def kept_by_child(folder: Path) -> list[str]:
    """Return the entities that another process has kept for Kafka."""
    path = folder / "data" / "inbox.sqlite"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as database:
        try:
            rows = database.execute("SELECT entity FROM inbox_rows WHERE event IS NOT NULL")
            return [row[0] for row in rows]
        except sqlite3.OperationalError:
            return []  # It has not made its tables yet.


def test_killed_in_the_middle_of_two_hundred_mails_nothing_is_missing_or_doubled(
    server: Dovecot, tmp_path: Path
) -> None:
    config = settings_file(tmp_path, account(server))
    appended = threading.Thread(
        target=server.append, args=[a_mail(number) for number in range(MAILS)]
    )
    appended.start()
    kills = 0
    child = start(config)
    try:
        for threshold in (20, 70, 130):
            wait_until(lambda at=threshold: len(kept_by_child(tmp_path)) >= at)  # type: ignore[misc]
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            kills += len(kept_by_child(tmp_path)) < MAILS
            child = start(config)
        appended.join()
        wait_until(lambda: len(kept_by_child(tmp_path)) >= MAILS)
    finally:
        child.terminate()
        child.wait(30)
    kept = kept_by_child(tmp_path)

    # A fast machine may be done before the third one.
    assert kills >= 1
    assert len(kept) == len(set(kept)) == MAILS


def test_a_wrong_password_is_said_in_words_and_ends_nothing(
    server: Dovecot, receiver: Receiver
) -> None:
    wrong = Mailbox.model_validate(account(server, password="not-this-one"))
    receiver.settings = receiver.settings.model_copy(update={"mailbox": (wrong,)})
    with receiver.running():
        wait_until(lambda: "user or password" in receiver.error())
    [check] = [one for one in check_mailboxes(receiver.settings) if "mail in" in one.name]

    assert check.state == "missing"
    assert "refused user" in check.found
    assert "not-this-one" not in check.found + receiver.error()


@pytest.fixture
def postman(server: Dovecot) -> Postman:
    """Return who lays every mail into the reader's mailbox."""
    with server.client() as client:
        client.create_folder("Ann")
        client.create_folder("Sent")
    return Postman(on_mail=lambda mail: server.append(mail, folder="Ann"))


@pytest.fixture
def smtp_port(postman: Postman) -> Iterator[int]:
    with smtp_server(postman) as port:
        yield port


def test_an_answer_threads_in_the_readers_mailbox_and_its_answer_in_ours(
    server: Dovecot, receiver: Receiver, postman: Postman, smtp_port: int
) -> None:
    box = account(
        server,
        smtp_host="127.0.0.1",
        smtp_port=smtp_port,
        smtp_security="none",
        sent_folder="Sent",
    )
    receiver.settings = Settings.model_validate(
        {"data_dir": receiver.settings.data_dir, "mailbox": [box]}
    )
    server.append(a_mail(1))
    with receiver.running():
        receiver.mails_kept(1)
        origin = receiver.kept()[0].origin
        messenger = mail.messenger(receiver.settings)
        assert messenger is not None
        assert messenger.find(origin, KEY) is None
        receipt = messenger.post(origin, "**BUG-1**: a fix is ready.", KEY)
        server.append(a_mail(1), folder="Ann")
        with server.client() as client:
            client.select_folder("Ann", readonly=True)
            [thread] = client.thread("REFERENCES", "ALL")
            [found] = client.search(["HEADER", "Message-ID", receipt])
            answer = message_from_bytes(client.fetch([found], ["BODY.PEEK[]"])[found][b"BODY[]"])
        answered = [
            "In-Reply-To: <" + receipt + ">",
            "References: <mail-1@home.example> <" + receipt + ">",
        ]
        text = "Thanks, that helps.\r\n\r\n> **BUG-1**: a fix is ready.\r\n"
        server.append(a_mail(2, *answered, body=text))
        # What we sent comes back by a list: it is ours, and no report.
        server.append(answer.as_bytes())
        receiver.mails_kept(3)
    first, reply, own = receiver.kept()

    assert messenger.find(origin, KEY) == messenger.post(origin, "again", KEY) == receipt
    assert len(postman.took) == 1
    assert postman.took[0].rcpt_tos == ["ann@home.example"]
    assert sorted(thread) == [1, 2]  # The mail and the answer, which was there first.
    assert answer["Subject"] == "Re: Crash number 1"
    assert (first.route, reply.route, own.route) == ("email/report", "email/reply", "email/own")
    assert first.origin == reply.origin
    assert isinstance(read(reply), ReportCommented)
    assert read(own) is None
    with server.client() as client:
        client.select_folder("Sent", readonly=True)

        assert len(client.search("ALL")) == 1


def test_an_answer_that_is_in_the_sent_folder_is_not_sent_again(
    server: Dovecot, receiver: Receiver, postman: Postman, smtp_port: int
) -> None:
    box = account(
        server,
        smtp_port=smtp_port,
        sent_folder="Sent",
    )
    receiver.settings = Settings.model_validate(
        {"data_dir": receiver.settings.data_dir, "mailbox": [box]}
    )
    origin = Origin(channel="email", container=ADDRESS, item="0")
    receipt = f"bugstream.{KEY}@{ADDRESS.partition('@')[2]}"
    server.append(f"Message-ID: <{receipt}>\r\nSubject: Re: x\r\n\r\nx\r\n".encode(), folder="Sent")
    messenger = mail.messenger(receiver.settings)
    assert messenger is not None

    assert messenger.find(origin, KEY) == receipt
    assert re.fullmatch(r"bugstream\.[0-9a-f-]{36}@acme\.example", receipt)
