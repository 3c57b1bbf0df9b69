"""What commands open: settings, log, stores. One place, so that every command fails alike."""

from __future__ import annotations

from pathlib import Path

import typer

from streams.config import Settings, load


def settings(ctx: typer.Context) -> Settings:
    """Return the settings, read once for the whole command line."""
    root = ctx.find_root()
    if not isinstance(root.obj, Settings):
        root.obj = load(root.params.get("config"))
    found = root.obj
    assert isinstance(found, Settings)  # noqa: S101  # narrows for the type checker
    return found


def inbox_url(settings: Settings) -> str:
    """Return the SQLAlchemy URL of the inbox."""
    return settings.database_url or _sqlite(settings, "inbox")


def ledger_url(settings: Settings) -> str:
    """Return the SQLAlchemy URL of the effect ledger."""
    return settings.database_url or _sqlite(settings, "ledger")


def views_url(settings: Settings) -> str:
    """Return the SQLAlchemy URL of the query views."""
    return settings.database_url or _sqlite(settings, "views")


def _sqlite(settings: Settings, name: str) -> str:
    folder = Path(settings.data_dir).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / name}.sqlite"
