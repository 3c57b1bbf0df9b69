"""`bugstream demo`: the whole chain on a small shop, live in the terminal."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from processors.quoting import as_lines, one_line
from streams.exit_codes import FAILED, OK

if TYPE_CHECKING:
    from projections.bugs import Bug
    from streams.demo import Demo
    from streams.story import Story

TITLE_CHARS_MAX = 27


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("demo")(demo)


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running at the end, until Ctrl-C.")
    ] = False,
) -> None:
    """Start Kafka and every stage, report bugs of a small shop, and show what came of them.

    They come as GitHub issues, a mail, a Slack command and an alert, and each is answered where it
    came from. Needs no key, no Docker and no network: mailbox, Slack and Alertmanager are little
    ones of our own. All it makes is in one folder, removed at the end.

    Example: bugstream demo --keep
    """
    from streams import demo as shop

    console = Console()
    with tempfile.TemporaryDirectory(prefix="bugstream-demo-") as folder:
        console.print("Starting Kafka and every stage ...")
        began = time.monotonic()
        with shop.running(Path(folder)) as running:
            shop.wait_until_ready(running)
            console.print(f"Ready in {time.monotonic() - began:.1f} s at {running.url}")
            shop.post_issues(running)
            said = shop.report_elsewhere(running)
            console.print("Reported: three issues on GitHub, a mail, a command in Slack, an alert.")
            console.print(f"Slack shows to who typed: {as_lines(said)}\n", highlight=False)
            complete = _live(running, console)
            _finish(running, console)
            if keep:
                _stay(running, console)
    raise typer.Exit(OK if complete else FAILED)


def _live(running: Demo, console: Console) -> bool:
    from streams import demo as shop

    began = time.monotonic()
    with Live(console=console, refresh_per_second=4) as live:

        def told(bugs: list[Bug]) -> None:
            live.update(_standing(running, bugs, time.monotonic() - began))

        return shop.watch(running, told)


def _standing(running: Demo, bugs: Iterable[Bug], elapsed_s: float) -> RenderableType:
    known = list(bugs)
    title = Column("title", no_wrap=True, max_width=TITLE_CHARS_MAX)
    table = Table("report", title, "bug", "status", "attempt", box=None, pad_edge=False)
    for sent in running.sent:
        bug = next((bug for bug in known if sent.is_of(bug)), None)
        table.add_row(
            sent.label,
            one_line(sent.title, chars_max=200),
            bug.human_id if bug else "",
            str(bug.status).replace("_", " ") if bug else "received",
            str(bug.attempt) if bug else "",
        )
    table.caption = f"{elapsed_s:.0f} s"
    table.caption_justify = "left"
    return table


def _finish(running: Demo, console: Console) -> None:
    from streams import demo as shop
    from streams.story import panel

    for story in shop.stories(running):
        console.print()
        console.print(panel(story))
        if story.release is not None:
            for line in shop.written_by(running, story.release.commit):
                console.print(Text(as_lines(f"Who wrote it (git notes): {line}")))
    _show_answers(running, console)
    console.print(f"\nThe branches are in {running.remote}:")
    for branch in shop.branches(running):
        console.print(f"  {branch}", highlight=False)
    console.print(_summary(shop.stories(running)))


def _show_answers(running: Demo, console: Console) -> None:
    by_place: dict[str, list[str]] = {}
    for told in running.world.told:
        by_place.setdefault(told.where, []).append(told.text.strip())
    for place, (*before, last) in sorted(by_place.items()):
        # The last words whole where they are read as they are; elsewhere they say the same.
        shown = last if place.startswith("GitHub") else _first_lines(last)
        text = "\n\n".join((*map(_first_lines, before), shown))
        console.print()
        title = Text(as_lines(f"Told: {place}"))
        console.print(Panel(Text(as_lines(text)), title=title, title_align="left"))


def _first_lines(text: str) -> str:
    return "\n\n".join(text.split("\n\n")[:2])


def _summary(stories: list[Story]) -> str:
    counts: dict[str, int] = {}
    for story in stories:
        counts[story.outcome] = counts.get(story.outcome, 0) + 1
    return "\n" + ", ".join(f"{number} {outcome}" for outcome, number in counts.items()) + "."


def _stay(running: Demo, console: Console) -> None:
    from streams.signals import stop_on_signals

    data = running.settings.data_path
    console.print(f"\nStill running: {running.url}/docs; data in {data}")
    console.print(f"Look around: BUGSTREAM_DATA_DIR={data} .venv/bin/bugstream bugs")
    console.print("Ctrl-C stops it.")
    with stop_on_signals() as stop:
        while not stop.wait(1.0) and running.process.poll() is None:
            pass
