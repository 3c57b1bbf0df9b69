"""One owner of a data folder; what a killed one left running holds it until it has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.data_folder import alone

OWNER = """
import os, signal, subprocess, sys
from pathlib import Path
from streams.data_folder import alone
with alone(Path(sys.argv[1]), leftovers_s_max=1) as held:
    subprocess.Popen(["sleep", sys.argv[2]], pass_fds=(held,))
    print("held", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_an_owner(folder: Path, child_lives_s: float) -> None:
    """Return when an owner was killed with -9 whose child lives on for a while."""
    command = [sys.executable, "-c", OWNER, str(folder), str(child_lives_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"


def test_a_second_owner_is_refused_by_name_and_harms_nothing(tmp_path: Path) -> None:
    with (
        alone(tmp_path, leftovers_s_max=1),
        pytest.raises(UserError, match=rf"already runs on .*process {os.getpid()}\)"),
        alone(tmp_path, leftovers_s_max=1),
    ):
        pass
    with alone(tmp_path, leftovers_s_max=0):
        pass


def test_a_folder_that_cannot_be_used_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(UserError, match="BUGSTREAM_DATA_DIR"),
        alone(tmp_path / "file" / "data", leftovers_s_max=0),
    ):
        pass


def test_children_of_a_killed_owner_are_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    kill_an_owner(tmp_path, child_lives_s=1.5)

    with alone(tmp_path, leftovers_s_max=20):
        waited_s = time.monotonic() - begun

    assert waited_s >= 1.5


def test_children_that_do_not_end_are_not_waited_for_for_ever(tmp_path: Path) -> None:
    kill_an_owner(tmp_path, child_lives_s=3)

    with pytest.raises(UserError, match=r"not ended within 0 s: end those .*children\.lock"):
        alone(tmp_path, leftovers_s_max=0.2).__enter__()
