"""Children see the scrubbed base; folders follow the XDG rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.environment import base_env, cache_dir, java_home


def test_no_secret_of_the_environment_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUGSTREAM_ANTHROPIC_API_KEY", "canary")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "canary")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    env = base_env()

    assert "canary" not in env.values()
    assert env["LC_ALL"] == "C.UTF-8"
    assert "PATH" in env


def test_cache_follows_xdg_and_ignores_a_relative_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_dir() == Path("/somewhere/bugstream")

    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_dir() == Path("/home/somebody/.cache/bugstream")


def test_java_home_is_none_when_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "")

    assert java_home() is None
