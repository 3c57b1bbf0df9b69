"""The jars: right ones are used, wrong ones are fetched again, half ones are never seen."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from schemas.errors import UserError
from streams.kafka_jars import ensure_jars, locked_jars, missing_jars

SMALL = "org.jspecify:jspecify:1.0.0"
"""3,819 bytes: the smallest of the real lock."""
QUIET = Console(file=StringIO())


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    jar = next(jar for jar in locked_jars() if jar.artifact == "jspecify")
    path = tmp_path / "jars.lock"
    path.write_text(f"# one\n{SMALL} {jar.sha256} {jar.size_bytes}\n")
    return path


def test_lock_lists_kafka_and_its_logging_with_sums() -> None:
    jars = locked_jars()

    assert {("kafka_2.13", "4.3.1"), ("log4j-slf4j-impl", "2.25.3")} <= {
        (jar.artifact, jar.version) for jar in jars
    }
    assert all(len(jar.sha256) == 64 and jar.size_bytes > 0 for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars) == 46


def test_a_jar_is_fetched_once_and_checked(tmp_path: Path, lock: Path) -> None:
    folder = tmp_path / "jars"
    shown = StringIO()

    (path,) = ensure_jars(folder, lock=lock, console=Console(file=shown))

    assert hashlib.sha256(path.read_bytes()).hexdigest() == locked_jars(lock)[0].sha256
    assert "Apache Kafka" in shown.getvalue()
    before = path.stat().st_mtime_ns
    assert ensure_jars(folder, lock=lock, console=QUIET) == (path,)
    assert path.stat().st_mtime_ns == before
    assert sorted(p.name for p in folder.iterdir()) == sorted([".lock", path.name])


def test_a_damaged_jar_is_fetched_again(tmp_path: Path, lock: Path) -> None:
    (path,) = ensure_jars(tmp_path, lock=lock, console=QUIET)
    path.write_bytes(path.read_bytes()[:1000])
    assert len(missing_jars(tmp_path, lock)) == 1

    ensure_jars(tmp_path, lock=lock, console=QUIET)

    assert not missing_jars(tmp_path, lock)


def test_a_jar_that_is_not_the_reviewed_one_is_refused(tmp_path: Path, lock: Path) -> None:
    lock.write_text(f"{SMALL} {'0' * 64} 3819\n")

    with pytest.raises(UserError, match=r"jspecify 1\.0\.0 has not the SHA-256"):
        ensure_jars(tmp_path / "jars", lock=lock, console=QUIET)

    assert [p.name for p in (tmp_path / "jars").iterdir()] == [".lock"]


def test_without_network_the_missing_jar_and_the_way_out_are_named(
    tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.kafka_jars._PAUSE_S", 0.0)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # Nothing listens there.

    with pytest.raises(UserError, match=r"jspecify .* after 3 tries.*network.*--bootstrap"):
        ensure_jars(tmp_path / "jars", lock=lock, console=QUIET)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, lock: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(UserError, match=r"file/jars cannot be written.*XDG_CACHE_HOME"):
        ensure_jars(tmp_path / "file" / "jars", lock=lock, console=QUIET)


def test_two_processes_at_once_download_once(tmp_path: Path, lock: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from streams.kafka_jars import ensure_jars;"
        "ensure_jars(Path(sys.argv[1]), lock=Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "jars"), str(lock)]

    both = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    shown = [process.communicate(timeout=60)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum(b"1 jars" in text for text in shown) == 1
