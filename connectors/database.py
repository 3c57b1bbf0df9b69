"""Open a SQL database the way every durable store of ours needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from schemas.errors import UserError

BUSY_TIMEOUT_MS_MAX = 5_000
"""How long a SQLite writer waits for another one. Half of the ten seconds GitHub waits for us."""


def open_engine(url_or_path: str | Path) -> Engine:
    """Return an engine for a SQLAlchemy URL or for the path of a SQLite file (made if missing).

    SQLite transactions start as BEGIN IMMEDIATE, so that two writers queue up instead of failing
    halfway, and a commit that returned is on the disk. A connection serves one thread at a time.
    Call `dispose()` at the end. Raises `UserError` for a URL that makes no sense.
    """
    if isinstance(url_or_path, Path) or "://" not in url_or_path:
        path = Path(url_or_path).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        url_or_path = f"sqlite:///{path}"
    try:
        url = make_url(url_or_path)
        engine = create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    except ArgumentError as error:
        raise UserError("database_url: not a SQLAlchemy URL; use postgresql://…") from error
    except ModuleNotFoundError as error:
        raise UserError(
            f"database_url: install the driver first: pip install {error.name}"
        ) from error
    if url.get_backend_name() != "sqlite":
        return engine
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def reading(engine: Engine) -> Engine:
    """Return a view of `engine` whose transactions only read: on SQLite they wait for nobody."""
    return engine.execution_options(only_reads=True)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Python's own implicit BEGIN comes too late and is deferred; `_begin` does it instead.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS_MAX}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    only_reads = connection.get_execution_options().get("only_reads", False)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")
