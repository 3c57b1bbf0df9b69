"""The command line: one place that parses, one function per verb elsewhere."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from streams import (
    cli_bench,
    cli_broker,
    cli_dead_letters,
    cli_dedupe,
    cli_demo,
    cli_discord,
    cli_doctor,
    cli_fix,
    cli_graph,
    cli_inbox,
    cli_known,
    cli_locate,
    cli_prove,
    cli_report,
    cli_run,
)
from streams.cli_errors import explain, let_any_terminal_print

app = typer.Typer(
    name="bugstream",
    help="Bug reports in; verified fixes, or an honest 'could not', out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("bugstream"))
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[
        Path | None, typer.Option(help="Settings file (TOML); default: bugstream.toml here.")
    ] = None,
    bootstrap: Annotated[
        str | None, typer.Option(help="Your own Kafka, HOST:PORT; default: the embedded one.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what is done.")] = False,
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Bug reports in; verified fixes, or an honest 'could not', out."""
    # The first two are read by `cli_context.settings` when a command needs them.
    del config, bootstrap, show_version
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(threadName)s %(levelname)s %(message)s",
    )


for _part in (
    cli_demo,
    cli_fix,
    cli_locate,
    cli_graph,
    cli_run,
    cli_report,
    cli_inbox,
    cli_known,
    cli_dead_letters,
    cli_dedupe,
    cli_broker,
    cli_doctor,
    cli_discord,
    cli_prove,
    cli_bench,
):
    _part.register(app)


def main() -> None:
    """Run one command. What goes wrong is said in words, without a stack trace."""
    let_any_terminal_print()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  # a person must never meet a stack trace
        sys.exit(explain(error, sys.argv[1:]))
