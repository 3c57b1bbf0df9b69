"""`bugstream bugs|bug|audit|projections`: what is known, asked at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from schemas.errors import UserError
from schemas.lifecycle import Status
from schemas.reports import Severity
from streams import cli_decide
from streams.cli_context import open_blobs, open_log, open_views, settings
from streams.cli_decide import AsJson, BugId, say

if TYPE_CHECKING:
    from projections.base import Projection
    from streams.answers import Answers, ProjectionsAnswer

LIMIT = 50
LIMIT_MAX = 200


class _BugGroup(TyperGroup):
    """`bug ID` shows a bug: what is not the name of a command is an id."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = [word for word in args if not word.startswith("-")]
        if words and words[0] not in self.commands:
            args = ["show", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("bugs")(bugs)
    bug = typer.Typer(
        cls=_BugGroup,
        no_args_is_help=True,
        help="Show a bug, or say what is to become of it.\n\n"
        "Examples: bugstream bug BUG-2026-7F3K2; bugstream bug approve BUG-2026-7F3K2",
    )
    for verb in (show, *cli_decide.VERBS):
        bug.command()(verb)
    app.add_typer(bug, name="bug")
    audit = typer.Typer(no_args_is_help=True, help="Check what is known against the log.")
    audit.command("replay")(audit_replay)
    app.add_typer(audit, name="audit")
    views = typer.Typer(no_args_is_help=True, help="The query views, made from the log alone.")
    views.command("list")(projections_list)
    views.command("rebuild")(projections_rebuild)
    app.add_typer(views, name="projections")


def bugs(
    ctx: typer.Context,
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    status: Annotated[
        list[Status] | None, typer.Option(help="Only with this status; may be repeated.")
    ] = None,
    severity: Annotated[
        list[Severity] | None, typer.Option(help="Only this severe; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="Bugs of one page.")] = LIMIT,
    cursor: Annotated[
        str | None, typer.Option(help="Where the page before ended, as it said.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List bugs, newest first.

    Examples: bugstream bugs; bugstream bugs --status waiting_for_approval --severity critical
    """
    from projections.views import Filter
    from streams import known_tables

    asked = Filter(project, tuple(status or ()), tuple(severity or ()))
    with _answers(ctx) as answers:
        page = answers.bugs(asked, limit=limit, cursor=cursor)
    if as_json:
        return say(page)
    return known_tables.bugs(page, Console(), is_filtered=asked != Filter(), now=datetime.now(UTC))


def show(
    ctx: typer.Context,
    bug_id: BugId,
    itself: Annotated[
        bool, typer.Option("--itself", help="Show a merged bug, not the one it is part of now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show one bug: where it stands, what happened, what was done and what it cost.

    Examples: bugstream bug BUG-2026-7F3K2; bugstream bug 3f2a --json
    """
    from streams import known_tables

    with _answers(ctx) as answers:
        story = answers.story(bug_id, follow=not itself)
    if as_json:
        return say(story)
    return known_tables.bug(story, Console())


def audit_replay(
    ctx: typer.Context,
    bug_id: BugId,
    at: Annotated[
        str | None,
        typer.Option(
            help="As of then, by the broker's time: 2026-11-22T10:00:00Z (UTC if no zone)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fold a bug's stored events once more, touching nothing, and compare with the live views.

    Exit status: 0 the live views say the same; 1 they do not, or could not be compared.

    Examples: bugstream audit replay BUG-2026-7F3K2; ... --at 2026-11-22T10:00:00Z
    """
    from streams import known_tables
    from streams.exit_codes import FAILED, OK

    when = _time(at)
    with _answers(ctx) as answers, open_log(settings(ctx)) as log:
        found = answers.audit(log, bug_id, at=when)
    if as_json:
        say(found)
    else:
        known_tables.audit(found, Console())
    raise typer.Exit(OK if found.equals_live else FAILED)


def projections_list(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the query views and how they stand.

    Example: bugstream projections list
    """
    with _answers(ctx) as answers:
        _standings(answers.projections(), as_json=as_json)


def projections_rebuild(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Which; default: all.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build views anew from the log beside the live ones, then switch to them.

    The live views answer until the switch; a rebuild that was interrupted goes on where it stopped.

    Examples: bugstream projections rebuild; bugstream projections rebuild bugs timeline
    """
    from sqlalchemy.exc import DatabaseError

    from connectors.database import open_engine
    from streams.projector import build

    conf, wanted = settings(ctx), _named(names or [])
    with open_log(conf) as log, _progress(show=not as_json) as told:
        engine = open_engine(conf.store_url("views"))
        try:
            build(log, engine, wanted, told=told)
        except DatabaseError as error:
            raise UserError(f"the views' database cannot be written: {error.orig}") from error
        finally:
            engine.dispose()
    with _answers(ctx) as answers:
        _standings(answers.projections(), as_json=as_json)


@contextmanager
def _answers(ctx: typer.Context) -> Iterator[Answers]:
    from streams.answers import Answers

    conf = settings(ctx)
    with open_views(conf) as views:
        yield Answers(views, open_blobs(conf))


def _standings(found: ProjectionsAnswer, *, as_json: bool) -> None:
    from streams import known_tables

    if as_json:
        return say(found)
    return known_tables.projections(found, Console())


def _time(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        when = datetime.fromisoformat(given)
    except ValueError as error:
        raise UserError(
            f"--at {given!r} is not a time; write it like 2026-11-22T10:00:00Z"
        ) from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _named(names: list[str]) -> list[Projection]:
    import projections

    known = {projection.name: projection for projection in projections.ALL}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(f"there is no view {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names or known)]


@contextmanager
def _progress(*, show: bool) -> Iterator[Any]:
    columns = (TextColumn("Folding"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not show) as bar:
        task = bar.add_task("records", total=None)

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield told
