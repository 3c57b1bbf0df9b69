from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from connectors.made_store import MadeStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "made.sqlite"


@pytest.fixture
def store(path: Path) -> MadeStore:
    return MadeStore(path, version=1)


def test_what_was_kept_is_there_for_another_process(path: Path, store: MadeStore) -> None:
    store.keep({"one": b"1" * 1000})

    assert MadeStore(path, version=1).find(["one", "two"]) == {"one": b"1" * 1000}


def test_more_keys_than_one_question_holds_are_found(store: MadeStore) -> None:
    store.keep({f"{n}": b"x" for n in range(1_200)})

    assert len(store.find([f"{n}" for n in range(1_200)])) == 1_200


def test_what_other_makers_made_is_dropped(path: Path, store: MadeStore) -> None:
    store.keep({"one": b"1"})

    assert MadeStore(path, version=2).find(["one"]) == {}


def test_a_file_of_another_shape_is_used_all_the_same(path: Path, store: MadeStore) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version=1")
        database.commit()
    store.keep({"one": b"1"})

    assert store.find(["one"]) == {"one": b"1"}


def test_a_damaged_file_is_forgotten_and_begun_anew(path: Path, store: MadeStore) -> None:
    path.write_bytes(b"no database, but as long as one" * 500)

    assert store.find(["one"]) == {}
    store.keep({"one": b"1"})
    store.keep({"one": b"1"})
    assert store.find(["one"]) == {"one": b"1"}


def test_one_damaged_content_is_as_if_it_were_not_there(path: Path, store: MadeStore) -> None:
    store.keep({"one": b"1", "two": b"2"})
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE made SET content = x'00' WHERE key = 'one'")
        database.commit()

    assert store.find(["one", "two"]) == {"two": b"2"}


def test_beyond_its_size_it_begins_anew(path: Path) -> None:
    store = MadeStore(path, version=1, bytes_max=20_000)
    for number in range(300):
        store.keep({f"{number}": bytes(range(256))})

    assert "299" in store.find(["299"])
    assert path.stat().st_size < 60_000


def test_while_another_process_writes_nothing_is_kept_and_nobody_waits_for_ever(
    path: Path,
) -> None:
    store = MadeStore(path, version=1, busy_s_max=0.01)
    store.keep({"one": b"1"})
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.keep({"two": b"2"})
        other.execute("ROLLBACK")

    assert set(store.find(["one", "two"])) == {"one"}


LOOP = "WITH RECURSIVE c(key, content) AS (SELECT '', 1 UNION ALL SELECT key, 1 FROM c)"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE made SET content = 'text'",
        "UPDATE made SET content = 5",
        f"DROP TABLE made; CREATE VIEW made AS {LOOP} SELECT * FROM c",
        f"CREATE TRIGGER t BEFORE INSERT ON made BEGIN SELECT count(*) FROM ({LOOP}"
        " SELECT * FROM c); END; DELETE FROM made",
    ],
    ids=["text", "number", "view", "trigger"],
)
def test_a_file_that_others_made_is_forgotten_and_begun_anew(path: Path, change: str) -> None:
    store = MadeStore(path, version=1, used_s_max=0.5)
    store.keep({"one": b"1"})
    with closing(sqlite3.connect(path)) as database:
        database.executescript(change)
        database.commit()

    assert store.find(["one"]) == {}
    store.keep({"one": b"1"})
    store.keep({"one": b"1"})
    assert store.find(["one"]) == {"one": b"1"}


def test_a_content_that_unpacks_without_end_is_as_if_it_were_not_there(
    path: Path, store: MadeStore
) -> None:
    store.keep({"one": b"1"})
    packing = zlib.compressobj(9)
    bomb = b"".join(packing.compress(bytes(1_000_000)) for _ in range(70)) + packing.flush()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE made SET content = ?", (bomb,))
        database.commit()

    assert store.find(["one"]) == {}
