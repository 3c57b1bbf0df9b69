"""Which folders are shown for an interpreter, found without starting it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connectors.target_python import target_python
from schemas.values import SandboxUnavailableError


def installation(folder: Path) -> Path:
    """Make what looks like an installed interpreter; return its program."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib/python3.11").mkdir(parents=True)
    (folder / "lib/python3.11/os.py").touch()
    program = folder / "bin/python3.11"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    return program


def venv(folder: Path, base: Path) -> Path:
    """Make what looks like a venv of `base`; return its program."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\nversion = 3.11.7\n")
    (folder / "bin/python").symlink_to(base)
    return folder / "bin/python"


def test_a_venv_shows_itself_and_what_it_was_made_from(tmp_path: Path) -> None:
    base = installation(tmp_path / "pythons/3.11")
    python = venv(tmp_path / "env", base)

    found = target_python(python)

    assert found.executable == python
    assert set(found.folders) == {tmp_path / "env", tmp_path / "pythons/3.11"}
    assert found.links == ()


def test_the_folder_of_a_stray_link_is_not_shown(tmp_path: Path) -> None:
    base = installation(tmp_path / "pythons/3.11")
    (tmp_path / "home/bin").mkdir(parents=True)
    stray = tmp_path / "home/bin/python"
    stray.symlink_to(base)

    found = target_python(stray)

    assert found.folders == (tmp_path / "pythons/3.11",)
    assert found.links == ((stray, str(base)),)


def test_the_interpreter_that_runs_this_is_understood() -> None:
    assert Path(sys.base_prefix) in target_python(Path(sys.executable)).folders


def test_a_shim_is_refused_with_the_way_out(tmp_path: Path) -> None:
    shim = tmp_path / "python"
    shim.write_text("#!/bin/sh\nexec pyenv exec python\n")
    shim.chmod(0o755)

    with pytest.raises(SandboxUnavailableError, match=r"sys\.executable"):
        target_python(shim)


def test_an_installation_that_is_a_home_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = installation(tmp_path / "home")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    with pytest.raises(SandboxUnavailableError, match="make a venv elsewhere"):
        target_python(program)


def test_a_program_without_a_standard_library_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "bin/python"
    program.parent.mkdir()
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)

    with pytest.raises(SandboxUnavailableError, match="standard library"):
        target_python(program)
    with pytest.raises(SandboxUnavailableError, match="is not a program"):
        target_python(tmp_path / "nothing")


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    with pytest.raises(SandboxUnavailableError):
        target_python(tmp_path / "a")
