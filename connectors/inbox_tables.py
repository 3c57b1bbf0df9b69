"""The tables of the inbox."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
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


def database_id(connection: Connection) -> UUID:
    """Return what tells this database from others; it is made at the first call."""
    query = select(META.c.value).where(META.c.name == "database_id")
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        found = str(uuid4())
        connection.execute(insert(META).values(name="database_id", value=found))
    return UUID(found)


def whole(said: str) -> str:
    """Return `said` as every database takes it: without NUL and half characters."""
    return said.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def storable(said: str, column: Column[str]) -> str:
    """Return `said`, which may be a stranger's, as `column` takes it.

    Of what is too long the end is a hash: two stay two.
    """
    plain, chars_max = whole(said), column.type.length or len(said)  # type: ignore[attr-defined]
    if len(plain) <= chars_max:
        return plain
    name = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"{plain[: chars_max - len(name) - 1]}~{name}"
