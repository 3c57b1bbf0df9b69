"""`bugstream discord-commands`: what people can type in Discord has to be made known there."""

from __future__ import annotations

from typing import Annotated

import typer

from schemas.errors import UserError
from streams.cli_context import settings


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("discord-commands")(discord_commands)


def discord_commands(
    ctx: typer.Context,
    application_id: Annotated[
        str, typer.Argument(metavar="APPLICATION_ID", help="It stands beside the public key.")
    ],
) -> None:
    """Make `/bug` and "Report a bug" known to Discord, in place of what the application had.

    Needed once, and after an update that changed them. Example: bugstream discord-commands 1234
    """
    from connectors.discord import COMMANDS
    from streams.accounts import discord

    if not (application_id.isascii() and application_id.isdecimal() and len(application_id) <= 20):
        raise UserError("APPLICATION_ID is a number, as the page of the application shows it")
    client = discord.messenger(settings(ctx))
    if client is None:
        raise UserError("set [discord] with the bot's token first")
    client.register(application_id, COMMANDS)
    names = " and ".join(f"`{one['name']}`" for one in COMMANDS)
    typer.echo(f"Discord knows {names} now; it may take a minute until people see them.")
