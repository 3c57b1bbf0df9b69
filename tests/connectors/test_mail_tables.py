"""The tables are what older releases made them."""

from __future__ import annotations

from connectors.mail_tables import MAILS, METADATA, SENT, THREADS


def test_no_column_was_renamed_or_taken_away() -> None:
    assert set(METADATA.tables) >= {"mail_threads", "mail_mails", "mail_sent"}
    for table, names in (
        (THREADS, "box item account reply_to subject message_ids no_answer verified opened_at"),
        (MAILS, "box meaning message item kind sender at"),
        (SENT, "box key item message message_id at"),
    ):
        assert {column.name for column in table.columns} >= set(names.split())
