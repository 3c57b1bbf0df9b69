"""`bugstream broker up|status|down`: the embedded Kafka by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli_context import KAFKA_FOLDER, settings
from streams.signals import stop_on_signals

if TYPE_CHECKING:
    from streams.broker import Broker

_LOOK_S = 0.5

_Folder = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the data; default: data_dir/kafka.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    broker = typer.Typer(
        no_args_is_help=True, help="The embedded Kafka: one node, on this machine only."
    )
    broker.command("up")(up)
    broker.command("status")(status)
    broker.command("down")(down)
    app.add_typer(broker, name="broker")


def up(
    ctx: typer.Context,
    data_dir: _Folder = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port wanted; a taken one gives way. Default: as last time, 9092.",
        ),
    ] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay, and stop the broker on Ctrl-C.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Start the broker, unless it runs already. It stays when this command has ended.

    Example: bugstream broker up --port 9092
    """
    from streams.broker import Broker

    broker = Broker(_folder(ctx, data_dir), port=port)
    if not foreground:
        _start(broker, as_json=as_json)
        return
    with stop_on_signals() as stop:
        _start(broker, as_json=as_json)
        while broker.is_running():
            if stop.wait(_LOOK_S):
                broker.stop()
                return
    typer.echo(f"The broker ended by itself; see {broker.data_dir / 'server.log'}.", err=True)
    raise typer.Exit(1)


def status(ctx: typer.Context, data_dir: _Folder = None, as_json: _Json = False) -> None:
    """Say whether the broker runs. Exit code 0: it does; 1: it does not.

    Example: bugstream broker status --json
    """
    from streams.broker import Broker

    state = _state(Broker(_folder(ctx, data_dir)))
    _say(state, as_json=as_json)
    if not state["running"]:
        raise typer.Exit(1)


def down(ctx: typer.Context, data_dir: _Folder = None, as_json: _Json = False) -> None:
    """Stop the broker. What it holds stays. Harmless when it does not run.

    Example: bugstream broker down
    """
    from streams.broker import Broker

    broker = Broker(_folder(ctx, data_dir))
    broker.stop()
    _say(_state(broker), as_json=as_json)


def _start(broker: Broker, *, as_json: bool) -> None:
    if not broker.is_running():
        broker.start()
    _say(_state(broker), as_json=as_json)


def _folder(ctx: typer.Context, data_dir: Path | None) -> Path:
    return data_dir or settings(ctx).data_path / KAFKA_FOLDER


def _state(broker: Broker) -> dict[str, Any]:
    running = broker.is_running()
    return {
        "running": running,
        "bootstrap": broker.bootstrap if running else None,
        "pid": broker.pid if running else None,
        "data_dir": str(broker.data_dir),
    }


def _say(state: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(state))
    elif state["running"]:
        where = f"{state['bootstrap']}, process {state['pid']}, data in {state['data_dir']}"
        typer.echo(f"Kafka runs: {where}")
    else:
        typer.echo(f"Kafka does not run (data in {state['data_dir']}).")
