"""What is told when a command fails: a sentence and the way out, never a stack trace."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

import typer

from schemas.errors import BugstreamError, TransientError, UserError
from streams import exit_codes
from streams.environment import cache_dir

_LOG = logging.getLogger(__name__)
_WORDS_MAX = 3


def explain(error: Exception, args: Sequence[str]) -> int:
    """Say what went wrong, and return the exit status.

    `args` are the words of the command line. With `--json` among them the answer is JSON as well,
    in the form that the API's errors have: whoever parses the output gets something to parse.
    """
    kind, message = _words(error, args)
    # What cannot be written to may be the very trouble.
    with suppress(OSError):
        if "--json" in args:
            typer.echo(json.dumps({"detail": {"error": kind, "message": message}}, indent=2))
    with suppress(OSError):
        typer.echo(f"Error: {message}", err=True)
    return exit_codes.MISUSED


def let_any_terminal_print() -> None:
    """Print a question mark for what a terminal cannot show, such as one without UTF-8.

    Titles are in the languages of those who report: no setting of ours may make them fail.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _words(error: Exception, args: Sequence[str]) -> tuple[str, str]:
    if isinstance(error, UserError):
        return "invalid", str(error)
    if isinstance(error, TransientError):
        return "unavailable", str(error)
    if isinstance(error, BugstreamError):
        return "failed", str(error)
    if isinstance(error, OSError) and error.strerror:
        _LOG.info("where it came from", exc_info=error)
        place = f"{error.filename}: " if error.filename else ""
        return "failed", f"{place}{error.strerror}"
    _LOG.info("where it came from", exc_info=error)
    what = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    kept = _keep(error, args)
    where = f" Where it came from is in {kept}." if kept else ""
    return "unexpected", f"this is a fault of bugstream itself ({what}).{where}"


def _keep(error: Exception, args: Sequence[str]) -> Path | None:
    """Write the trace down for whoever mends it. One file a command: crash loops must not pile up.

    Only its owner may read it: a trace may quote what was being worked on.
    """
    words = [word for word in args if re.fullmatch(r"[a-z][a-z-]*", word)]
    name = "-".join(words[:_WORDS_MAX]) or "bugstream"
    path = cache_dir() / "errors" / f"{name}.txt"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return None
    return path
