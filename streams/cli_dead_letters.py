"""`bugstream dead-letters`: what no stage could handle, and what is to become of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.errors import UserError
from schemas.topics import STAGES
from streams.cli_context import open_log, settings
from streams.environment import account

if TYPE_CHECKING:
    from streams.dead_letters import DeadLetter

VALUE_CHARS_MAX = 4_000

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID]...", help="STAGE/PARTITION/OFFSET, as listed.", show_default=False
    ),
]
_Id = Annotated[
    str, typer.Argument(metavar="ID", help="STAGE/PARTITION/OFFSET, as listed.", show_default=False)
]
_Stage = Annotated[
    str | None, typer.Option("--stage", help=f"Only of one stage: {', '.join(STAGES)}.")
]
_Everything = Annotated[bool, typer.Option("--all", help="All open letters of --stage.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        no_args_is_help=True,
        help="What no stage could handle, and what is to become of it.",
    )
    group.command("list")(list_letters)
    group.command("show")(show)
    group.command("requeue")(requeue)
    group.command("discard")(discard)
    app.add_typer(group, name="dead-letters")


def list_letters(
    ctx: typer.Context,
    stage: _Stage = None,
    decided: Annotated[
        bool, typer.Option("--decided", help="Also those requeued or discarded, with by whom.")
    ] = False,
    as_json: _Json = False,
) -> None:
    """List the open dead letters, oldest first.

    Example: bugstream dead-letters list --stage fix
    """
    from streams.dead_letters import DeadLetters

    conf = settings(ctx)
    with open_log(conf) as log:
        found = DeadLetters(log, app=conf.app).list(_stages(stage), decided=decided)
    if as_json:
        typer.echo(json.dumps([_as_dict(letter) for letter in found], indent=2))
    elif not found:
        of = f" of {stage}" if stage else ""
        typer.echo(f"No {'' if decided else 'open '}dead letters{of}: every record was handled.")
    else:
        Console().print(_table(found, decided=decided))


def show(ctx: typer.Context, letter_id: _Id, as_json: _Json = False) -> None:
    """Show one dead letter: where it came from, why it failed, and what it says.

    Example: bugstream dead-letters show fix/3/0
    """
    from streams.dead_letters import DeadLetters

    conf = settings(ctx)
    with open_log(conf) as log:
        letter = DeadLetters(log, app=conf.app).get(letter_id)
    fields = _as_dict(letter) | {"value": _value(letter)}
    if as_json:
        typer.echo(json.dumps(fields, indent=2))
        return
    for name, value in fields.items():
        # JSON escapes control characters: what strangers wrote must not drive the terminal.
        shown = json.dumps(value) if isinstance(value, str) else json.dumps(value, indent=2)
        typer.echo(f"{name + ':':16} {shown}")


def requeue(
    ctx: typer.Context,
    letter_ids: _Ids = None,
    stage: _Stage = None,
    everything: _Everything = False,
    as_json: _Json = False,
) -> None:
    """Give dead letters to their stage, and to it alone, once more.

    Example: bugstream dead-letters requeue --stage fix --all
    """
    from streams.dead_letters import DeadLetters

    conf = settings(ctx)
    with open_log(conf) as log:
        letters = DeadLetters(log, app=conf.app)
        done = letters.requeue(_chosen(letters, letter_ids, stage, everything), by=_who())
    _tell("Requeued", done, as_json=as_json)


def discard(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept beside the letter.")],
    letter_ids: _Ids = None,
    stage: _Stage = None,
    everything: _Everything = False,
    as_json: _Json = False,
) -> None:
    """Close dead letters for good. They stay readable until their retention ends.

    Example: bugstream dead-letters discard fix/3/0 --reason "the project is gone"
    """
    from streams.dead_letters import DeadLetters

    conf = settings(ctx)
    with open_log(conf) as log:
        letters = DeadLetters(log, app=conf.app)
        chosen = _chosen(letters, letter_ids, stage, everything)
        done = letters.discard(chosen, by=_who(), reason=reason)
    _tell("Discarded", done, as_json=as_json)


def _chosen(letters: Any, ids: list[str] | None, stage: str | None, everything: bool) -> list[str]:
    """Return the ids meant. Raises `UserError` unless it is clear which."""
    if ids and not everything and stage is None:
        return ids
    if everything and stage is not None and not ids:
        return [letter.id for letter in letters.list(_stages(stage))]
    raise UserError("name the letters (STAGE/PARTITION/OFFSET ...), or all with --stage X --all")


def _stages(stage: str | None) -> tuple[str, ...]:
    if stage is None:
        return STAGES
    if stage not in STAGES:
        raise UserError(f"--stage {stage}: the stages are {', '.join(STAGES)}")
    return (stage,)


def _who() -> str:
    return f"os:{account()}"


def _tell(verb: str, done: Any, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([letter.id for letter in done], indent=2))
    elif not done:
        typer.echo("Nothing to do: there are no open dead letters.")
    else:
        typer.echo(f"{verb} {len(done)}: {', '.join(letter.id for letter in done)}")


def _as_dict(letter: DeadLetter) -> dict[str, Any]:
    from streams import failures

    event, mark = letter.event, letter.mark
    return {
        "id": letter.id,
        "stage": letter.stage,
        "origin": letter.origin,
        "event_type": event.type if event else None,
        "bug_id": str(letter.bug_id) if letter.bug_id else None,
        "error": letter.header(failures.ERROR_CLASS),
        "error_text": letter.header(failures.ERROR_TEXT),
        "attempts": int(letter.header(failures.ATTEMPTS) or "0"),
        "requeues": int(letter.header(failures.REQUEUES) or "0"),
        "first_seen": letter.header(failures.FIRST_SEEN),
        "decision": {"verb": mark.verb, "by": mark.by, "at": mark.at, "reason": mark.reason}
        if mark
        else None,
    }


def _value(letter: DeadLetter) -> Any:
    text = (letter.record.value or b"").decode(errors="backslashreplace")
    if len(text) > VALUE_CHARS_MAX:
        return text[:VALUE_CHARS_MAX] + f"... ({len(text)} characters)"
    try:
        return json.loads(text)
    except ValueError:
        return text


def _table(found: list[DeadLetter], *, decided: bool) -> Table:
    table = Table("id", "what", "why", "since", *(["decision"] if decided else []))
    table.columns[0].no_wrap = True
    for letter in found:
        fields, mark = _as_dict(letter), letter.mark
        cells = [
            letter.id,
            fields["event_type"] or "not readable",
            f"{fields['error']}: {fields['error_text']}",
            fields["first_seen"][:16],
        ]
        if decided:
            cells.append(f"{mark.verb} by {mark.by}. {mark.reason}" if mark else "open")
        # JSON escapes control characters, `escape` what rich would take for its own.
        table.add_row(*(escape(json.dumps(cell)[1:-1]) for cell in cells))
    return table
