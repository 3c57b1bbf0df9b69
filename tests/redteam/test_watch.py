"""The watch must see what it is there to see: one of each kind is planted."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.redteam.watch import watched


def connect() -> None:
    with socket.socket() as caller:
        caller.settimeout(1)
        caller.connect_ex(("127.0.0.1", 1))


def unpickle() -> None:
    pickle.loads(pickle.dumps(Path))


def read_outside() -> None:
    with Path("/etc/passwd").open("rb"):
        pass


PLANTED: dict[str, tuple[Callable[[], object], str]] = {
    "a shell": (partial(subprocess.run, "true", shell=True), "a shell's line|none of ours: sh"),
    "a program": (partial(subprocess.run, ["true"]), "none of ours: true"),
    "words": (partial(subprocess.run, ["git", "--version", "x;evil"]), "words of a stranger"),
    "os.system": (partial(os.system, "true"), "os.system"),
    "spawn": (partial(os.posix_spawn, "/bin/true", ["true"], {}), "os.posix_spawn"),
    "a file": (read_outside, "open outside: /etc/passwd"),
    "a folder": (partial(os.listdir, "/etc"), "os.listdir outside: /etc"),
    "a connection": (connect, "socket.connect"),
    "a name": (partial(socket.getaddrinfo, "127.0.0.1", 80), "socket.getaddrinfo"),
    "an object": (unpickle, "pickle.find_class"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_seen(tmp_path: Path, name: str) -> None:
    plant, sign = PLANTED[name]
    with watched(tmp_path, programs=("git",), words=("evil",)) as seen:
        plant()

    assert any(part in said for part in sign.split("|") for said in seen.violations)


def test_a_way_out_of_the_folder_is_outside(tmp_path: Path) -> None:
    with watched(tmp_path) as seen:
        (tmp_path / "../../../../../../etc/hosts").open("rb").close()

    assert seen.violations == ["open outside: /etc/hosts"]


def test_what_is_allowed_is_no_violation_and_nothing_is_seen_afterwards(tmp_path: Path) -> None:
    with watched(tmp_path, programs=("git",)) as seen:
        (tmp_path / "a").write_text("x")
        subprocess.run(["git", "--version"], capture_output=True, check=True)
    (tmp_path.parent / "b").write_text("x")

    assert seen.violations == []
    assert seen.argv == [("git", "--version")]
