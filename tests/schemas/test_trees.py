"""What is read and written beside strangers' code stays inside its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.trees import UnsafePathError, read_file, remove_file, safe_path, write_file


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up", "", ".", "a\0b", "a\\b"])
def test_a_path_that_could_leave_the_folder_is_refused(path: str) -> None:
    with pytest.raises(UnsafePathError):
        safe_path(path)


def test_what_was_written_is_read_back_and_keeps_its_mode(tmp_path: Path) -> None:
    write_file(tmp_path, "a/b/c.txt", b"one")
    (tmp_path / "a/b/c.txt").chmod(0o755)
    write_file(tmp_path, "a/b/c.txt", b"two")

    assert read_file(tmp_path, "a/b/c.txt") == b"two"
    assert (tmp_path / "a/b/c.txt").stat().st_mode & 0o777 == 0o755


def test_a_link_is_not_read_through(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host")
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "file").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path)

    for path in ("file", "up/secret"):
        with pytest.raises(UnsafePathError):
            read_file(folder, path)


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host")
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "soft").symlink_to(secret)
    os.link(secret, folder / "hard")
    (folder / "up").symlink_to(tmp_path)

    write_file(folder, "soft", b"x")
    write_file(folder, "hard", b"x")
    with pytest.raises(UnsafePathError):
        write_file(folder, "up/secret", b"x")

    assert secret.read_text() == "host"
    assert read_file(folder, "soft") == read_file(folder, "hard") == b"x"


def test_a_pipe_and_a_large_file_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * 11)

    with pytest.raises(UnsafePathError):
        read_file(tmp_path, "pipe")
    with pytest.raises(UnsafePathError):
        read_file(tmp_path, "large", bytes_max=10)


def test_removing_takes_the_link_and_leaves_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("stays")
    (tmp_path / "link").symlink_to("target")

    remove_file(tmp_path, "link")
    remove_file(tmp_path, "never/was")

    assert [p.name for p in tmp_path.iterdir()] == ["target"]


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path, "no/such")
