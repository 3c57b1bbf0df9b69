from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from processors.locating.failing import NotRun, Spectrum
from schemas.errors import UserError
from streams.config import load
from streams.run_here import Here
from tests.connectors.repositories import commit_files, git, make_remote
from tests.processors.trees import CALC, COMMAND, report

FAILING = "\n\ndef test_mean_of_nothing():\n    assert double(mean([])) == 0\n"
FILES = CALC | {"tests/test_mean.py": CALC["tests/test_mean.py"] + FAILING}
NAMED = report("test_mean_of_nothing fails")


def here(folder: Path) -> tuple[Here, str]:
    _, commit = make_remote(folder, FILES)
    command = shlex.join(COMMAND)
    return Here(folder / "work", Path(sys.executable), command, load(None)), commit


@pytest.mark.sandbox
@pytest.mark.parametrize("is_detached", [False, True])
def test_the_failing_test_is_run_on_what_is_checked_out(tmp_path: Path, is_detached: bool) -> None:
    asked, commit = here(tmp_path)
    if is_detached:
        git(asked.repo, "checkout", "--quiet", commit)
    found = asked.spectrum(commit, NAMED, ())

    assert isinstance(found, Spectrum)
    assert (found.failed, found.passed) == (1, 2)
    assert found.lines.failed["calc/mean.py"] == {3: 1}
    assert git(asked.repo, "status", "--short") == ""


@pytest.mark.sandbox
def test_a_report_that_no_test_fits_says_so(tmp_path: Path) -> None:
    asked, commit = here(tmp_path)

    assert isinstance(asked.spectrum(commit, report("It is slow"), ()), NotRun)


def test_another_commit_than_what_is_checked_out_is_refused(tmp_path: Path) -> None:
    asked, first = here(tmp_path)
    commit_files(asked.repo, {"new.py": "x = 1\n"})

    with pytest.raises(UserError, match="leave out --commit"):
        asked.spectrum(first, NAMED, ())
