"""A mail of ours carries a stranger's subject and ids: it goes to one person, and says no more."""

from __future__ import annotations

from collections.abc import Iterator
from email.policy import SMTP
from pathlib import Path
from uuid import UUID

import pytest

from connectors.database import open_engine
from connectors.mail_messenger import MailMessenger
from connectors.mail_threads import MailThreads, Thread
from processors.mail.to_html import to_html, to_plain
from tests.connectors.mail_servers import mailbox
from tests.redteam import readers
from tests.redteam.reports import REPORTS, Report

TO = "ann@home.example"
TEXT = "**BUG-2026-7F3K2: received.**\n\n<sub>Written by bugstream, a program.</sub>\n"


@pytest.fixture
def messenger(tmp_path: Path) -> Iterator[MailMessenger]:
    threads = MailThreads(lambda: open_engine(tmp_path / "inbox.sqlite"))
    box = mailbox(1)
    made = MailMessenger({box.container: (box, None)}, threads, to_plain=to_plain, to_html=to_html)
    yield made
    made.close()


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_a_subject_of_theirs_adds_no_header_and_nobody(
    messenger: MailMessenger, report: Report
) -> None:
    ids = (report.title, f"{report.name}@x.example>\r\nBcc: v@x.example\r\nX: <y", "ok@x.example")
    thread = Thread(TO, report.title, ids, "", verified=True)

    raw = messenger._mail(mailbox(1), thread, TEXT, UUID(int=7)).as_bytes(policy=SMTP)

    assert readers.mail(raw, to=TO) == []
    assert raw.count(b"\r\n\r\n") >= 1
    assert max(map(len, raw.split(b"\r\n"))) <= 998
