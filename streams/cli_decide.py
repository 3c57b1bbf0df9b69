"""`bugstream bug approve|merge|...`: what people ask of a bug at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID, uuid4

import typer

from streams.cli_context import open_blobs, open_inbox, open_views, settings
from streams.environment import account

if TYPE_CHECKING:
    from pydantic import BaseModel

    from connectors.channel import Verb
    from projections.bugs import Bug
    from streams.answers import CommandAnswer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: the same as the query API.")]
BugId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="BUG-2026-XXXXX, the whole id, or the start of either.",
        show_default=False,
    ),
]
_Note = Annotated[str, typer.Option("--note", help="Why; kept with the bug, encrypted.")]


def say(answer: BaseModel) -> None:
    """Print `answer` as JSON."""
    typer.echo(answer.model_dump_json(indent=2))


def approve(ctx: typer.Context, bug_id: BugId, note: _Note = "", as_json: AsJson = False) -> None:
    """Let a bug go on that waits for a person.

    Example: bugstream bug approve BUG-2026-7F3K2 --note "read the patch"
    """
    _command(ctx, "approve", bug_id, note, as_json=as_json)


def reject(ctx: typer.Context, bug_id: BugId, note: _Note = "", as_json: AsJson = False) -> None:
    """Say no to what waits, and end the attempt.

    Example: bugstream bug reject BUG-2026-7F3K2 --note "breaks the API"
    """
    _command(ctx, "reject", bug_id, note, as_json=as_json)


def retry(ctx: typer.Context, bug_id: BugId, as_json: AsJson = False) -> None:
    """Start another attempt.

    Example: bugstream bug retry BUG-2026-7F3K2
    """
    _command(ctx, "retry", bug_id, "", as_json=as_json)


def abandon(ctx: typer.Context, bug_id: BugId, note: _Note = "", as_json: AsJson = False) -> None:
    """Stop all work on a bug.

    Example: bugstream bug abandon BUG-2026-7F3K2 --note "the service is gone"
    """
    _command(ctx, "abandon", bug_id, note, as_json=as_json)


def merge(
    ctx: typer.Context,
    bug_id: BugId,
    into: Annotated[
        str, typer.Option("--into", metavar="ID", help="The other bug.", show_default=False)
    ],
    note: _Note = "",
    as_json: AsJson = False,
) -> None:
    """Say that two bugs of a project are one; the older one stays, and your word does.

    Example: bugstream bug merge BUG-2026-9QZ4M --into BUG-2026-7F3K2
    """
    from streams.named import pair_of

    with open_views(settings(ctx)) as views:
        older, newer = pair_of(views, bug_id, into)
    answer = _submitted(ctx, "merge", older, note, about=UUID(newer.bug_id))
    if as_json:
        return say(answer)
    typer.echo(
        f"Asked to merge {newer.human_id} into {older.human_id}, the older of them."
        f" What came of it: bugstream bug {newer.human_id}"
    )
    return None


def split(
    ctx: typer.Context,
    bug_id: BugId,
    report: Annotated[
        str,
        typer.Option(
            "--report",
            metavar="REPORT",
            help="Its id, the start of that, its place or its address.",
            show_default=False,
        ),
    ],
    note: _Note = "",
    as_json: AsJson = False,
) -> None:
    """Say that a report is of another fault: it founds a bug of its own, for good.

    Example: bugstream bug split BUG-2026-7F3K2 --report github:acme/shop#12
    """
    from streams.named import report_of

    with open_views(settings(ctx)) as views:
        bug = views.survivor(views.find(bug_id))
    answer = _submitted(ctx, "split", bug, note, about=report_of(bug, report))
    if as_json:
        return say(answer)
    typer.echo(
        f"Asked to take report {answer.about} out of {bug.human_id}."
        f" What came of it: bugstream bug {bug.human_id}"
    )
    return None


def keep_apart(
    ctx: typer.Context,
    bug_id: BugId,
    apart_from: Annotated[
        str, typer.Option("--from", metavar="ID", help="The other bug.", show_default=False)
    ],
    note: _Note = "",
    as_json: AsJson = False,
) -> None:
    """Say that two bugs of a project are two, however alike: neither is taken for the other again.

    Example: bugstream bug keep-apart BUG-2026-9QZ4M --from BUG-2026-7F3K2
    """
    from streams.named import two_of

    with open_views(settings(ctx)) as views:
        bug, other = two_of(views, bug_id, apart_from, option="--from")
    answer = _submitted(ctx, "keep-apart", bug, note, about=UUID(other.bug_id))
    if as_json:
        return say(answer)
    typer.echo(
        f"Asked to keep {bug.human_id} apart from {other.human_id}."
        f" What came of it: bugstream bug {bug.human_id}"
    )
    return None


def _command(ctx: typer.Context, verb: Verb, given: str, note: str, *, as_json: bool) -> None:
    with open_views(settings(ctx)) as views:
        asked = views.find(given)
        bug = views.survivor(asked)
    answer = _submitted(ctx, verb, bug, note)
    if as_json:
        return say(answer)
    if asked.bug_id != bug.bug_id:
        typer.echo(f"{asked.human_id} is part of {bug.human_id} now, so that one is meant.")
    typer.echo(f"Asked to {verb} {bug.human_id}. What came of it: bugstream bug {bug.human_id}")
    return None


def _submitted(
    ctx: typer.Context, verb: Verb, bug: Bug, note: str, *, about: UUID | None = None
) -> CommandAnswer:
    from schemas.event import subject_id
    from streams.answers import CommandAnswer
    from streams.receiving import submit_command

    conf = settings(ctx)
    actor = f"os:{account()}"
    with open_inbox(conf) as inbox:
        command_id = submit_command(
            inbox,
            command=verb,
            bug_id=UUID(bug.bug_id),
            project=bug.project,
            actor=actor,
            note=open_blobs(conf).put(
                note.encode(), media_type="text/markdown", subject=subject_id(actor)
            )
            if note
            else None,
            # Typed twice is meant twice; the second is refused where it makes no sense.
            idempotency_key=str(uuid4()),
            about=about,
        )
    return CommandAnswer(
        command_id=command_id,
        command=verb,
        bug_id=UUID(bug.bug_id),
        human_id=bug.human_id,
        about=about,
    )


VERBS = (approve, reject, retry, abandon, merge, split, keep_apart)
