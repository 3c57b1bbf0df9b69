"""`bugstream broker`: up stays, status tells, down ends; a second up finds the first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.kafka


PROGRAM = """
import typer
from streams.cli_broker import register
app = typer.Typer()
app.command("other")(lambda: None)
register(app)
app()
"""


def _run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """In a process of its own, as people do: what `up` started must outlive it."""
    command = [sys.executable, "-c", PROGRAM, "broker", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_up_status_down(tmp_path: Path) -> None:
    folder = ["--data-dir", str(tmp_path / "kafka")]
    assert _run("status", *folder) == (
        1,
        {"running": False, "bootstrap": None, "pid": None, "data_dir": str(tmp_path / "kafka")},
    )
    try:
        code, first = _run("up", *folder, "--port", "28092")
        assert (code, first["running"]) == (0, True)

        assert _run("up", *folder) == (0, first)
        assert _run("status", *folder) == (0, first)
    finally:
        code, last = _run("down", *folder)

    assert (code, last["running"]) == (0, False)
    assert _run("down", *folder) == (0, last)
