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
    bench.command("dedupe")(dedupe)
    bench.command("locate")(locate)
    bench.command("locate-commits")(locate_commits)
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


def dedupe(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Reports, a JSON object a line; not part of this."),
    ] = None,
    speed: Annotated[
        bool, typer.Option("--speed", help="Time a report among 100,000 that are known instead.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """Find and merge the duplicates of whole trackers, and compare with what people say.

    Example: bugstream bench dedupe hadoop.jsonl seamonkey.jsonl multilingual.jsonl
    """
    from schemas.errors import UserError
    from streams.cli_prove import watched
    from streams.figures import show

    with watched(show_bar=not as_json) as told:
        if speed:
            from streams.bench_dedupe_speed import bench as time_it

            figures = time_it(progress=told)
        elif files:
            from streams.bench_dedupe import bench

            figures = bench(files, progress=told)
        else:
            raise UserError("bench dedupe: name files with reports, or say --speed")
    raise typer.Exit(show(figures, as_json=as_json))


def locate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Issues with their fixes, a JSON object a line.")
    ],
    repos: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with repositories, each owner__name.")
    ],
    index: Annotated[
        Path | None, typer.Option(help="Keep what was read of them in this file for next time.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Look for the places of known fixes, by the issues alone, and count how often they are found.

    A line has instance_id, repo, base_commit, problem_statement, gold_files and gold_functions.
    Repositories may be bare or work trees, owner__name or owner+name; what is missing is not run.

    Example: bugstream bench locate issues.jsonl --repos repositories
    """
    from streams.bench_locate import bench
    from streams.cli_prove import watched
    from streams.figures import show

    with watched(show_bar=not as_json) as told:
        figures = bench(file, repos, progress=told, store=index)
    raise typer.Exit(show(figures, as_json=as_json))


def locate_commits(
    repos: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with repositories, each owner__name.")
    ],
    count: Annotated[int, typer.Option(min=1, max=200, help="Commits of each repository.")] = 10,
    index: Annotated[
        Path | None, typer.Option(help="Keep what was read of them in this file for next time.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Look for the files that fixing commits changed, by their messages alone.

    For languages without known issues. Taken are the newest commits whose subject says fix, bug or
    regression (and nothing of tests, docs, build and the like), that change one to three files of
    code which were there before. What is looked at is the commit before.

    Example: bugstream bench locate-commits --repos repositories --count 20
    """
    from streams.bench_locate_commits import bench
    from streams.cli_prove import watched
    from streams.figures import show

    with watched(show_bar=not as_json) as told:
        figures = bench(repos, progress=told, count=count, store=index)
    raise typer.Exit(show(figures, as_json=as_json))
