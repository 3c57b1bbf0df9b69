"""The tables are what older releases made them."""

from __future__ import annotations

from sqlalchemy import Column, String

from connectors.inbox_tables import METADATA, ROWS, storable


def test_no_column_was_renamed_or_taken_away() -> None:
    names = {"inbox_rows", "inbox_refusals", "inbox_meta", "inbox_pollers"}
    assert set(METADATA.tables) >= names
    assert {column.name for column in ROWS.columns} >= {
        *("id", "route", "delivery_id", "content_sha256", "entity", "meaning", "account"),
        *("received_at", "event_id", "event", "duplicate_of", "repeats", "relay_seq"),
        *("relayed_at",),
    }


def test_what_a_stranger_sends_is_made_to_fit_and_stays_apart() -> None:
    column: Column[str] = Column("x", String(60))

    assert storable("größer", column) == "größer"
    assert storable("a\0b\ud800", column) == "a\ufffdb?"

    long = [storable("x" * 100 + end, column) for end in ("1", "2", "1")]

    assert [len(one) for one in long] == [60, 60, 60]
    assert long[0] != long[1]
    assert long[0] == long[2]
