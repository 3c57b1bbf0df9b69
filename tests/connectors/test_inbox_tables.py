"""The tables are what older releases made them."""

from __future__ import annotations

from connectors.inbox_tables import METADATA, ROWS


def test_no_column_was_renamed_or_taken_away() -> None:
    names = {"inbox_rows", "inbox_refusals", "inbox_meta", "inbox_pollers"}
    assert set(METADATA.tables) >= names
    assert {column.name for column in ROWS.columns} >= {
        *("id", "route", "delivery_id", "content_sha256", "entity", "meaning", "account"),
        *("received_at", "event_id", "event", "duplicate_of", "repeats", "relay_seq"),
        *("relayed_at",),
    }
