"""`bugstream inbox`: what came in, before Kafka."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from connectors.inbox import Inbox, Row
from processors.ports import Blobs
from processors.quoting import as_lines
from schemas.codec import decode
from schemas.errors import BugstreamError, UserError
from schemas.raw import RawReceived
from streams import inbox_tables
from streams.cli_context import open_blobs, open_inbox, open_log, settings
from streams.config import Settings
from streams.dead_letters import DeadLetters
from streams.failures import ERROR_TEXT

REFUSALS_SHOWN_MAX = 20
BODY_CHARS_SHOWN_MAX = 20_000

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Row = Annotated[int, typer.Argument(metavar="ROW", help="Number of a row, as `list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    inbox = typer.Typer(no_args_is_help=True, help="What came in, before Kafka.")
    inbox.command("list")(list_rows)
    inbox.command("show")(show)
    inbox.command("replay")(replay)
    inbox.command("reject")(reject)
    inbox.command("send-again")(send_again)
    inbox.command("pollers")(pollers)
    app.add_typer(inbox, name="inbox")


def list_rows(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Rows to show.")] = 30,
    before: Annotated[int | None, typer.Option(help="Only rows before this one.")] = None,
    as_json: _Json = False,
) -> None:
    """List what came in, newest first.

    Example: bugstream inbox list --limit 10
    """
    with open_inbox(settings(ctx)) as inbox:
        rows = inbox.rows(before=before, limit=limit)
    if as_json:
        typer.echo(json.dumps([_dict(row) for row in rows], indent=2))
        return
    if not rows:
        typer.echo("Nothing came in yet.")
        return
    Console().print(inbox_tables.rows(rows, now=datetime.now(UTC)))


def show(
    ctx: typer.Context,
    row_id: Annotated[
        int | None, typer.Argument(metavar="[ROW]", help="Number of a row; none: a summary.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Show one row, bytes and all; or how much waits for Kafka and what was refused last.

    Examples: bugstream inbox show; bugstream inbox show 17 --json
    """
    conf = settings(ctx)
    with open_inbox(conf) as inbox:
        if row_id is None:
            _summary(inbox, as_json=as_json)
            return
        row = _found(inbox, row_id)
    held = _held(row, open_blobs(conf)) | {"last_error": _last_error(conf, row)}
    if as_json:
        typer.echo(json.dumps(_dict(row) | held, indent=2))
        return
    for name, value in (_dict(row) | held).items():
        if name != "body" and value is not None:
            typer.echo(as_lines(f"{name}: {value}"))
    # What strangers wrote must not drive the terminal; --json has it as it is.
    typer.echo(f"\n{as_lines(str(held.get('body', '')))}"[:BODY_CHARS_SHOWN_MAX])


def replay(ctx: typer.Context, row_id: _Row) -> None:
    """Send one row to Kafka again, such as after a parser was mended.

    The event keeps its id, so what was understood of it before does not double.
    Example: bugstream inbox replay 17
    """
    with open_inbox(settings(ctx)) as inbox:
        _found(inbox, row_id)
        made = inbox.repeat(row_id)
    if made is None:
        raise UserError(f"row {row_id} holds nothing to send: it is a duplicate or was rejected")
    typer.echo(f"Row {row_id} will be sent again as row {made}.")


def reject(ctx: typer.Context, row_id: _Row) -> None:
    """Keep one row from going to Kafka.

    Example: bugstream inbox reject 17
    """
    with open_inbox(settings(ctx)) as inbox:
        _found(inbox, row_id)
        if not inbox.reject(row_id):
            raise UserError(
                f"row {row_id} is in Kafka or on its way already, or holds nothing: say what is to"
                " become of its bug instead, as in `bugstream bug abandon BUG-...`"
            )
    typer.echo(f"Row {row_id} will not go to Kafka.")


def send_again(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Send everything in the inbox to Kafka again: for a Kafka that lost its data.

    What Kafka still holds appears there twice, under the same ids. A relay that runs is ended.

    Example: bugstream inbox send-again --yes
    """
    from streams.relay import Relay

    conf = settings(ctx)
    with open_inbox(conf) as inbox, open_log(conf) as log:
        count = inbox.highest_seq()
        if not yes and not typer.confirm(f"Send all {count} rows again?"):
            raise typer.Abort
        relay = Relay(inbox, log, app=conf.app)
        try:
            relay.start_over()
        finally:
            relay.close()
    typer.echo(f"{count} rows will be sent again. Start the relay: bugstream up")


def pollers(ctx: typer.Context, as_json: _Json = False) -> None:
    """Show how far each provider was asked for what was lost, and what went wrong since.

    Example: bugstream inbox pollers --json
    """
    from connectors.poll_cursors import PollCursors

    with open_inbox(settings(ctx)) as inbox:
        polled = PollCursors(inbox.engine).all()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in polled], indent=2))
        return
    if not polled:
        typer.echo("Nobody was asked yet: `bugstream doctor` says whom the settings name.")
        return
    Console().print(inbox_tables.pollers(polled))
    for said in inbox_tables.errors(polled):
        typer.echo(f"\nSince then: {said}")


def _summary(inbox: Inbox, *, as_json: bool) -> None:
    waiting, refusals = inbox.waiting(), inbox.refusals()[:REFUSALS_SHOWN_MAX]
    if as_json:
        names = ("route", "delivery_id", "reason")
        refused = [dict(zip(names, one, strict=True)) for one in refusals]
        typer.echo(json.dumps({"waiting": waiting, "refused": refused}, indent=2))
        return
    typer.echo(f"{waiting} waiting for Kafka.")
    for route, delivery_id, reason in refusals:
        typer.echo(f"Refused at {route}: delivery {delivery_id!r} ({reason})")


def _found(inbox: Inbox, row_id: int) -> Row:
    row = inbox.row(row_id)
    if row is None:
        raise UserError(f"there is no row {row_id}; `bugstream inbox list` shows them")
    return row


def _dict(row: Row) -> dict[str, Any]:
    return {
        "row": row.id,
        "received_at": row.received_at,
        "route": row.route,
        "delivery_id": row.delivery_id,
        "account": row.account,
        "status": row.status,
        "repeats": row.repeats,
        "attempts": 1 + row.repeats,
        "duplicate_of": row.duplicate_of,
        "event_id": str(row.event_id),
    }


def _held(row: Row, blobs: Blobs) -> dict[str, Any]:
    """Return what the row says: its type, and of a delivery the item, headers and body."""
    if row.event is None:
        return {}
    event = decode(row.event)
    if not isinstance(event, RawReceived):
        return {"type": event.type, "body": row.event.decode()}
    body = event.body
    if body is None and event.body_blob is not None:
        try:
            body = blobs.get(event.body_blob).decode("utf-8", "replace")
        except BugstreamError as error:
            body = f"({error})"
    return {
        "type": event.type,
        "item": event.origin.key,
        "verified": event.authenticated,
        "author_verified": event.author_verified,
        "content_sha256": event.content_sha256,
        "headers": event.headers,
        "body": body,
    }


def _last_error(conf: Settings, row: Row) -> str | None:
    """Return why no report was made of it, if that is so; it says when that is not known."""
    if row.status != "relayed":
        return None
    try:
        with open_log(conf) as log:
            letters = DeadLetters(log, app=conf.app).list(("normalize",), decided=True)
    except BugstreamError:
        return "not known: Kafka does not answer"
    mine = (one for one in letters if one.event and one.event.event_id == row.event_id)
    return next((one.header(ERROR_TEXT) for one in mine), None)
