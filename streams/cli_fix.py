"""`bugstream fix`: one bug in one command, for people at a terminal and for CI jobs."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.status import Status as Spinner

from schemas.errors import BugstreamError, UserError
from streams.cli_context import settings
from streams.exit_codes import FAILED, OK

if TYPE_CHECKING:
    from streams.story import Story

REPORT_FILE = "bugstream-report.md"
PATCH_FILE = "bugstream.patch"
SIGNALLED = 128
"""Added to the number of the signal that ended us, as shells do."""
REMOVING_S_MAX = 3.0
"""For the folder of a run that was interrupted and still writes."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("fix")(fix)


def fix(
    ctx: typer.Context,
    repo: Annotated[Path, typer.Option(help="The git repository with the bug.")],
    report: Annotated[str, typer.Option(help="File with the bug report; - reads it from stdin.")],
    python: Annotated[
        Path | None, typer.Option(help="Interpreter with the project's packages and pytest.")
    ] = None,
    branch: Annotated[str | None, typer.Option(help="Default: what is checked out.")] = None,
    test_command: Annotated[
        str, typer.Option(help="Arguments to the interpreter that run the tests.")
    ] = "-m pytest -q",
    out: Annotated[Path, typer.Option(help=f"Folder for {REPORT_FILE} and {PATCH_FILE}.")] = Path(),
    push: Annotated[
        bool, typer.Option("--push", help="Put a verified patch on a branch of the repository.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fix one bug of a repository: report in, verified patch or an honest "could not" out.

    Needs no Kafka, no server and no key. Exit status: 0 a verified patch, 1 none, 2 an error.

    Example: bugstream fix --repo . --report bug.md --python .venv/bin/python
    """
    from streams import one_fix
    from streams.cli_report import read_report

    target = one_fix.target_of(
        repo,
        branch=branch,
        python=python or Path(sys.executable),
        test_command=test_command,
        pushes=push,
    )
    given = read_report(report)
    _prepare(out)
    at = f"commit {target.commit[:12]} of {target.branch}"
    typer.echo(f"Looking at {at}; what is not committed is not seen.", err=True)
    with _quiet(), _ended_by_sigterm(), _folder() as folder:
        conf = one_fix.settings_for(target, settings(ctx), Path(folder))
        with Spinner("Reading the report", console=Console(stderr=True)) as spinner:

            def progress(done: int, total: int, what: str) -> None:
                spinner.update(f"{what} ({done} of {total})")

            with one_fix.fixed(conf, given, progress) as (story, _):
                spinner.stop()
                status = _tell(story, out, as_json=as_json)
    raise typer.Exit(status)


def _prepare(out: Path) -> None:
    """Make the folder, without the results of an earlier run: they are not this one's.

    Raises `UserError` now, not after minutes of work.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in (REPORT_FILE, PATCH_FILE):
            (out / name).unlink(missing_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise UserError(f"--out {out}: {error.strerror}") from error


@contextmanager
def _folder() -> Iterator[str]:
    # What is interrupted may still write while it is removed; the process ends soon after.
    with tempfile.TemporaryDirectory(prefix="bugstream-fix-", ignore_cleanup_errors=True) as folder:
        try:
            yield folder
        finally:
            until = time.monotonic() + REMOVING_S_MAX
            while Path(folder).exists() and time.monotonic() < until:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what stages log for operators: here the answer or the error says it, once."""
    is_verbose = logging.getLogger().isEnabledFor(logging.INFO)
    before = logging.root.manager.disable
    logging.disable(before if is_verbose else logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM, by which CI jobs are cancelled, clean up as Ctrl-C does."""

    def end(number: int, _: object) -> None:
        sys.exit(SIGNALLED + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(story: Story, out: Path, *, as_json: bool) -> int:
    from streams.story import as_dict, markdown, panel

    try:
        (out / REPORT_FILE).write_text(markdown(story), encoding="utf-8")
        if story.verified and story.proposal is not None:
            (out / PATCH_FILE).write_text(story.proposal.diff, encoding="utf-8")
    except OSError as error:
        raise BugstreamError(f"--out {out}: {error.strerror}") from error
    if as_json:
        typer.echo(json.dumps(as_dict(story), indent=2))
    else:
        Console().print(panel(story))
        typer.echo(f"Report: {out / REPORT_FILE}")
        if story.verified:
            typer.echo(f"Patch:  {out / PATCH_FILE}")
    return OK if story.verified else FAILED
