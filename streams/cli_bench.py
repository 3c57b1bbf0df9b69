"""`bugstream bench`: figures, on this machine, of what can be measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    bench = typer.Typer(
        no_args_is_help=True, help="Benchmarks: each prints what was measured, and on what."
    )
    bench.command("throughput")(throughput)
    bench.command("quixbugs")(quixbugs)
    bench.command("channels")(channels)
    app.add_typer(bench, name="bench")


def throughput(
    records: Annotated[int, typer.Option(min=1000, help="Records of each run.")] = 60_000,
    rounds: Annotated[int, typer.Option(min=1, help="Alternating runs; the median counts.")] = 5,
    as_json: _Json = False,
) -> None:
    """Compare one stage with a bare transactional loop and with a faust agent, same work each.

    Example: bugstream bench throughput --json
    """
    from streams.bench_throughput import bench
    from streams.cli_prove import watched
    from streams.figures import show

    with watched(show_bar=not as_json) as told:
        figures = bench(records=records, rounds=rounds, progress=told)
    raise typer.Exit(show(figures, as_json=as_json))


def quixbugs(
    path: Annotated[Path, typer.Argument(help="A checkout of QuixBugs; it is not part of this.")],
    program: Annotated[
        list[str] | None, typer.Option(help="Only this program; may be repeated.")
    ] = None,
    wall_s: Annotated[float, typer.Option(min=1, help="Wall seconds for each program.")] = 600.0,
    as_json: _Json = False,
) -> None:
    """Let the offline engine repair the 40 programs of QuixBugs, and a hold-out beside them.

    Example: bugstream bench quixbugs QuixBugs
    """
    from streams.bench_quixbugs import bench
    from streams.cli_prove import watched
    from streams.figures import show

    with watched(show_bar=not as_json) as told:
        figures = bench(path, programs=program or None, wall_s_per_program=wall_s, progress=told)
    raise typer.Exit(show(figures, as_json=as_json))


def channels(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Samples; not part of this.")],
    as_json: _Json = False,
) -> None:
    """Put real payloads, mails and stack traces through the doors and parsers.

    Example: bugstream bench channels samples
    """
    from streams.bench_channels import bench
    from streams.cli_prove import watched
    from streams.figures import show

    with watched(show_bar=not as_json) as told:
        figures = bench(folder, progress=told)
    raise typer.Exit(show(figures, as_json=as_json))
