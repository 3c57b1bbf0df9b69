from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from connectors.symbol_store import SymbolStore
from processors.locating.entries import VERSION, entry_of
from processors.locating.history import Change

ENTRY = entry_of("a.py", "def refund(): pass\n")
CHANGE = Change("c0ffee", np.array([1, 2], "<u8"), ("a.py", "b.py"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "symbols.sqlite"


def test_what_was_kept_is_there_for_another_process(path: Path) -> None:
    SymbolStore(path).keep_entries({"1.python": ENTRY})
    SymbolStore(path).keep_changes({"c0ffee": CHANGE})
    again = SymbolStore(path)

    assert again.entries(["1.python", "2.python"])["1.python"].places == ENTRY.places
    assert again.entries(["2.python"]) == {}
    [change] = again.changes(["c0ffee"]).values()
    assert (change.commit, change.paths, change.words.tolist()) == (
        "c0ffee",
        ("a.py", "b.py"),
        [1, 2],
    )


def test_more_than_one_question_holds_is_found(path: Path) -> None:
    store = SymbolStore(path)
    store.keep_entries({f"{n}.python": ENTRY for n in range(1_200)})

    assert len(store.entries([f"{n}.python" for n in range(1_200)])) == 1_200


def test_what_other_parsers_made_is_dropped(path: Path) -> None:
    SymbolStore(path).keep_entries({"1.python": ENTRY})
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version={VERSION + 1}")
        database.commit()

    assert SymbolStore(path).entries(["1.python"]) == {}


def test_a_damaged_file_is_forgotten_and_begun_anew(path: Path) -> None:
    store = SymbolStore(path)
    path.write_bytes(b"no database, but as long as one" * 500)

    assert store.entries(["1.python"]) == {}
    store.keep_entries({"1.python": ENTRY})
    store.keep_entries({"1.python": ENTRY})
    assert "1.python" in store.entries(["1.python"])


def test_one_damaged_content_is_as_if_it_were_not_there(path: Path) -> None:
    store = SymbolStore(path)
    store.keep_entries({"1.python": ENTRY, "2.python": ENTRY})
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE entries SET content = x'00' WHERE key = '1.python'")
        database.commit()

    assert set(store.entries(["1.python", "2.python"])) == {"2.python"}


def test_beyond_its_size_it_begins_anew(path: Path) -> None:
    store = SymbolStore(path, bytes_max=20_000)
    for number in range(300):
        store.keep_entries({f"{number}.python": ENTRY})

    assert "299.python" in store.entries(["299.python"])
    assert path.stat().st_size < 60_000


def test_while_another_process_writes_nothing_is_kept_and_nobody_waits_for_ever(path: Path) -> None:
    store = SymbolStore(path, busy_s_max=0.01)
    store.keep_entries({"1.python": ENTRY})
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.keep_entries({"2.python": ENTRY})
        other.execute("ROLLBACK")

    assert set(store.entries(["1.python", "2.python"])) == {"1.python"}
