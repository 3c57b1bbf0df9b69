"""`bugstream fix`, as typed: exit statuses, files, and what is left behind."""

from __future__ import annotations

import json
import logging
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from git import Repo
from typer.testing import CliRunner, Result

from connectors.checkouts import GitCheckouts
from schemas.errors import FatalError, UserError
from streams import demo_shop
from streams.cli import app
from streams.cli_fix import PATCH_FILE, REPORT_FILE
from streams.exit_codes import FAILED, MISUSED, OK
from tests.processors.trees import COMMAND

ROOT = Path(__file__).parents[2]
STALE = "of an earlier run"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    clone = tmp_path / "shop"
    Repo.clone_from(str(demo_shop.make_remote(tmp_path)), clone).close()
    for issue in demo_shop.ISSUES:
        text = f"# {issue.title}\n\n{issue.body}"
        (tmp_path / f"{issue.number}.md").write_text(text, encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / PATCH_FILE).write_text(STALE)
    return clone


def options(shop: Path, report: str | int, *more: str) -> list[str]:
    folder = shop.parent
    source = report if isinstance(report, str) else str(folder / f"{report}.md")
    places = ["--repo", str(shop), "--report", source, "--out", str(folder / "out")]
    project = ["--python", sys.executable, "--test-command", shlex.join(COMMAND)]
    return ["fix", *places, *project, *more]


def fix(shop: Path, report: str | int, *more: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, options(shop, report, *more), input=text, catch_exceptions=False)


@pytest.mark.sandbox
@pytest.mark.timeout(400)
def test_a_verified_patch_is_exit_status_0_and_applies(shop: Path) -> None:
    text = (shop.parent / "7.md").read_text(encoding="utf-8")

    done = fix(shop, "-", text=text)

    assert done.exit_code == OK
    assert "verified" in done.stdout
    patch = shop.parent / "out" / PATCH_FILE
    assert f"Patch:  {patch}" in done.stdout
    with Repo(shop) as repo:
        repo.git.apply("--check", str(patch))
        assert [head.name for head in repo.heads] == [demo_shop.BRANCH]
        repo.git.apply(str(patch))
    check = "from shop.orders import *; assert total_cents(Order('x', (Line('y', 5, 2),))) == 10"
    subprocess.run([sys.executable, "-c", check], cwd=shop, check=True)
    written = (shop.parent / "out" / REPORT_FILE).read_text(encoding="utf-8")
    assert patch.read_text(encoding="utf-8").rstrip() in written


@pytest.mark.sandbox
def test_no_patch_is_exit_status_1_and_leaves_no_patch_of_an_earlier_run(shop: Path) -> None:
    done = fix(shop, 9, "--json")

    assert done.exit_code == FAILED
    told = json.loads(done.stdout)
    assert (told["outcome"], told["verified"], told["diff"]) == ("not verified", False, None)
    assert [file.name for file in (shop.parent / "out").iterdir()] == [REPORT_FILE]


@pytest.mark.sandbox
def test_what_a_stage_logs_does_not_meet_whoever_typed_the_command(
    shop: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> str:
        raise ValueError("not as it was")

    monkeypatch.setattr(GitCheckouts, "base_commit", broken)

    with pytest.raises(FatalError, match="not as it was"):
        fix(shop, 9)
    assert not caplog.records
    assert logging.root.manager.disable == logging.NOTSET


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--branch", "nope"), "--branch nope"),
        (("--python", "/nowhere"), "--python /nowhere"),
        (("--test-command", "make test"), "--test-command"),
        (("--report", "/nowhere.md"), "/nowhere.md"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_touched(
    shop: Path, more: tuple[str, str], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        fix(shop, 9, *more)
    assert (shop.parent / "out" / PATCH_FILE).read_text() == STALE


def test_a_folder_that_cannot_be_written_is_said_before_the_work(shop: Path) -> None:
    with pytest.raises(UserError, match="--out"):
        fix(shop, 9, "--out", str(shop.parent / "9.md"))


def bugstream(shop: Path, *arguments: str) -> subprocess.Popen[str]:
    temp = shop.parent / "tmp"  # Of its own, so that what is left there was left by this run.
    temp.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "streams", *arguments],
        cwd=shop.parent,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(temp)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_misuse_is_exit_status_2_without_a_stack_trace(shop: Path) -> None:
    with bugstream(shop, *options(shop, 9, "--branch", "nope")) as process:
        _, stderr = process.communicate(timeout=60)

    assert process.returncode == MISUSED
    assert stderr == "Error: --branch nope: there is none; there are: main\n"


@pytest.mark.sandbox
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(shop: Path, number: signal.Signals) -> None:
    with bugstream(shop, *options(shop, 7)) as process:
        until = time.monotonic() + 60
        while not list((shop.parent / "tmp").glob("bugstream-fix-*/work/*/tree")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)

    assert process.returncode == 128 + number
    assert "Traceback" not in stderr
    assert not list((shop.parent / "tmp").glob("bugstream-*"))
