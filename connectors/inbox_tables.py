"""The tables of the inbox."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

_ID = BigInteger().with_variant(Integer, "sqlite")  # AUTOINCREMENT wants exactly INTEGER.
METADATA = MetaData()
ROWS = Table(
    "inbox_rows",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("route", String(100), nullable=False),
    Column("delivery_id", String(300), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("entity", String(500)),
    Column("meaning", String(64)),
    Column("account", String(300), nullable=False),
    Column("received_at", String(40), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("event", LargeBinary),
    Column("duplicate_of", _ID),
    Column("repeats", Integer, nullable=False, default=0),
    Column("relay_seq", _ID),
    Column("relayed_at", String(40)),
    # A plain key would be given again after the newest row is gone; the relay counts on it.
    sqlite_autoincrement=True,
)
NOT_NUMBERED = ROWS.c.relay_seq.is_(None) & ROWS.c.event.is_not(None)
NOT_RELAYED = ROWS.c.relayed_at.is_(None) & ROWS.c.event.is_not(None)
Index("inbox_delivery", ROWS.c.route, ROWS.c.delivery_id, ROWS.c.content_sha256, unique=True)
Index("inbox_entity", ROWS.c.entity, ROWS.c.id)
Index("inbox_relay_seq", ROWS.c.relay_seq, unique=True)
for _name, _where in (("not_numbered", NOT_NUMBERED), ("not_relayed", NOT_RELAYED)):
    Index(f"inbox_{_name}", ROWS.c.id, sqlite_where=_where, postgresql_where=_where)
REFUSALS = Table(
    "inbox_refusals",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("route", String(100), nullable=False),
    Column("delivery_id", String(300), nullable=False),
    Column("reason", Text, nullable=False),
    Column("refused_at", String(40), nullable=False),
    sqlite_autoincrement=True,
)
POLLERS = Table(
    "inbox_pollers",
    METADATA,
    Column("name", String(300), primary_key=True),
    Column("cursor", Text),
    # What an operator wants to see: when a round last ended well, and what went wrong since.
    Column("polled_at", String(40)),
    Column("error", Text),
    Column("found", Integer, nullable=False, default=0),
)
META = Table(
    "inbox_meta",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", String(100), nullable=False),
)
