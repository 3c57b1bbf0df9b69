"""What a person is told when a command fails."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from schemas.errors import FatalError, TransientError, UserError
from streams.cli_errors import explain
from streams.exit_codes import MISUSED


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "bugstream"


def test_an_error_of_ours_is_its_own_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(UserError("--port: no"), ["up"]) == MISUSED

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Error: --port: no\n")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UserError("no"), "invalid"),
        (TransientError("later"), "unavailable"),
        (FatalError("over"), "failed"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "failed"),
    ],
)
def test_with_json_the_error_is_json_too(
    error: Exception, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    explain(error, ["bugs", "--json"])

    assert json.loads(capsys.readouterr().out)["detail"]["error"] == kind


def test_a_trouble_of_the_system_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    explain(OSError(errno.ENOSPC, "No space left on device", "/data/x"), ["up"])

    assert capsys.readouterr().err == "Error: /data/x: No space left on device\n"


def test_a_fault_of_ours_is_one_sentence_and_its_trace_is_kept_once(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyError) as caught:
        {}["a\nb"]
    for _ in range(2):
        assert explain(caught.value, ["run", "fix", "../X", "--slot"]) == MISUSED

    told = capsys.readouterr().err.splitlines()[0]
    (kept,) = (cache / "errors").iterdir()
    assert kept.name == "run-fix.txt"
    assert str(kept) in told
    assert "Traceback" not in told
    assert "KeyError" in kept.read_text(encoding="utf-8")
    assert kept.stat().st_mode & 0o077 == 0


def test_a_trace_that_cannot_be_kept_hides_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    explain(ValueError("odd"), ["bugs"])

    assert "ValueError: odd" in capsys.readouterr().err
