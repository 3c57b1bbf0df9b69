"""The database opener."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from connectors.database import open_engine, reading
from schemas.errors import UserError


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(tmp_path / "deep" / "store.db")
    yield opened
    opened.dispose()


def test_sqlite_is_opened_for_durability(engine: Engine) -> None:
    with engine.begin() as connection:
        mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar_one()

    assert (mode, synchronous) == ("wal", 2)


def test_writers_of_several_threads_lose_nothing(engine: Engine) -> None:
    """With BEGIN DEFERRED this read-then-write fails with 'database is locked' or loses some."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def add(_: int) -> None:
        with engine.begin() as connection:
            n = connection.execute(text("SELECT n FROM counter")).scalar_one()
            connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))

    with engine.begin() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 80


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    with engine.begin() as writer:
        writer.execute(text("CREATE TABLE t (n INTEGER)"))

        with reading(engine).begin() as reader:
            tables = reader.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()

    assert tables == 0


def test_a_rollback_leaves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))

    def insert_and_fail() -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        insert_and_fail()

    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar_one() == 0


def test_a_senseless_url_is_a_user_error() -> None:
    with pytest.raises(UserError, match="database_url"):
        open_engine("://nonsense")


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(UserError, match="pip install cx_Oracle"):
        open_engine("oracle+cx_oracle://host/db")
