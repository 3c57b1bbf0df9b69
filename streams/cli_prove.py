"""`bugstream prove`: kill processes on a Kafka of its own, and count what was lost or doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.errors import UserError

if TYPE_CHECKING:
    from processors.ports import Progress as Told
    from streams.figures import Figures


_SIZE = typer.Option(min=1, help="Rows, tasks, bugs, webhooks or reports; default: as claimed.")
_PER_SECOND = typer.Option(min=1, max=2000, help="Webhooks a second, for --load.")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("prove")(prove)


def prove(
    events: Annotated[
        int | None,
        typer.Option(min=100, help="Events through normalize and dedupe, workers killed."),
    ] = None,
    long_tasks: Annotated[
        bool, typer.Option("--long-tasks", help="Tasks finishing out of order, workers killed.")
    ] = False,
    relay: Annotated[
        bool, typer.Option("--relay", help="Inbox to Kafka: receivers, relays, broker killed.")
    ] = False,
    effects: Annotated[
        bool, typer.Option("--effects", help="Model calls, pushes, comments: workers killed.")
    ] = False,
    outage: Annotated[
        bool, typer.Option("--outage", help="Webhooks while the broker is dead for a minute.")
    ] = False,
    load: Annotated[
        bool, typer.Option("--load", help="Webhooks at a fixed rate, Kafka up and then dead.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Views rebuilt in other ways; audit replay of all.")
    ] = False,
    dedupe: Annotated[
        bool, typer.Option("--dedupe", help="Verdicts of dedupe: killed, its snapshots spoilt.")
    ] = False,
    kills: Annotated[int | None, typer.Option(min=0, help="Processes to kill.")] = None,
    size: Annotated[int | None, _SIZE] = None,
    per_second: Annotated[float, _PER_SECOND] = 200.0,
    seed: Annotated[int, typer.Option(help="Of what is random.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove one promise by trying to break it, beside a negative control that must fail.

    Starts a Kafka of its own and touches no other. Exit status 1: the claim does not hold.

    Examples: bugstream prove --events 100000 --kills 20; bugstream prove --relay --kills 20
    """
    from streams.figures import show

    given = (events is not None, long_tasks, relay, effects, outage, load, replay, dedupe)
    chosen = [name for name, is_wanted in zip(_PROOFS, given, strict=True) if is_wanted]
    if len(chosen) != 1:
        raise UserError(f"choose one of {', '.join(_PROOFS)}")
    with watched(show_bar=not as_json) as told:
        figures = _PROOFS[chosen[0]](_Wanted(events, kills, size, seed, per_second), told)
    raise typer.Exit(show(figures, as_json=as_json))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for; None: as the claim says."""

    events: int | None
    kills: int | None
    size: int | None
    seed: int
    per_second: float


def _events(wanted: _Wanted, told: Told) -> Figures:
    from streams.prove_events import prove as run

    kills = 20 if wanted.kills is None else wanted.kills
    return run(events=wanted.events or 100_000, kills=kills, seed=wanted.seed, progress=told)


def _long_tasks(wanted: _Wanted, told: Told) -> Figures:
    from streams.prove_long_tasks import prove as run

    kills = 20 if wanted.kills is None else wanted.kills
    return run(kills=kills, tasks=wanted.size or 2_000, seed=wanted.seed, progress=told)


def _relay(wanted: _Wanted, told: Told) -> Figures:
    from streams.prove_relay import prove as run

    kills = 20 if wanted.kills is None else wanted.kills
    return run(kills=kills, rows=wanted.size or 10_000, progress=told)


def _effects(wanted: _Wanted, told: Told) -> Figures:
    from streams.prove_effects import prove as run

    kills = 50 if wanted.kills is None else wanted.kills
    return run(kills=kills, bugs=wanted.size or 200, progress=told)


def _outage(wanted: _Wanted, told: Told) -> Figures:
    from streams.prove_outage import prove as run

    return run(webhooks=wanted.size or 500, outage_s=60.0, progress=told)


def _load(wanted: _Wanted, told: Told) -> Figures:
    from streams.prove_load import prove as run

    return run(webhooks=wanted.size or 10_000, per_second=wanted.per_second, progress=told)


def _replay(wanted: _Wanted, told: Told) -> Figures:
    from streams.prove_replay import prove as run

    return run(bugs=wanted.size or 500, progress=told)


def _dedupe(wanted: _Wanted, told: Told) -> Figures:
    from streams.prove_dedupe import KILLS, REPORTS
    from streams.prove_dedupe import prove as run

    kills = KILLS if wanted.kills is None else wanted.kills
    return run(reports=wanted.size or REPORTS, kills=kills, seed=wanted.seed, progress=told)


# In the order of the flags.
_PROOFS: dict[str, Callable[[_Wanted, Told], Figures]] = {
    "--events": _events,
    "--long-tasks": _long_tasks,
    "--relay": _relay,
    "--effects": _effects,
    "--outage": _outage,
    "--load": _load,
    "--replay": _replay,
    "--dedupe": _dedupe,
}


@contextmanager
def watched(*, show_bar: bool) -> Iterator[Told]:
    """Yield a progress callback that draws a bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not show_bar) as bar:
        task = bar.add_task("Starting Kafka", total=None)

        def told(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total or None, description=what)

        yield told
