"""What is not there is not run, and what is not run does not hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.errors import UserError
from streams.bench_channels import NOT_RUN, bench


def silent(done: int, total: int, what: str) -> None:
    """Nobody waits."""


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        bench(tmp_path / "none", progress=silent)


def test_what_has_no_samples_is_not_run_and_so_does_not_hold(tmp_path: Path) -> None:
    webhooks = tmp_path / "jira" / "webhooks"
    webhooks.mkdir(parents=True)
    issue = {"key": "AB-1", "fields": {"summary": "Wrong", "project": {"key": "AB"}}}
    payload = {"webhookEvent": "jira:issue_created", "issue": issue}
    (webhooks / "one.json").write_text(json.dumps(payload))

    figures = bench(tmp_path, progress=silent)
    rows = {row[0]: row for row in figures.rows}

    assert rows["jira webhooks"][1:5] == (1, 1, 0, 0)
    assert rows["mail: replies"][1] == rows["traces"][1] == rows["report texts"][1] == NOT_RUN
    assert figures.holds is False
    assert any("Not run" in note for note in figures.notes)


def test_the_texts_of_payloads_are_read_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "github"
    folder.mkdir()
    text = "### Steps to reproduce\n1. Open it\n<!-- and hide -->"
    (folder / "one.json").write_text(json.dumps({"issue": {"body": text}}))

    rows = {row[0]: row for row in bench(tmp_path, progress=silent).rows}

    assert rows["report texts"][1:5] == (1, 1, 0, 0)
    assert "steps 1, expected 0" in str(rows["report texts"][5])
    assert "hiding something 1" in str(rows["report texts"][5])
