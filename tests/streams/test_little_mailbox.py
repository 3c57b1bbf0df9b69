"""What the little server finds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streams.little_mailbox import Mailstore, found, item


@pytest.fixture
def store() -> Mailstore:
    made = Mailstore()
    for day in (1, 2, 3):
        at = datetime(2026, 11, day, tzinfo=UTC)
        made.append(f"Message-ID: <{day}@x>\r\n\r\nbody".encode(), at=at)
    return made


@pytest.mark.parametrize(
    ("words", "uids"),
    [
        (["ALL"], [1, 2, 3]),
        (["UID", "2:3"], [2, 3]),
        (["UID", "1,3"], [1, 3]),
        (["UID", "9:*"], [3]),
        (["SINCE", "02-Nov-2026"], [2, 3]),
        (["UID", "1:2", "SINCE", "2-Nov-2026"], [2]),
        (["HEADER", "Message-ID", "<2@x>"], [2]),
    ],
)
def test_mails_are_found_as_in_imap(store: Mailstore, words: list[str], uids: list[int]) -> None:
    assert [mail.uid for mail in found(store.folders["INBOX"].mails, words)] == uids


@pytest.mark.parametrize("words", [["BODY", "x"], ["UID"], ["UID", "x"], ["SINCE", "today"]])
def test_what_is_not_ours_is_refused(store: Mailstore, words: list[str]) -> None:
    with pytest.raises(ValueError, match=r".*"):
        found(store.folders["INBOX"].mails, words)


def test_a_mail_is_shown_whole_in_part_and_by_its_size(store: Mailstore) -> None:
    mail = store.folders["INBOX"].mails[0]

    assert item(mail, "RFC822.SIZE") == b"RFC822.SIZE %d" % len(mail.content)
    assert item(mail, "BODY.PEEK[]").endswith(b"\r\n" + mail.content)
    assert item(mail, "BODY.PEEK[]<0.7>") == b"BODY[]<0> {7}\r\nMessage"
    with pytest.raises(ValueError, match="ENVELOPE"):
        item(mail, "ENVELOPE")


def test_numbered_anew_the_same_mails_have_other_numbers(store: Mailstore) -> None:
    folder = store.folders["INBOX"]
    del folder.mails[0]
    before = folder.uidvalidity
    store.number_anew()

    assert [mail.uid for mail in folder.mails] == [1, 2]
    assert (folder.uidvalidity, folder.uidnext) == (before + 1, 3)
