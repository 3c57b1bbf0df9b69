"""`bugstream doctor`: the settings, secrets masked, and whether all that is needed is there."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from streams import exit_codes
from streams.cli_context import settings

if TYPE_CHECKING:
    from streams.doctor_kafka import Check

_STYLE = {"ok": "green", "note": "yellow", "missing": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("doctor")(doctor)


def doctor(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Print the settings and check what is needed. Exit code 1: something required is missing.

    Example: bugstream doctor --json
    """
    from streams.doctor import examine, masked

    conf = settings(ctx)
    values = masked(conf)
    console = Console()
    if not as_json:
        _show_settings(console, values, conf.model_dump(mode="json", exclude_unset=True))
    checks = []
    for check in examine(conf):
        checks.append(check)
        if not as_json:
            _show(console, check)
    missing = [check.name for check in checks if check.state == "missing"]
    if as_json:
        found = {"settings": values, "checks": [asdict(c) for c in checks], "missing": missing}
        typer.echo(json.dumps(found))
    else:
        verdict = f"Missing: {', '.join(missing)}" if missing else "All that is required is there."
        console.print(f"\n{escape(verdict)}", style="bold", highlight=False)
    if missing:
        raise typer.Exit(exit_codes.FAILED)


def _show_settings(console: Console, values: dict[str, Any], given: dict[str, Any]) -> None:
    """Print those of `values` that were given, a line each: all of them would fill pages."""
    console.print("[bold]Settings[/] that are not left as they are; --json prints all.")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    names = _flat(given)
    for name, value in _flat(values).items():
        if name in names:
            table.add_row(Text(name), Text(value if isinstance(value, str) else json.dumps(value)))
    console.print(table if table.row_count else "none")
    console.print()


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return each setting by its whole name, those of the second mailbox under `mailbox.1`."""
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        value = dict(enumerate(value))
    if not isinstance(value, dict) or not value:
        return {name: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{name}.{key}" if name else str(key))
    return found


def _show(console: Console, check: Check) -> None:
    style = _STYLE[check.state]
    console.print(
        f"[{style}]{check.state:>7}[/] [bold]{escape(check.name)}[/]: {escape(check.found)}",
        highlight=False,
        soft_wrap=True,
    )
    if check.way_out:
        console.print(f"        {escape(check.way_out)}", highlight=False, soft_wrap=True)
